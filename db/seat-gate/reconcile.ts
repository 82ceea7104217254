// Decides what the cache has wrong, by comparing it with Postgres, and puts it right, announcing each difference.
//
// It heals what was lost between a commit and its announcement, a wiped Redis, and a cache that lies either way.
import { and, eq, sql } from 'drizzle-orm'
import { integers } from '../bookings/rows.ts'
import type { Db, Reader } from '../client.ts'
import type { RedisClient } from '../redis.ts'
import { bookings, events, seats } from '../schema.ts'
import { seatStatusKey } from './keys.ts'
import { settleSeats, type SettledSeat } from './seat-gate.ts'

/** Keys of one MGET. */
const READ_BATCH = 1_000
/** Above any n. */
const EVERY_SEAT = 2 ** 31 - 1

interface Stores {
  db: Db
  redis: RedisClient
}

/**
 * Seats nobody ever moved, looked at in one pass. The cache knows nothing of them unless somebody wrote into it from
 * outside, and in a large hall they are nearly all seats; so they take turns.
 */
export const UNMOVED_PER_PASS = 20_000

/**
 * Puts right what the cache has wrong of one event: of every seat that ever moved, and of the unmoved ones from
 * `unmovedFrom` on. Throws when a store does not answer. To be run every 2 s, each time from the last one's `next`.
 */
export async function reconcileSeats(
  stores: Stores,
  eventId: string,
  unmovedFrom = 0,
): Promise<{ repaired: number; next: number }> {
  const until = unmovedFrom + UNMOVED_PER_PASS
  const { repairs, seen } = await compare(stores, eventId, { from: unmovedFrom, until })
  await settleSeats(stores.redis, eventId, repairs)
  return { repaired: repairs.length, next: seen < until ? 0 : until }
}

/** Events whose seats can still be bought: the ones worth comparing. */
export async function listEventsToReconcile(reader: Reader): Promise<string[]> {
  const rows = await reader
    .select({ id: events.id })
    .from(events)
    .where(and(eq(events.status, 'PUBLISHED'), sql`${events.startsAt} > now()`))
  return rows.map(({ id }) => id)
}

/** What Postgres says of every seat whose cached value (`observed`, null = absent) is not what it should be. */
export async function findDifferences(stores: Stores, eventId: string): Promise<SettledSeat[]> {
  return (await compare(stores, eventId, { from: 0, until: EVERY_SEAT })).repairs
}

/** Unmoved seats with n in [from, until). */
interface UnmovedWindow {
  from: number
  until: number
}

/** `seen` is one more than the highest n in the window, or `from` when the window lies behind the last seat. */
async function compare(
  { db, redis }: Stores,
  eventId: string,
  window: UnmovedWindow,
): Promise<{ repairs: SettledSeat[]; seen: number }> {
  const expected = await readExpected(db, eventId, window)
  const suspects: { n: number; observed: string | null }[] = []
  let seen = window.from
  for (let at = 0; at < expected.length; at += READ_BATCH) {
    const batch = expected.slice(at, at + READ_BATCH)
    const cached = await redis.mget(batch.map(({ n }) => seatStatusKey(eventId, n)))
    for (const [i, seat] of batch.entries()) {
      if (seat.n < window.until) seen = Math.max(seen, seat.n + 1)
      if (differs(seat.value, cached[i]!)) suspects.push({ n: seat.n, observed: cached[i]! })
    }
  }
  // Read after the cache: an honest value there cannot be newer than what this finds.
  return { repairs: suspects.length === 0 ? [] : await findLies(db, eventId, suspects), seen }
}

interface Expected {
  n: number
  /** `<STATUS>:<version>`; '' for a hold that is overdue and about to end. */
  value: string
}

async function readExpected(
  reader: Reader,
  eventId: string,
  { from, until }: UnmovedWindow,
): Promise<Expected[]> {
  const [row] = await reader.execute<{ told: string | null }>(sql`
    select string_agg(
      ${seats.n} || '=' || case when b.expires_at <= now() and ${seats.status} = 'RESERVED' then ''
        else ${seats.status}::text || ':' || ${seats.version} end, ',') as told
    from ${seats}
    left join ${bookings} b on b.event_id = ${seats.eventId} and b.id = ${seats.bookingId}
    where ${seats.eventId} = ${eventId}
      and (${seats.version} > 0 or (${seats.n} >= ${from}::int and ${seats.n} < ${until}::int))`)
  return (row?.told?.split(',') ?? []).map((entry) => {
    const at = entry.indexOf('=')
    return { n: Number(entry.slice(0, at)), value: entry.slice(at + 1) }
  })
}

/** A seat never moved may well be unknown to the cache; any other is expected there. */
function differs(seat: string, cached: string | null): boolean {
  if (seat === '') return false
  if (cached === null) return !seat.endsWith(':0')
  return cached !== seat
}

async function findLies(
  reader: Reader,
  eventId: string,
  suspects: { n: number; observed: string | null }[],
): Promise<SettledSeat[]> {
  const rows = await reader
    .select({
      n: seats.n,
      status: seats.status,
      version: seats.version,
      expiresAt: bookings.expiresAt,
    })
    .from(seats)
    .leftJoin(bookings, and(eq(bookings.eventId, seats.eventId), eq(bookings.id, seats.bookingId)))
    .where(and(eq(seats.eventId, eventId), sql`${seats.n} = any(${integers(suspects.map(({ n }) => n))})`))
  const now = new Map(rows.map((row) => [row.n, row]))
  return suspects.flatMap(({ n, observed }) => {
    const row = now.get(n)
    if (!row || observed === `${row.status}:${row.version}`) return []
    const held = row.status === 'RESERVED' && row.expiresAt
    return [
      { n, status: row.status, version: row.version, observed, ...(held && { expiresAtMs: held.getTime() }) },
    ]
  })
}
