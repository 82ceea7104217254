// Decides what is wrong with an event as it is typed, field by field, in the person's words; the server has the last word.
import { m } from '#messages'
import { LIMITS } from '../../server/protocol/codes.ts'
import { formatCount } from './format.ts'
import { instantOf } from './zoned-time.ts'

/** An event as typed: times as a clock at the event shows them, '' for none; null for an empty number. */
export interface TypedEvent {
  name: string
  description: string
  location: string
  startsAt: string
  onSaleAt: string
  timeZone: string
  currency: string
  holdSeconds: number | null
  maxSeatsPerBooking: number | null
  maxSeatsPerBuyer: number | null
}
export type EventField = keyof TypedEvent

/** The two first steps of the guided form. */
export const WHAT_FIELDS = ['name', 'location', 'description'] as const satisfies EventField[]
export const WHEN_FIELDS = [
  'startsAt',
  'onSaleAt',
  'timeZone',
  'currency',
  'maxSeatsPerBooking',
  'maxSeatsPerBuyer',
  'holdSeconds',
] as const satisfies EventField[]

export const HOLD_SECONDS = { min: 5, max: 3_600 }
export const SEATS_PER_BUYER_MAX = 10_000

/**
 * A sentence for each field that is wrong.
 * @param before the start that was saved: one that is left as it is may have passed
 */
export function eventProblems(
  typed: TypedEvent,
  nowMs: number,
  before = '',
): Partial<Record<EventField, string>> {
  const wrong: Partial<Record<EventField, string>> = {}
  for (const field of ['name', 'location'] as const) {
    if (typed[field].trim() === '') wrong[field] = m.draft_wrong_empty()
    else if (typed[field].trim().length > LIMITS.nameMax) wrong[field] = tooLong(typed[field], LIMITS.nameMax)
  }
  if (typed.description.trim().length > LIMITS.textMax)
    wrong.description = tooLong(typed.description, LIMITS.textMax)

  const starts = instantOf(typed.startsAt, typed.timeZone)
  const sale = instantOf(typed.onSaleAt, typed.timeZone)
  if (starts === null) wrong.startsAt = m.draft_wrong_no_start()
  else if (typed.startsAt !== before && Date.parse(starts) <= nowMs) wrong.startsAt = m.draft_wrong_past()
  if (sale !== null && starts !== null && sale >= starts) wrong.onSaleAt = m.draft_wrong_sale_late()

  const { holdSeconds, maxSeatsPerBooking, maxSeatsPerBuyer } = typed
  if (!isWithin(holdSeconds, HOLD_SECONDS.min, HOLD_SECONDS.max))
    wrong.holdSeconds = wholeNumber(HOLD_SECONDS.min, HOLD_SECONDS.max)
  if (!isWithin(maxSeatsPerBooking, 1, LIMITS.seatIdsPerRequest))
    wrong.maxSeatsPerBooking = wholeNumber(1, LIMITS.seatIdsPerRequest)
  if (!isWithin(maxSeatsPerBuyer, 1, SEATS_PER_BUYER_MAX))
    wrong.maxSeatsPerBuyer = wholeNumber(1, SEATS_PER_BUYER_MAX)
  else if (!wrong.maxSeatsPerBooking && (maxSeatsPerBooking ?? 0) > (maxSeatsPerBuyer ?? 0))
    wrong.maxSeatsPerBooking = m.draft_wrong_limits({ max: formatCount(maxSeatsPerBuyer ?? 0) })
  return wrong
}

/** What the server says of a field that nobody here could know, in the person's language. */
export function saidByServer(field: string, message: string): string {
  const held = /already has as many/.test(message) ? /\d+/.exec(message)?.[0] : undefined
  if (field === 'maxSeatsPerBuyer' && held) return m.draft_wrong_held({ count: formatCount(Number(held)) })
  return m.draft_wrong_other()
}

export const tooLong = (text: string, max: number): string =>
  m.draft_wrong_long({ max: formatCount(max), now: formatCount(text.trim().length) })
export const wholeNumber = (min: number, max: number): string =>
  m.draft_wrong_number({ min: formatCount(min), max: formatCount(max) })
export const isWithin = (value: number | null, min: number, max: number): boolean =>
  value !== null && Number.isInteger(value) && value >= min && value <= max
