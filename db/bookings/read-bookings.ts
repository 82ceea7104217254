// Owns how bookings are read: with their seats by name, and what happened to them.
import { and, desc, eq, getTableColumns, lt, sql, type SQL } from 'drizzle-orm'
import type { Reader } from '../client.ts'
import type { BookingStatus } from '../lifecycle.ts'
import { bookings, bookingSeats, bookingTimeline, events, seats, sections, tiers } from '../schema.ts'
import { ids, isId, seatLabelFields, sectionOfSeat, tierOfSeat, type SeatLabel } from './rows.ts'

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
  timeline: TimelineEntry[]
}

export interface BookingPage {
  items: BookingRow[]
  nextCursor: string | null
}

/** Null when nothing has this id, whatever it looks like. */
export async function findBooking(reader: Reader, bookingId: string): Promise<BookingRow | null> {
  if (!isId(bookingId)) return null
  const [booking] = await readBookings(reader, eq(bookings.id, bookingId), 1)
  return booking ?? null
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

const { seatCount: _counted, ...bookingFields } = getTableColumns(bookings)

async function readBookings(reader: Reader, filter: SQL | undefined, limit: number): Promise<BookingRow[]> {
  const found = await reader
    .select({ booking: bookingFields, eventName: events.name })
    .from(bookings)
    .innerJoin(events, eq(events.id, bookings.eventId))
    .where(filter)
    .orderBy(desc(bookings.id))
    .limit(limit)
  if (found.length === 0) return []
  const keys = pairs(found.map(({ booking }) => booking))
  const [seated, told] = await Promise.all([readSeats(reader, keys), readTimelines(reader, keys)])
  return found.map(({ booking, eventName }) => ({
    ...booking,
    eventName,
    seats: (seated.get(booking.id) ?? []).filter(({ live }) => live || booking.endedAt !== null),
    timeline: told.get(booking.id) ?? [],
  }))
}

const pairs = (list: { eventId: string; id: string }[]): SQL =>
  sql`(select * from unnest(${ids(list.map((b) => b.eventId))}, ${ids(list.map((b) => b.id))}))`

async function readSeats(reader: Reader, keys: SQL): Promise<Map<string, BookedSeat[]>> {
  const rows = await reader
    .select({
      bookingId: bookingSeats.bookingId,
      ...seatLabelFields,
      price: bookingSeats.price,
      live: bookingSeats.live,
    })
    .from(bookingSeats)
    .innerJoin(seats, and(eq(seats.eventId, bookingSeats.eventId), eq(seats.n, bookingSeats.n)))
    .innerJoin(sections, sectionOfSeat)
    .innerJoin(tiers, tierOfSeat)
    .where(sql`(${bookingSeats.eventId}, ${bookingSeats.bookingId}) in ${keys}`)
    .orderBy(bookingSeats.n)
  return grouped(rows)
}

async function readTimelines(reader: Reader, keys: SQL): Promise<Map<string, TimelineEntry[]>> {
  const rows = await reader
    .select({
      bookingId: bookingTimeline.bookingId,
      at: bookingTimeline.at,
      what: bookingTimeline.what,
      detail: bookingTimeline.detail,
    })
    .from(bookingTimeline)
    .where(sql`(${bookingTimeline.eventId}, ${bookingTimeline.bookingId}) in ${keys}`)
    .orderBy(bookingTimeline.id)
  return grouped(rows)
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
