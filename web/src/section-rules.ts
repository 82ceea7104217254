// Decides what is wrong with a section as it is typed, field by field, in the person's words.
import { m } from '#messages'
import { LIMITS } from '../../server/protocol/codes.ts'
import type { Numbering } from '../../server/protocol/seat-map.ts'
import { isWithin, tooLong, wholeNumber } from './event-rules.ts'
import { formatCount } from './format.ts'

export type RowNames = 'letters' | 'numbers' | 'own'
export interface TypedSection {
  kind: 'seated' | 'general'
  name: string
  tier: string
  /** In the currency's major unit. */
  price: number | null
  rows: number | null
  seatsPerRow: number | null
  rowNames: RowNames
  /** Names of the rows, commas between; counts when `rowNames` is 'own'. */
  ownRows: string
  numbering: Numbering
  shape: 'straight' | 'arc'
  capacity: number | null
}
export type SectionField = 'name' | 'tier' | 'price' | 'rows' | 'seatsPerRow' | 'ownRows' | 'capacity'

/** What a section stands among. */
export interface Surroundings {
  /** Names of the other sections. */
  names: ReadonlySet<string>
  /** Seats of the other sections. */
  seats: number
  /** Digits of the currency's minor unit. */
  digits: number
  /** The price is given by the category. */
  priced: boolean
}

const ROW_LABEL_MAX = 12
const PRICE_MAX = 1_000_000_000_000
const LETTERS = 26
const LETTER_A = 65

/** The rows' labels, front first; at most as many as a section may have. */
export function rowLabelsOf({ rowNames, rows, ownRows }: TypedSection): string[] {
  if (rowNames === 'own')
    return ownRows
      .split(/[,;\n]/)
      .map((label) => label.trim())
      .filter(Boolean)
  const count = isWithin(rows, 1, LIMITS.rowsPerSection) ? (rows ?? 0) : 0
  const label = rowNames === 'letters' ? letters : (at: number) => String(at + 1)
  return Array.from({ length: count }, (_, at) => label(at))
}

/** Which kind of names these are, so that a section can be typed again. */
export function rowNamesOf(labels: string[]): RowNames {
  if (labels.every((label, at) => label === letters(at))) return 'letters'
  return labels.every((label, at) => label === String(at + 1)) ? 'numbers' : 'own'
}

/** Seats or places, as far as it can be said. */
export function seatsOf(section: TypedSection): number {
  if (section.kind === 'general') return Math.max(0, Math.trunc(section.capacity ?? 0))
  const rows = section.rowNames === 'own' ? rowLabelsOf(section).length : (section.rows ?? 0)
  return Math.max(0, Math.trunc(rows) * Math.trunc(section.seatsPerRow ?? 0))
}

/** A sentence for each field that is wrong. */
export function sectionProblems(
  section: TypedSection,
  around: Surroundings,
): Partial<Record<SectionField, string>> {
  const wrong: Partial<Record<SectionField, string>> = {}
  for (const field of ['name', 'tier'] as const) {
    const text = section[field].trim()
    if (text === '') wrong[field] = m.draft_wrong_empty()
    else if (text.length > LIMITS.nameMax) wrong[field] = tooLong(text, LIMITS.nameMax)
  }
  if (around.names.has(section.name.trim())) wrong.name = m.hall_wrong_name_taken()
  if (!around.priced && !isPrice(section.price, around.digits))
    wrong.price = m.hall_wrong_price({ digits: String(around.digits) })
  if (section.kind === 'general') {
    if (!isWithin(section.capacity, 1, LIMITS.seatsPerEvent))
      wrong.capacity = wholeNumber(1, LIMITS.seatsPerEvent)
  } else checkRows(section, wrong)

  const total = around.seats + seatsOf(section)
  const field = section.kind === 'general' ? 'capacity' : 'seatsPerRow'
  if (total > LIMITS.seatsPerEvent && !wrong[field])
    wrong[field] = m.hall_wrong_many({ max: formatCount(LIMITS.seatsPerEvent), now: formatCount(total) })
  return wrong
}

function checkRows(section: TypedSection, wrong: Partial<Record<SectionField, string>>): void {
  if (!isWithin(section.seatsPerRow, 1, LIMITS.seatsPerRow))
    wrong.seatsPerRow = wholeNumber(1, LIMITS.seatsPerRow)
  if (section.rowNames !== 'own') {
    if (!isWithin(section.rows, 1, LIMITS.rowsPerSection)) wrong.rows = wholeNumber(1, LIMITS.rowsPerSection)
    return
  }
  const labels = rowLabelsOf(section)
  const long = labels.find((label) => label.length > ROW_LABEL_MAX)
  const twice = labels.find((label, at) => labels.indexOf(label) < at)
  if (labels.length === 0) wrong.ownRows = m.hall_wrong_rows_own()
  else if (labels.length > LIMITS.rowsPerSection) wrong.ownRows = wholeNumber(1, LIMITS.rowsPerSection)
  else if (long) wrong.ownRows = m.hall_wrong_row_long({ row: long, max: String(ROW_LABEL_MAX) })
  else if (twice) wrong.ownRows = m.hall_wrong_row_twice({ row: twice })
}

function isPrice(price: number | null, digits: number): boolean {
  if (price === null || price < 0) return false
  const minor = price * 10 ** digits
  return minor <= PRICE_MAX && Math.abs(minor - Math.round(minor)) < 1e-6
}

/** A … Z, AA … AZ, BA …, from the front. */
function letters(at: number): string {
  const letter = String.fromCharCode(LETTER_A + (at % LETTERS))
  return at < LETTERS ? letter : letters(Math.floor(at / LETTERS) - 1) + letter
}
