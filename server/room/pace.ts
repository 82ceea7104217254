// Owns what lua/pace.lua writes: one window of time in which the line could move.

export interface PaceWindow {
  minutes: number
  /** People the watermark went over. */
  passed: number
  /** Everybody called, also those called one by one. */
  calls: number
  /** Called people who are done: left, out of time, not come. */
  exits: number
  /** Mean number of people called, at the door or admitted. */
  inside: number
  /** Sum of squares of how many were called at once. */
  batches: number
  /** At the end of the window. */
  waiting: number
  /** Gave up waiting within it. */
  left: number
  /** Nobody was left to call for a moment, so that the pace says nothing of the limits. */
  starved: boolean
  activeMax: number
  /** Null = unlimited. */
  admitPerMinute: number | null
  admitted: number
}

const MINUTE_MS = 60_000

export function parsePace(text: string): PaceWindow {
  const [ms, passed, calls, exits, insideMs, batches, waiting, left, starved, activeMax, rate, admitted] =
    text.split(' ').map(Number) as [number, ...number[]]
  return {
    minutes: ms / MINUTE_MS,
    passed: passed!,
    calls: calls!,
    exits: exits!,
    inside: insideMs! / ms,
    batches: batches!,
    waiting: waiting!,
    left: left!,
    starved: starved === 1,
    activeMax: activeMax!,
    admitPerMinute: rate! > 0 ? rate! : null,
    admitted: admitted!,
  }
}
