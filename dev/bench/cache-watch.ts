// Owns a look each second at what the cache says of every seat of an event, and for how long it was wrong of one.
import type { Db } from '../../db/client.ts'
import type { RedisClient } from '../../db/redis.ts'
import { findDifferences } from '../../db/seat-gate/reconcile.ts'

const LOOK_EVERY_MS = 1_000

export interface CacheWatch {
  /** Ends the watch: the longest that one seat differed while Redis answered, and how many differed at the last look. */
  stop(): { longestS: number; looks: number; left: number }
}

/** A key that is not there counts too, of a seat that was ever moved; while Redis is away nothing counts. */
export function watchCache(stores: { db: Db; redis: RedisClient }, eventId: string): CacheWatch {
  let since = new Map<number, number>()
  let [longestS, looks] = [0, 0]
  let looking = false

  async function look(): Promise<void> {
    if (looking) return
    looking = true
    try {
      const wrong = await findDifferences(stores, eventId)
      const now = performance.now()
      since = new Map(wrong.map(({ n }) => [n, since.get(n) ?? now]))
      for (const began of since.values()) longestS = Math.max(longestS, (now - began) / 1_000)
      looks += 1
    } catch {
      // Nothing can be said of a cache that does not answer.
      since = new Map()
    } finally {
      looking = false
    }
  }
  const timer = setInterval(() => void look(), LOOK_EVERY_MS)
  return {
    stop() {
      clearInterval(timer)
      return { longestS, looks, left: since.size }
    },
  }
}
