// Decides how long a lost connection waits before it comes back: nothing but arithmetic, so that every client can share it.
import { CLOSE_CODES } from '../../../server/protocol/codes.ts'

export const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 30_000
const SPREAD = 0.3
/** After a refusal for asking too much. */
const CALM_MS = 10_000

export interface LostConnection {
  code: number
  reason: string
  /** In a row, this one included. */
  failures: number
  /** Within which time the server said to come back; 0 = it never said. */
  comeBackMs: number
}

/**
 * Milliseconds to wait before coming back. The server's own spread comes first: what it said when it closed (4001), else
 * what it said in advance, in case it could not say more. Whoever is refused then waits longer each time.
 */
export function retryDelay(
  { code, reason, failures, comeBackMs }: LostConnection,
  random = Math.random,
): number {
  if (code === CLOSE_CODES.restarting) {
    const told = Number(/\d+/.exec(reason)?.[0] ?? FIRST_RETRY_MS * 4)
    return Math.min(told, LONGEST_RETRY_MS)
  }
  const grown = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS)
  const spread =
    failures === 1 ? random() * Math.max(comeBackMs, grown) : grown * (1 - SPREAD + random() * 2 * SPREAD)
  const refused =
    code === CLOSE_CODES.rate_limited || code === CLOSE_CODES.policy || code === CLOSE_CODES.too_large
  return refused ? spread + CALM_MS : spread
}
