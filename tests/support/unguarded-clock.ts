// Owns the twin a race test needs: a clock that reads, decides and writes in three steps, as one without a script would.
import type { RedisClient } from '../../db/redis.ts'
import { roomKeys } from '../../server/room/keys.ts'

const [META, ENTRANTS] = [0, 2] as const

/** Calls as many as `activeMax` leaves free, by reading first and writing after. Answers how many it called. */
export async function callUnguarded(redis: RedisClient, eventId: string, activeMax: number): Promise<number> {
  const keys = roomKeys(eventId)
  const meta = await redis.hgetall(keys[META]!)
  const waiting = (await redis.hlen(keys[ENTRANTS]!)) - Number(meta.serving)
  const free = activeMax - Number(meta.outstanding ?? 0)
  const count = Math.min(free, waiting)
  if (count <= 0) return 0
  await redis.hincrby(keys[META]!, 'serving', count)
  await redis.hincrby(keys[META]!, 'outstanding', count)
  return count
}
