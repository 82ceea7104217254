// Decides what happens to a question Redis cannot answer: it is unknown, at once, and somebody else is asked.
import type { RedisClient } from '../db/redis.ts'

/** After a failure Redis is left alone this long, so that a frozen one delays one request and not all. */
const PAUSE_MS = 500
const pausedUntil = new WeakMap<RedisClient, number>()

/** The answer, or undefined when Redis did not give one. A write may have happened all the same. */
export async function tryRedis<T>(
  redis: RedisClient,
  ask: (redis: RedisClient) => Promise<T>,
): Promise<T | undefined> {
  if ((pausedUntil.get(redis) ?? 0) > Date.now()) return undefined
  try {
    return await ask(redis)
  } catch {
    pausedUntil.set(redis, Date.now() + PAUSE_MS)
    return undefined
  }
}
