// Owns what the seat feed says: one announcement of changed seats, and how a reader understands it.
import { SEAT_STATUSES, type SeatCode } from '../lifecycle.ts'

export { seatFeedChannel } from './keys.ts'

export interface SeatFeed {
  /** The version this change follows; a reader at any other has missed something and reloads. */
  previous: number
  version: number
  changes: [n: number, code: SeatCode][]
}

/** Null when the message is not one of ours. */
export function parseSeatFeed(message: string): SeatFeed | null {
  let said: unknown
  try {
    said = JSON.parse(message)
  } catch {
    return null
  }
  if (typeof said !== 'object' || said === null) return null
  const { previous, version, changes } = said as Record<string, unknown>
  if (!Number.isSafeInteger(previous) || !Number.isSafeInteger(version) || !Array.isArray(changes))
    return null
  return changes.every(isChange)
    ? { previous: previous as number, version: version as number, changes }
    : null
}

function isChange(change: unknown): change is [number, SeatCode] {
  return (
    Array.isArray(change) &&
    change.length === 2 &&
    Number.isInteger(change[0]) &&
    change[0] >= 0 &&
    Number.isInteger(change[1]) &&
    change[1] >= 0 &&
    change[1] < SEAT_STATUSES.length
  )
}
