// Decides whether Redis is asked at all: after one question it did not answer in time, nobody waits for it until it answers.
//
// One breaker for all that a process asks through one connection: whoever finds out says so for everybody who waits, so
// that an outage costs a request one patience and not one for each question on its way.
import type { RedisClient } from './redis.ts'

/** An answer that takes longer is not worth waiting for: Postgres has it too. */
export const REDIS_PATIENCE_MS = 500
const LAST_WORD_MS = 20
/** Once it failed, Redis is asked for a sign of life so often, and nobody waits for that. */
export const REDIS_LOOK_EVERY_MS = 500

interface Breaker {
  /** Until then Redis is not even asked for a sign of life; null while all is well. */
  restsUntil: number | null
  /** Who waits for an answer. */
  waiting: Set<(fault: Error) => void>
}
const breakers = new WeakMap<RedisClient, Breaker>()

interface AskOptions {
  /** Told why there is no answer, but for those who were not even asked for one. */
  onFault?: (fault: unknown) => void
  /** False for work of several questions, or that asks elsewhere too: its length and its failure say nothing of Redis. */
  tells?: boolean
}

/** The answer, or undefined when Redis gave none: it is away, rests, or failed. A write may have happened all the same. */
export async function askRedis<T>(
  redis: RedisClient,
  ask: (redis: RedisClient) => Promise<T>,
  { onFault, tells = true }: AskOptions = {},
): Promise<T | undefined> {
  const breaker = breakerOf(redis)
  if (redis.status !== 'ready') return undefined
  if (breaker.restsUntil !== null) {
    if (breaker.restsUntil <= performance.now()) lookAgain(redis, breaker)
    return undefined
  }
  const { promise: tripped, reject } = Promise.withResolvers<never>()
  let timer: ReturnType<typeof setTimeout> | undefined
  // After a long pause of this very process timers come before answers that are there already: those have the last word.
  timer = setTimeout(() => {
    timer = setTimeout(() => reject(new Error('Redis did not answer in time')), LAST_WORD_MS)
  }, REDIS_PATIENCE_MS)
  breaker.waiting.add(reject)
  try {
    return await Promise.race([ask(redis), tripped])
  } catch (fault) {
    breaker.waiting.delete(reject)
    if (tells) trip(breaker)
    onFault?.(fault)
    return undefined
  } finally {
    breaker.waiting.delete(reject)
    clearTimeout(timer)
  }
}

function breakerOf(redis: RedisClient): Breaker {
  const known = breakers.get(redis)
  if (known) return known
  const breaker: Breaker = { restsUntil: null, waiting: new Set() }
  breakers.set(redis, breaker)
  return breaker
}

function trip(breaker: Breaker): void {
  breaker.restsUntil ??= performance.now() + REDIS_LOOK_EVERY_MS
  for (const release of breaker.waiting) release(new Error('Redis did not answer somebody else'))
  breaker.waiting.clear()
}

function lookAgain(redis: RedisClient, breaker: Breaker): void {
  breaker.restsUntil = performance.now() + REDIS_LOOK_EVERY_MS
  redis.ping().then(
    () => (breaker.restsUntil = null),
    () => {},
  )
}
