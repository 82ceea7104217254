// Owns how bookings are read: with their seats by name, and what happened to them.
import { and, desc, eq, getTableColumns, is, lt, sql, type SQL } from 'drizzle-orm'
import { PgTransaction } from 'drizzle-orm/pg-core'
import { createBatches, onePer } from '../batches.ts'
import type { Db, Reader } from '../client.ts'
import type { BookingStatus } from '../lifecycle.ts'
import { bookings, events } from '../schema.ts'
import { frozenSince } from './hold-clock.ts'
import { heldAt } from './hold.ts'
import { ids, isId, keysOf, type SeatLabel } from './rows.ts'

export interface BookedSeat extends SeatLabel {
  /** Minor units, when it was held. */
  price: number
  /** False once the seat was given back or refunded. */
  live: boolean
}

export interface TimelineEntry {
  at: Date
  /** Past tense, snake_case. */
  what: string
  detail: Record<string, unknown> | null
}

export interface Booking {
  id: string
  eventId: string
  accountId: string
  status: BookingStatus
  /** In map order; of a live booking those still in it, of an ended one those it had. */
  seats: BookedSeat[]
  /** Minor units: the price of the seats that are in it. */
  total: number
  currency: string
  expiresAt: Date
  createdAt: Date
  confirmedAt: Date | null
  endedAt: Date | null
  /** When its buyer was given more time. */
  extendedAt: Date | null
}

export interface BookingRow extends Booking {
  eventName: string
  /** Of a hold whose clock stands, because for a reason of ours nobody can pay: since when. */
  frozenSince: Date | null
  timeline: TimelineEntry[]
}

export interface BookingPage {
  items: BookingRow[]
  nextCursor: string | null
}

/** Bookings asked for at the same moment are read together, outside transactions. */
const READS = {
  name: 'bookings',
  inFlightMax: 4,
  alongsideAfterMs: 25,
  weightMax: 100,
  waitingMax: 20_000,
  patienceMs: 5_000,
}
const readOne = onePer((db: Db) =>
  createBatches<string, BookingRow | null>({ ...READS, run: (wanted) => readTogether(db, wanted) }),
)

/** Null when nothing has this id, whatever it looks like. */
export async function findBooking(reader: Reader, bookingId: string): Promise<BookingRow | null> {
  if (!isId(bookingId)) return null
  if (!is(reader, PgTransaction)) return readOne(reader as Db)(bookingId)
  const [booking] = await readTogether(reader, [bookingId])
  return booking ?? null
}

/** In the order of the ids; null for those that nothing has. */
export async function readTogether(reader: Reader, wanted: string[]): Promise<(BookingRow | null)[]> {
  const found = await readBookings(reader, sql`${bookings.id} = any(${ids(wanted)})`, wanted.length)
  const byId = new Map(found.map((booking) => [booking.id, booking]))
  return wanted.map((id) => byId.get(id.toLowerCase()) ?? null)
}

/** Newest first. `cursor` is the id of the last booking of the page before. */
export function listBookingsOf(
  reader: Reader,
  { accountId, limit, cursor }: { accountId: string; limit: number; cursor?: string | null | undefined },
): Promise<BookingPage> {
  return listPage(reader, eq(bookings.accountId, accountId), limit, cursor)
}

/** Newest first, of one event, or of every event an organiser owns, or all. */
export function listBookings(
  reader: Reader,
  query: {
    eventId?: string | undefined
    ownerId?: string | undefined
    limit: number
    cursor?: string | null | undefined
  },
): Promise<BookingPage> {
  if (query.eventId !== undefined && !isId(query.eventId))
    return Promise.resolve({ items: [], nextCursor: null })
  const filter = and(
    query.eventId === undefined ? undefined : eq(bookings.eventId, query.eventId),
    query.ownerId === undefined ? undefined : eq(events.ownerId, query.ownerId),
  )
  return listPage(reader, filter, query.limit, query.cursor)
}

async function listPage(
  reader: Reader,
  filter: SQL | undefined,
  limit: number,
  cursor: string | null | undefined,
): Promise<BookingPage> {
  const after = cursor && isId(cursor) ? lt(bookings.id, cursor) : undefined
  const rows = await readBookings(reader, and(filter, after), limit + 1)
  const items = rows.slice(0, limit)
  return { items, nextCursor: rows.length > limit ? items.at(-1)!.id : null }
}

const { seatCount: _counted, frozenMs: _given, ...bookingFields } = getTableColumns(bookings)
/** A scalar of one row: it costs nothing beside the booking. */
const frozenField =
  sql<Date | null>`case when ${bookings.status} = 'PENDING' then ${frozenSince} end`.mapWith(
    (text: string) => new Date(text),
  )

async function readBookings(reader: Reader, filter: SQL | undefined, limit: number): Promise<BookingRow[]> {
  const found = await reader
    .select({ booking: bookingFields, eventName: events.name, frozenSince: frozenField })
    .from(bookings)
    .innerJoin(events, eq(events.id, bookings.eventId))
    .where(filter)
    .orderBy(desc(bookings.id))
    .limit(limit)
  if (found.length === 0) return []
  const keys = found.map(({ booking }) => booking)
  const [seated, told] = await Promise.all([readSeats(reader, keys), readTimelines(reader, keys)])
  return found.map(({ booking, eventName, frozenSince: since }) => ({
    ...booking,
    eventName,
    frozenSince: since,
    seats: (seated.get(booking.id) ?? []).filter(({ live }) => live || booking.endedAt !== null),
    timeline: [
      heldAt(
        booking.createdAt,
        (seated.get(booking.id) ?? []).map(({ n }) => n),
      ),
      ...(told.get(booking.id) ?? []),
    ],
  }))
}

type Keys = { eventId: string; id: string }[]

async function readSeats(reader: Reader, keys: Keys): Promise<Map<string, BookedSeat[]>> {
  const rows = await reader.execute<{ [K in keyof BookedSeat]: BookedSeat[K] } & { bookingId: string }>(sql`
    select key.id as "bookingId", seat.n, section.name as section, seat.row, seat.number, tier.name as tier,
      booked.price::float8 as price, booked.live
    from ${keysOf(keys)}
    cross join lateral (
      select n, price, live from booking_seats where event_id = key.event_id and booking_id = key.id offset 0) as booked
    cross join lateral (
      select n, row_label as row, seat_label as number, section_id, tier_id from seats
      where event_id = key.event_id and n = booked.n offset 0) as seat
    join sections section on section.event_id = key.event_id and section.id = seat.section_id
    join tiers tier on tier.event_id = key.event_id and tier.id = seat.tier_id
    order by seat.n`)
  return grouped(rows)
}

async function readTimelines(reader: Reader, keys: Keys): Promise<Map<string, TimelineEntry[]>> {
  const rows = await reader.execute<{
    bookingId: string
    at: string
    what: string
    detail: Record<string, unknown> | null
  }>(sql`
    select key.id as "bookingId", told.at, told.what, told.detail
    from ${keysOf(keys)} cross join lateral (
      select id, at, what, detail from booking_timeline
      where event_id = key.event_id and booking_id = key.id offset 0) as told
    order by told.id`)
  return grouped(rows.map(({ at, ...row }) => ({ ...row, at: new Date(at) })))
}

function grouped<T extends { bookingId: string }>(rows: T[]): Map<string, Omit<T, 'bookingId'>[]> {
  const groups = new Map<string, Omit<T, 'bookingId'>[]>()
  for (const { bookingId, ...row } of rows) {
    const group = groups.get(bookingId)
    if (group) group.push(row)
    else groups.set(bookingId, [row])
  }
  return groups
}
