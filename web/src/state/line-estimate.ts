// Decides what the line's numbers mean for one person: how many are ahead, how long it may take, when to say so aloud.
import type { LineFrame } from '../../../server/protocol/socket.ts'

/**
 * People ahead = place − serving − those between who left.
 * A bucket of leavers that reaches past our own place counts only as far as it lies ahead of us, at most fully.
 */
export function peopleAhead(place: number, line: Pick<LineFrame, 'serving' | 'gone'>): number {
  const between = place - line.serving
  if (between <= 0) return 0
  let left = 0
  for (const [index, [first, count]] of line.gone.entries()) {
    if (first >= place) break
    const next = line.gone[index + 1]?.[0] ?? Infinity
    // Where the next bucket begins before our place, this one lies wholly ahead of us; else only part of it may.
    const room = Math.min(next, place) - Math.max(first, line.serving)
    left += Math.min(count, Math.max(0, room))
  }
  return Math.max(0, between - left)
}

export interface WaitRange {
  lowMinutes: number
  highMinutes: number
}

/** The pace of one minute says little about the next: it may well be this much quicker or slower. */
const PACE_SPREAD = 0.25

/**
 * An honest range at the present pace, or null when the pace is not known.
 * Widened by twice the Poisson spread of the pace itself: few admissions a minute tell little.
 */
export function waitRange(ahead: number, perMinute: number): WaitRange | null {
  if (perMinute <= 0) return null
  const chance = 2 / Math.sqrt(perMinute)
  const spread = Math.min(0.6, PACE_SPREAD + chance / 4)
  const minutes = (ahead + 1) / perMinute
  return { lowMinutes: minutes * (1 - spread), highMinutes: minutes * (1 + spread) }
}

const SOON_MINUTES = 1
const HOUR_MINUTES = 60

/** The range in words: "less than a minute", "about 4 to 7 minutes", "about 1 to 2 hours". */
export function sayWait({ lowMinutes, highMinutes }: WaitRange): string {
  if (highMinutes <= SOON_MINUTES) return 'less than a minute'
  if (highMinutes < 2 * HOUR_MINUTES) return inUnits(lowMinutes, highMinutes, 'minute')
  return inUnits(lowMinutes / HOUR_MINUTES, highMinutes / HOUR_MINUTES, 'hour')
}

function inUnits(low: number, high: number, unit: string): string {
  const step = stepFor(high)
  const from = Math.floor(low / step) * step
  const to = Math.ceil(high / step) * step
  if (from < 1) return to === 1 ? `about a${unit === 'hour' ? 'n' : ''} ${unit}` : `up to ${to} ${unit}s`
  return from === to ? `about ${to} ${to === 1 ? unit : `${unit}s`}` : `about ${from} to ${to} ${unit}s`
}

/** Nobody knows a long wait to the minute. */
const stepFor = (most: number) => (most > 40 ? 10 : most > 15 ? 5 : 1)

const MILESTONES = [
  100_000, 50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 25, 10, 5, 3, 2, 1, 0,
]

/** The last milestone passed on the way to the front; a screen reader is told only when it changes. */
export const milestoneOf = (ahead: number): number | null => MILESTONES.findLast((at) => ahead <= at) ?? null
