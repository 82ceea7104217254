// Decides why a wait is not what it was said to be a moment ago. Loaded once there is something to compare.
import { m } from '#messages'
import type { WaitRange } from '../../../server/protocol/forecast.ts'
import { middleOf } from './line-estimate.ts'

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

/** Why the wait jumped; null when it did not, or nobody knows. `stood`: the line stood still in between. */
export function jumpReason(before: ToldWait, after: ToldWait, stood: boolean): string | null {
  const expected = middleOf(before.range) - (after.at - before.at) / MINUTE_MS
  const now = middleOf(after.range)
  if (Math.abs(now - expected) <= Math.max(1, JUMP * Math.max(expected, now))) return null
  if (stood) return m.room_stood()
  if (after.flow < before.flow * (1 - CHANGED)) return m.room_slower()
  if (now < expected && after.seatsLeft > before.seatsLeft) return m.room_came_back()
  if (after.flow > before.flow * (1 + CHANGED)) return m.room_faster()
  return now < expected && after.ahead < before.ahead ? m.room_others_left() : null
}
