// Decides how the line's numbers are told to one person: the range in words, whether it means anything yet, when to say so aloud.
import { m } from '#messages'
import type { WaitRange } from '../../../server/protocol/forecast.ts'
import type { LineFrame } from '../../../server/protocol/socket.ts'
import { sayUnit, sayUnits } from '../format.ts'

const SOON_MINUTES = 1
const HOUR_MINUTES = 60

/** The range in words: "less than a minute", "4–7 minutes", "40 minutes to 3 hours", "2–4 hours". */
export function sayWait({ lowMinutes, highMinutes }: WaitRange): string {
  if (highMinutes <= SOON_MINUTES) return m.room_wait_less()
  if (highMinutes < 2 * HOUR_MINUTES) return inUnits(lowMinutes, highMinutes, 'minute')
  const low = Math.floor(lowMinutes / stepFor(HOUR_MINUTES)) * stepFor(HOUR_MINUTES)
  if (low === 0 || low >= HOUR_MINUTES)
    return inUnits(lowMinutes / HOUR_MINUTES, highMinutes / HOUR_MINUTES, 'hour')
  const hours = Math.ceil(highMinutes / HOUR_MINUTES)
  return m.room_wait_between({ from: sayUnit(low, 'minute'), to: sayUnit(hours, 'hour') })
}

function inUnits(low: number, high: number, unit: 'minute' | 'hour'): string {
  const step = stepFor(high)
  const from = Math.floor(low / step) * step
  const to = Math.ceil(high / step) * step
  if (from === to || (from < 1 && to === 1)) return m.room_wait_about({ time: sayUnit(to, unit) })
  return from < 1 ? m.room_wait_up_to({ time: sayUnit(to, unit) }) : sayUnits(from, to, unit)
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

/** Between two frames the line moves on at the slow end of its pace, so that the next frame never has to take back. */
const CARRIED_ON_MINUTES = 10 / 60
export const carriedOn = (ahead: number, { flow }: Pick<LineFrame, 'flow'>, minutes: number): number =>
  Math.max(0, ahead - Math.floor((flow?.[0] ?? 0) * Math.min(CARRIED_ON_MINUTES, Math.max(0, minutes))))

export const middleOf = ({ lowMinutes, highMinutes }: WaitRange) => Math.sqrt(lowMinutes * highMinutes)
