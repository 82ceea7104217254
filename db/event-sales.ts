// Owns what an organiser reads of a sale: the counts, the money and the list of sold seats.
import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { Reader } from './client.ts'
import { BOOKING_STATUSES, SEAT_STATUSES, type BookingStatus, type SeatStatus } from './lifecycle.ts'
import { bookings, bookingSeats, payments, seats, sections, tiers } from './schema.ts'

export interface EventStats {
  seats: Record<SeatStatus, number>
  bookings: Record<BookingStatus, number>
  /** Captured less refunded, in minor units of the event's currency. */
  revenue: number
  /** Accounts that ever held a seat, and those of them that ever paid. */
  funnel: { held: number; paid: number }
}

/** Exact at the time of reading; meant for an organiser's page, not for every buyer's. */
export async function eventStats(reader: Reader, eventId: string): Promise<EventStats> {
  const [seatRows, bookingRows, revenue, [funnel]] = await Promise.all([
    reader
      .select({ status: seats.status, count: sql<number>`count(*)::int` })
      .from(seats)
      .where(eq(seats.eventId, eventId))
      .groupBy(seats.status),
    reader
      .select({ status: bookings.status, count: sql<number>`count(*)::int` })
      .from(bookings)
      .where(eq(bookings.eventId, eventId))
      .groupBy(bookings.status),
    eventRevenue(reader, eventId),
    reader
      .select({
        held: sql<number>`count(distinct ${bookings.accountId})::int`,
        paid: sql<number>`(count(distinct ${bookings.accountId}) filter (where ${bookings.confirmedAt} is not null))::int`,
      })
      .from(bookings)
      .where(eq(bookings.eventId, eventId)),
  ])
  return {
    seats: countsOf(SEAT_STATUSES, seatRows),
    bookings: countsOf(BOOKING_STATUSES, bookingRows),
    revenue,
    funnel: funnel ?? { held: 0, paid: 0 },
  }
}

/** Captured less refunded, in minor units of the event's currency. */
export async function eventRevenue(reader: Reader, eventId: string): Promise<number> {
  const [money] = await reader
    .select({ revenue: sql<string>`coalesce(sum(${payments.captured} - ${payments.refunded}), 0)` })
    .from(payments)
    .where(eq(payments.eventId, eventId))
  return Number(money?.revenue ?? 0)
}

function countsOf<S extends string>(statuses: readonly S[], rows: { status: S; count: number }[]) {
  const counts = Object.fromEntries(statuses.map((status) => [status, 0])) as Record<S, number>
  for (const row of rows) counts[row.status] = row.count
  return counts
}

export interface SoldSeat {
  n: number
  section: string
  row: string | null
  number: string | null
  tier: string
  /** What was paid: the price when the seat was held, in minor units. */
  price: number
  currency: string
  bookingId: string
  soldAt: Date
}

/** Sold seats in map order after `afterN`, for reading page by page while the sale goes on. */
export async function listSoldSeats(
  reader: Reader,
  query: { eventId: string; afterN: number; limit: number },
): Promise<SoldSeat[]> {
  const rows = await reader
    .select({
      n: seats.n,
      section: sections.name,
      row: seats.rowLabel,
      number: seats.seatLabel,
      tier: tiers.name,
      price: bookingSeats.price,
      currency: bookings.currency,
      bookingId: bookings.id,
      soldAt: bookings.confirmedAt,
    })
    .from(seats)
    .innerJoin(sections, and(eq(sections.eventId, seats.eventId), eq(sections.id, seats.sectionId)))
    .innerJoin(tiers, and(eq(tiers.eventId, seats.eventId), eq(tiers.id, seats.tierId)))
    .innerJoin(bookings, and(eq(bookings.eventId, seats.eventId), eq(bookings.id, seats.bookingId)))
    .innerJoin(
      bookingSeats,
      and(
        eq(bookingSeats.eventId, seats.eventId),
        eq(bookingSeats.bookingId, seats.bookingId),
        eq(bookingSeats.n, seats.n),
      ),
    )
    .where(and(eq(seats.eventId, query.eventId), eq(seats.status, 'SOLD'), gt(seats.n, query.afterN)))
    .orderBy(asc(seats.n))
    .limit(query.limit)
  // A sold seat's booking is confirmed by constraint of the moves; its time is therefore set.
  return rows.map((row) => ({ ...row, soldAt: row.soldAt ?? new Date(0) }))
}
