// Owns the minutes behind a running sale: a sample every few seconds, taken by one of the servers, kept for an hour.
import { eventRevenue } from '../../db/event-sales.ts'
import type { Ledger } from '../../db/client.ts'
import type { RedisClient } from '../../db/redis.ts'
import type { SaleSample } from '../protocol/http.ts'
import type { Room } from '../room/open-room.ts'
import type { Availability } from './availability.ts'
import { SALE_KEY_SECONDS, saleSampledKey, saleSamplesKey } from './keys.ts'
import type { SaleTally } from './sale-tally.ts'

export const SAMPLE_EVERY_SECONDS = 5
/** One hour. */
const SAMPLES_KEPT = 720
/** Shorter than from one sample to the next, so that the timers of two servers need not agree. */
const TURN_MS = SAMPLE_EVERY_SECONDS * 1_000 - 500
/** After the last attempt, or the last look at the desk, an event is sampled for so long. */
const FOLLOWED_MS = 10 * 60_000
const FOLLOWED_MAX = 100

interface Parts {
  ledger: Pick<Ledger, 'db'>
  redis: RedisClient
  availability: Pick<Availability, 'counts'>
  room: Pick<Room, 'view'>
  tally: Pick<SaleTally, 'read'>
}

export type SaleHistory = ReturnType<typeof createSaleHistory>

export function createSaleHistory(parts: Parts) {
  const { redis } = parts
  /** Event → when it was last heard of, in ms; the latest last. */
  const followed = new Map<string, number>()

  async function sampleAll(): Promise<void> {
    const oldest = Date.now() - FOLLOWED_MS
    for (const [eventId, at] of followed) {
      if (at < oldest) followed.delete(eventId)
      // A sample that fails is a gap in a curve.
      else await sample(eventId).catch(() => {})
    }
  }

  async function sample(eventId: string): Promise<void> {
    const mine = await redis.set(saleSampledKey(eventId), '1', 'PX', TURN_MS, 'NX')
    if (mine === null) return
    const key = saleSamplesKey(eventId)
    await redis.rpush(key, JSON.stringify(await takeSample(parts, eventId)))
    await Promise.all([redis.ltrim(key, -SAMPLES_KEPT, -1), redis.expire(key, SALE_KEY_SECONDS)])
  }

  const timer = setInterval(() => void sampleAll(), SAMPLE_EVERY_SECONDS * 1_000)

  return {
    /** Something happens at this event, or somebody looks at it: its curve goes on. */
    follow(eventId: string): void {
      followed.delete(eventId)
      if (followed.size < FOLLOWED_MAX) followed.set(eventId, Date.now())
    },
    /** The oldest first; empty while Redis is away. */
    async read(eventId: string): Promise<SaleSample[]> {
      const samples = await redis.lrange(saleSamplesKey(eventId), 0, -1).catch(() => [])
      return samples.map((text) => JSON.parse(text) as SaleSample)
    },
    close: () => clearInterval(timer),
  }
}

/** From memory and Redis, but for the money. */
async function takeSample(
  { ledger, availability, room, tally }: Parts,
  eventId: string,
): Promise<SaleSample> {
  const [[, reserved, sold], view, attempts, revenue] = await Promise.all([
    availability.counts(eventId),
    room.view(eventId).catch(() => null),
    tally.read(eventId),
    eventRevenue(ledger.db, eventId),
  ])
  return {
    at: new Date().toISOString(),
    waiting: view?.waiting ?? 0,
    active: view?.active ?? 0,
    admitted: view?.admitted ?? 0,
    reserved,
    sold,
    attempts: attempts.total,
    conflicts: attempts.conflicts,
    revenue,
  }
}
