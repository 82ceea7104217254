// Decides how the line's numbers are told to one person: the range in words, the odds, why it jumped, when to say so aloud.
import type { Odds, WaitRange } from '../../../server/protocol/forecast.ts'
import type { LineFrame } from '../../../server/protocol/socket.ts'

const SOON_MINUTES = 1
const HOUR_MINUTES = 60

/** The range in words: "less than a minute", "4–7 minutes", "40 minutes to 3 hours", "2–4 hours". */
export function sayWait({ lowMinutes, highMinutes }: WaitRange): string {
  if (highMinutes <= SOON_MINUTES) return 'less than a minute'
  if (highMinutes < 2 * HOUR_MINUTES) return inUnits(lowMinutes, highMinutes, 'minute')
  const low = Math.floor(lowMinutes / stepFor(HOUR_MINUTES)) * stepFor(HOUR_MINUTES)
  if (low > 0 && low < HOUR_MINUTES) return `${low} minutes to ${Math.ceil(highMinutes / HOUR_MINUTES)} hours`
  return inUnits(lowMinutes / HOUR_MINUTES, highMinutes / HOUR_MINUTES, 'hour')
}

function inUnits(low: number, high: number, unit: string): string {
  const step = stepFor(high)
  const from = Math.floor(low / step) * step
  const to = Math.ceil(high / step) * step
  if (from < 1) return to === 1 ? `about a${unit === 'hour' ? 'n' : ''} ${unit}` : `up to ${to} ${unit}s`
  return from === to ? `about ${to} ${to === 1 ? unit : `${unit}s`}` : `${from}–${to} ${unit}s`
}

/** Nobody knows a long wait to the minute. */
const stepFor = (most: number) => (most > 40 ? 10 : most > 15 ? 5 : 1)

/** A pace less sure than this says nothing a person could plan with; one that was once surer is not doubted at once. */
const UNSURE = 3.5
const DOUBTED = 6
/** However unsure the pace: a wait that cannot be longer than this is worth saying. */
const SHORT_MINUTES = 5

/** Whether the range means something yet; `before`: it did when it was last said. */
export const isTellable = (
  { highMinutes }: WaitRange,
  [slow, fast]: readonly [number, number],
  before: boolean,
): boolean => highMinutes <= SHORT_MINUTES || fast / slow <= (before ? DOUBTED : UNSURE)

const MILESTONES = [
  100_000, 50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 25, 10, 5, 3, 2, 1, 0,
]

/** The last milestone passed on the way to the front; a screen reader is told only when it changes. */
export const milestoneOf = (ahead: number): number | null => MILESTONES.findLast((at) => ahead <= at) ?? null

/** What the seats left mean for a place the line may not reach in time. */
export const ODDS_TEXT: Record<Odds, string> = {
  likely: 'There will likely be seats left when it is your turn.',
  uncertain:
    'It is uncertain whether seats are left when it is your turn: that depends on how many those ahead of you take.',
  unlikely:
    'It is unlikely that seats are left when it is your turn. Returned seats may still come, and you keep your place.',
}

/** Between two frames the line moves on at the slow end of its pace, so that the next frame never has to take back. */
const CARRIED_ON_MINUTES = 10 / 60
export const carriedOn = (ahead: number, { flow }: Pick<LineFrame, 'flow'>, minutes: number): number =>
  Math.max(0, ahead - Math.floor((flow?.[0] ?? 0) * Math.min(CARRIED_ON_MINUTES, Math.max(0, minutes))))

/** What was last said of the wait, to compare the next with. */
export interface ToldWait {
  /** ms */
  at: number
  ahead: number
  range: WaitRange
  flow: number
  seatsLeft: number
}

/** A wait that differs by more than this from what the last one led to expect is explained. */
const JUMP = 0.2
const CHANGED = 0.1
const MINUTE_MS = 60_000

export const middleOf = ({ lowMinutes, highMinutes }: WaitRange) => Math.sqrt(lowMinutes * highMinutes)

/** Why the wait jumped; null when it did not, or nobody knows. `stood`: the line stood still in between. */
export function jumpReason(before: ToldWait, after: ToldWait, stood: boolean): string | null {
  const expected = middleOf(before.range) - (after.at - before.at) / MINUTE_MS
  const now = middleOf(after.range)
  if (Math.abs(now - expected) <= Math.max(1, JUMP * Math.max(expected, now))) return null
  if (stood) return 'The line stood still for a while.'
  if (after.flow < before.flow * (1 - CHANGED)) return 'The line moves more slowly than before.'
  if (now < expected && after.seatsLeft > before.seatsLeft) return 'Seats came back, and the line moves on.'
  if (after.flow > before.flow * (1 + CHANGED)) return 'The line moves faster than before.'
  return now < expected && after.ahead < before.ahead ? 'People ahead of you left the line.' : null
}
