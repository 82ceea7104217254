// Owns forgetting what the cache says of seats that are no more: another seat may get their n one day.
import type { RedisClient } from '../redis.ts'
import { seatStatusKey } from './keys.ts'

/** Keys of one command: it must not keep Redis from others. */
const FORGET_BATCH = 500

/** Throws when Redis does not answer; reconciling makes it good once the event is on sale. */
export async function forgetSeats(redis: RedisClient, eventId: string, seats: number[]): Promise<void> {
  for (let from = 0; from < seats.length; from += FORGET_BATCH)
    await redis.del(seats.slice(from, from + FORGET_BATCH).map((n) => seatStatusKey(eventId, n)))
}
