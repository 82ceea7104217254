// Decides which written times name a moment, for whatever is sent to us.
import { invalid } from './errors.ts'

/** ISO 8601 with a zone; the validator's own date-time also takes dates whose meaning depends on the machine. */
const INSTANT = /^(\d{4}-\d{2}-(\d{2}))T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/i
/** Nothing of ours happened earlier, and Postgres reads years of one or two digits as others. */
const YEAR_MIN = 1970
/** JavaScript writes later years with a sign, which Postgres does not read. */
const YEAR_MAX = 9999

/** The moment, or an invalid date: for 30 February too, which JavaScript takes for the second of March. */
export function instantOf(text: string): Date {
  const [, date = '', day] = INSTANT.exec(text) ?? []
  const at = new Date(text)
  const year = at.getUTCFullYear()
  const isOne = new Date(date).getUTCDate() === Number(day) && year >= YEAR_MIN && year <= YEAR_MAX
  return isOne ? at : new Date(Number.NaN)
}

/** The moment; throws `request_invalid` naming the field when there is none. */
export function requireInstant(path: string, text: string): Date {
  const at = instantOf(text)
  if (Number.isNaN(at.getTime())) throw invalid(path, 'is not a date')
  return at
}
