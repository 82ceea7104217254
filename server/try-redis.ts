// Decides what happens to a question Redis cannot answer: it is unknown, at once, and somebody else is asked.
import type { RedisClient } from '../db/redis.ts'

/** After a failure Redis is left alone this long; then it is asked for a sign of life, and nobody waits for that. */
const PAUSE_MS = 500
const pausedUntil = new WeakMap<RedisClient, number>()

/** The answer, or undefined when Redis did not give one. A write may have happened all the same. */
export async function tryRedis<T>(
  redis: RedisClient,
  ask: (redis: RedisClient) => Promise<T>,
): Promise<T | undefined> {
  const until = pausedUntil.get(redis)
  if (until !== undefined) {
    if (until <= performance.now()) lookAgain(redis)
    return undefined
  }
  try {
    return await ask(redis)
  } catch {
    pausedUntil.set(redis, performance.now() + PAUSE_MS)
    return undefined
  }
}

function lookAgain(redis: RedisClient): void {
  pausedUntil.set(redis, performance.now() + PAUSE_MS)
  redis.ping().then(
    () => pausedUntil.delete(redis),
    () => {},
  )
}
