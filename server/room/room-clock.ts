// Owns what time it is in the line: Redis' own clock, so that servers whose clocks differ still agree.
import type { RedisClient } from '../../db/redis.ts'

export interface RoomClock {
  /** Milliseconds since 1970. */
  now(): number
}

const SYNC_EVERY_MS = 10_000
/** A question that took longer says too little about when it was answered. */
const ROUND_TRIP_MAX_MS = 200

/**
 * Follows Redis' clock. Between questions, and while Redis is away, it is carried on by this machine's steady clock, which
 * nobody who sets the machine's time can move.
 */
export function followRedisClock(redis: RedisClient): RoomClock & { stop(): void } {
  let ahead = Date.now() - performance.now()
  let told = false
  const sync = async () => {
    try {
      const asked = performance.now()
      const [seconds, micros] = (await redis.time()).map(Number)
      const roundTripMs = performance.now() - asked
      // This machine's own time may be anything: the first answer is better than it, however long it took.
      if (told && roundTripMs > ROUND_TRIP_MAX_MS) return
      told = true
      ahead = seconds! * 1_000 + micros! / 1_000 + roundTripMs / 2 - asked - roundTripMs
    } catch {
      // Redis is away; the last known difference still holds.
    }
  }
  redis.on('ready', sync)
  if (redis.status === 'ready') void sync()
  const timer = setInterval(sync, SYNC_EVERY_MS)
  return {
    now: () => Math.floor(performance.now() + ahead),
    stop() {
      clearInterval(timer)
      redis.off('ready', sync)
    },
  }
}
