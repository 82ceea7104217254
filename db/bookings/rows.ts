// Owns how moves lock, read and mark the rows of a booking, in the one order that cannot deadlock:
// the buyer's advisory lock, then seats by n, then bookings.
import { and, eq, sql, type SQL } from 'drizzle-orm'
import type { Reader, Tx } from '../client.ts'
import type { BookingStatus, SeatStatus } from '../lifecycle.ts'
import { bookings, bookingSeats, bookingTimeline, seats, sections, tiers } from '../schema.ts'
import { listOf, statement } from '../statement.ts'
import { isOver } from './hold-clock.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** A malformed id, or one in another spelling than was given out, is no fault: nothing has it. */
export const isId = (id: string) => UUID.test(id)

/** One parameter, whatever its length, so that a statement keeps its text and its plan. */
export const integers = (list: number[]): SQL => sql`${`{${list.join(',')}}`}::int[]`
export const ids = (list: string[]): SQL => sql`${`{${list.join(',')}}`}::uuid[]`

/** As JSON, since a text may hold whatever an array literal gives a meaning to. */
export const texts = (list: string[]): SQL =>
  sql`array(select jsonb_array_elements_text(${JSON.stringify(list)}::text::jsonb))`

/**
 * A key set as the outer side of a lateral join: `offset 0` in the inner side keeps the planner from turning the join
 * around. Tables that fill in the sale's first minute were never analysed, and turned around it reads all of an event.
 */
export const keysOf = (list: { eventId: string; id: string }[]): SQL =>
  sql`unnest(${ids(list.map((b) => b.eventId))}, ${ids(list.map((b) => b.id))}) as key (event_id, id)`

/** One move at a time of one buyer in one event: what a limit over many rows needs. */
export function lockBuyer(tx: Tx, eventId: string, accountId: string) {
  return tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`${eventId}/${accountId}`}, 0))`)
}

const lockAll = statement<'events' | 'accounts', never>(
  (value) => sql`
    select pg_advisory_xact_lock(buyer.key) from (
      select distinct hashtextextended(event_id || '/' || account_id, 0) as key
      from unnest(${value('events')}::uuid[], ${value('accounts')}::uuid[]) as buyer (event_id, account_id)
      order by key) as buyer`,
)

/** The same for many buyers, in an order that two transactions cannot take crosswise. */
export function lockBuyers(tx: Tx, buyers: { eventId: string; accountId: string }[]) {
  return lockAll(tx, {
    events: listOf(buyers.map((b) => b.eventId)),
    accounts: listOf(buyers.map((b) => b.accountId)),
  })
}

export interface LockedSeat {
  n: number
  status: SeatStatus
  version: number
  bookingId: string | null
}

/** Locks the seats a booking lists that are still its own or free to come back to it. */
export function lockSeatsOf(tx: Tx, eventId: string, bookingId: string): Promise<LockedSeat[]> {
  return tx
    .select({ n: seats.n, status: seats.status, version: seats.version, bookingId: seats.bookingId })
    .from(bookingSeats)
    .innerJoin(seats, and(eq(seats.eventId, bookingSeats.eventId), eq(seats.n, bookingSeats.n)))
    .where(and(eq(bookingSeats.eventId, eventId), eq(bookingSeats.bookingId, bookingId)))
    .orderBy(seats.n)
    .for('no key update', { of: seats })
}

export interface LockedBooking {
  eventId: string
  id: string
  accountId: string
  status: BookingStatus
  total: number
  currency: string
  expiresAt: Date
  extendedAt: Date | null
  /** By the clock of holds, at the start of the transaction. */
  overdue: boolean
}

const bookingFields = {
  eventId: bookings.eventId,
  id: bookings.id,
  accountId: bookings.accountId,
  status: bookings.status,
  total: bookings.total,
  currency: bookings.currency,
  expiresAt: bookings.expiresAt,
  extendedAt: bookings.extendedAt,
  overdue: isOver(),
}

export async function lockBooking(tx: Tx, eventId: string, bookingId: string): Promise<LockedBooking | null> {
  const [row] = await tx
    .select(bookingFields)
    .from(bookings)
    .where(and(eq(bookings.eventId, eventId), eq(bookings.id, bookingId)))
    .for('no key update')
  return row ?? null
}

/** Whose a booking is and of which event: enough to take the locks in order. */
export async function findBookingOwner(
  reader: Reader,
  bookingId: string,
): Promise<{ eventId: string; accountId: string } | null> {
  if (!isId(bookingId)) return null
  const [row] = await reader
    .select({ eventId: bookings.eventId, accountId: bookings.accountId })
    .from(bookings)
    .where(eq(bookings.id, bookingId))
  return row ?? null
}

/** Adds a line of what happened, in the transaction that made it true. */
export async function appendTimeline(
  tx: Tx,
  booking: { eventId: string; id: string },
  what: string,
  detail?: Record<string, unknown>,
): Promise<void> {
  await tx.insert(bookingTimeline).values({ eventId: booking.eventId, bookingId: booking.id, what, detail })
}

export interface SeatLabel {
  n: number
  section: string
  /** Null for general admission, like `number`. */
  row: string | null
  number: string | null
  tier: string
}

/** How a seat is called; to be joined with its section and tier. */
export const seatLabelFields = {
  n: seats.n,
  section: sections.name,
  row: seats.rowLabel,
  number: seats.seatLabel,
  tier: tiers.name,
}
export const sectionOfSeat = and(eq(sections.eventId, seats.eventId), eq(sections.id, seats.sectionId))
export const tierOfSeat = and(eq(tiers.eventId, seats.eventId), eq(tiers.id, seats.tierId))

/** Live seats an account has in an event; a hold that is overdue no longer counts. */
export const liveSeatsOfBuyer = (eventId: string, accountId: string): SQL<number> => sql<number>`(
  select count(*)::int from booking_seats bs
  join bookings b on b.event_id = bs.event_id and b.id = bs.booking_id
  where b.event_id = ${eventId} and b.account_id = ${accountId} and bs.live
    and (b.status = 'CONFIRMED' or (b.status = 'PENDING' and not ${isOver(sql`b.expires_at`, sql`b.frozen_ms`)})))`
