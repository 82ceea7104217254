// Owns how many attempts to reserve an event's seats found them gone: counted in each process, added up in Redis.
import type { RedisClient } from '../../db/redis.ts'
import type { SaleAttempts } from '../protocol/http.ts'
import { SALE_KEY_SECONDS, saleAttemptsKey } from './keys.ts'

const FLUSH_EVERY_MS = 1_000
/** Events whose counts wait while Redis is away; a further one is not counted. */
const EVENTS_WAITING_MAX = 1_000

export type AttemptOutcome = 'held' | 'conflict' | 'error' | 'refused'
export type SaleTally = ReturnType<typeof createSaleTally>

/** One write a second and event, whatever the rush. A process that dies takes at most one second of counts with it. */
export function createSaleTally(redis: RedisClient) {
  const waiting = new Map<string, SaleAttempts>()

  async function flush(): Promise<void> {
    const told = [...waiting]
    waiting.clear()
    await Promise.all(
      told.map(async ([eventId, { total, conflicts, errors }]) => {
        const key = saleAttemptsKey(eventId)
        try {
          await Promise.all([
            redis.hincrby(key, 'total', total),
            ...(conflicts > 0 ? [redis.hincrby(key, 'conflicts', conflicts)] : []),
            ...(errors > 0 ? [redis.hincrby(key, 'errors', errors)] : []),
            redis.expire(key, SALE_KEY_SECONDS),
          ])
        } catch {
          // Redis is away: the figure misses a second. Adding it again later could count it twice.
        }
      }),
    )
  }

  const timer = setInterval(() => void flush(), FLUSH_EVERY_MS)

  return {
    attempted(eventId: string, outcome: AttemptOutcome): void {
      let counts = waiting.get(eventId)
      if (!counts) {
        if (waiting.size >= EVENTS_WAITING_MAX) return
        waiting.set(eventId, (counts = { total: 0, conflicts: 0, errors: 0 }))
      }
      counts.total += 1
      if (outcome === 'conflict') counts.conflicts += 1
      if (outcome === 'error') counts.errors += 1
    },

    /** Of all servers, up to a second ago; zeros while Redis is away. */
    async read(eventId: string): Promise<SaleAttempts> {
      const [total, conflicts, errors] = await redis
        .hmget(saleAttemptsKey(eventId), 'total', 'conflicts', 'errors')
        .catch(() => [null, null, null])
      return { total: Number(total ?? 0), conflicts: Number(conflicts ?? 0), errors: Number(errors ?? 0) }
    },

    async close(): Promise<void> {
      clearInterval(timer)
      await flush()
    },
  }
}
