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

interface Stores {
  db: Db
  redis: RedisClient
}

/** Puts right what the cache has wrong of one event. Throws when a store does not answer. To be run every 2 s. */
export async function reconcileSeats(stores: Stores, eventId: string): Promise<{ repaired: number }> {
  const repairs = await findDifferences(stores, eventId)
  await settleSeats(stores.redis, eventId, repairs)
  return { repaired: repairs.length }
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
export async function findDifferences({ db, redis }: Stores, eventId: string): Promise<SettledSeat[]> {
  const expected = await readExpected(db, eventId)
  const suspects: { n: number; observed: string | null }[] = []
  for (let from = 0; from < expected.length; from += READ_BATCH) {
    const batch = expected.slice(from, from + READ_BATCH)
    const cached = await redis.mget(batch.map((_, i) => seatStatusKey(eventId, from + i)))
    for (const [i, seat] of batch.entries())
      if (differs(seat, cached[i]!)) suspects.push({ n: from + i, observed: cached[i]! })
  }
  if (suspects.length === 0) return []
  // Read after the cache: an honest value there cannot be newer than what this finds.
  return findLies(db, eventId, suspects)
}

/** By n: `<STATUS>:<version>`; null where a number is missing, '' for a hold that is overdue and about to end. */
async function readExpected(reader: Reader, eventId: string): Promise<(string | null)[]> {
  const [row] = await reader.execute<{ told: string | null }>(sql`
    select string_agg(
      ${seats.n} || '=' || case when b.expires_at <= now() and ${seats.status} = 'RESERVED' then ''
        else ${seats.status}::text || ':' || ${seats.version} end, ',') as told
    from ${seats}
    left join ${bookings} b on b.event_id = ${seats.eventId} and b.id = ${seats.bookingId}
    where ${seats.eventId} = ${eventId}`)
  const expected: (string | null)[] = []
  for (const entry of row?.told?.split(',') ?? []) {
    const at = entry.indexOf('=')
    expected[Number(entry.slice(0, at))] = entry.slice(at + 1)
  }
  return Array.from(expected, (value) => value ?? null)
}

/** A seat never moved may well be unknown to the cache; any other is expected there. */
function differs(seat: string | null, cached: string | null): boolean {
  if (seat === null || seat === '') return false
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
