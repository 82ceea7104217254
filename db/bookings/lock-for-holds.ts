// Owns what the long way of holds reads, under lock: events, buyers' seats so far, and the seats asked for.
//
// Every statement works on the whole set, so that a transaction of a hundred holds takes as many round trips as one.
// Seats are locked without waiting: whoever has one of them locked is moving it at this moment.
import { sql } from 'drizzle-orm'
import type { Tx } from '../client.ts'
import type { SeatStatus } from '../lifecycle.ts'
import { bookings, bookingSeats, events, seats, sections, tiers } from '../schema.ts'
import { listOf, statement } from '../statement.ts'
import type { Hold } from './hold.ts'
import { isOver } from './hold-clock.ts'
import { lockBuyers, type SeatLabel } from './rows.ts'

export interface SeatRow extends SeatLabel {
  eventId: string
  status: SeatStatus
  version: number
  bookingId: string | null
  price: number
  expiresAt: Date | null
}
export interface EventFacts {
  name: string
  onSale: boolean
  currency: string
  holdSeconds: number
  maxSeatsPerBooking: number
  maxSeatsPerBuyer: number
  seatCount: number
}
export interface Read {
  events: Map<string, EventFacts>
  /** Those that could be locked, by `seatKey`. */
  seats: Map<string, SeatRow>
  /** Live seats by `buyerKey`; grows as requests of this transaction get theirs. */
  held: Map<string, number>
}
export const seatKey = (eventId: string, n: number) => `${eventId}:${n}`
export const buyerKey = (eventId: string, accountId: string) => `${eventId}/${accountId}`

/** One round trip: statements of a transaction follow one another on its connection, each with its own snapshot. */
export async function lockAndRead(tx: Tx, holds: Hold[]): Promise<Read> {
  const buyers = distinct(holds, ({ eventId, accountId }) => buyerKey(eventId, accountId))
  const asked = distinct(
    holds.flatMap(({ eventId, seats: wanted }) => wanted.map((n) => ({ eventId, n }))),
    ({ eventId, n }) => seatKey(eventId, n),
  )
  const ofBuyers = {
    events: listOf(buyers.map((b) => b.eventId)),
    accounts: listOf(buyers.map((b) => b.accountId)),
  }
  const [, facts, counts, rows] = await Promise.all([
    lockBuyers(tx, buyers),
    readEvents(tx, { events: listOf([...new Set(holds.map(({ eventId }) => eventId))]) }),
    countHeld(tx, ofBuyers),
    lockSeats(tx, { events: listOf(asked.map((s) => s.eventId)), seats: listOf(asked.map((s) => s.n)) }),
  ])
  const dated = rows.map((row) => ({
    ...row,
    expiresAt: row.expiresAt === null ? null : new Date(row.expiresAt),
  }))
  return {
    events: new Map(facts.map(({ id, ...event }) => [id, event])),
    seats: new Map(dated.map((row) => [seatKey(row.eventId, row.n), row])),
    held: new Map(counts.map((row) => [buyerKey(row.eventId, row.accountId), row.held])),
  }
}

const readEvents = statement<'events', EventFacts & { id: string }>(
  (value) => sql`
    select id, name, status = 'PUBLISHED' and starts_at > now() and coalesce(on_sale_at <= now(), true) as "onSale",
      currency, hold_seconds as "holdSeconds", max_seats_per_booking as "maxSeatsPerBooking",
      max_seats_per_buyer as "maxSeatsPerBuyer", seat_count as "seatCount"
    from ${events} where id = any(${value('events')}::uuid[])`,
)

/** Subqueries a row, not a join: a table that was never analysed must not tempt the planner to read all of it. */
const countHeld = statement<'events' | 'accounts', { eventId: string; accountId: string; held: number }>(
  (value) => sql`
    select buyer.event_id as "eventId", buyer.account_id as "accountId", (
      select coalesce(sum((select count(*) filter (where bs.live) from ${bookingSeats} bs
        where bs.event_id = b.event_id and bs.booking_id = b.id)), 0)::int
      from ${bookings} b
      where b.event_id = buyer.event_id and b.account_id = buyer.account_id
        and b.status in ('PENDING', 'CONFIRMED')
        and (b.status = 'CONFIRMED' or not ${isOver(sql`b.expires_at`, sql`b.frozen_ms`)})) as held
    from unnest(${value('events')}::uuid[], ${value('accounts')}::uuid[]) as buyer (event_id, account_id)`,
)

const lockSeats = statement<'events' | 'seats', Omit<SeatRow, 'expiresAt'> & { expiresAt: string | null }>(
  (value) => sql`
    select seat.n, section.name as section, seat.row_label as row, seat.seat_label as number, tier.name as tier,
      seat.event_id as "eventId", seat.status, seat.version, seat.booking_id as "bookingId",
      tier.price::float8 as price, (select b.expires_at from ${bookings} b
        where b.event_id = seat.event_id and b.id = seat.booking_id) as "expiresAt"
    from unnest(${value('events')}::uuid[], ${value('seats')}::int[]) as asked (event_id, n)
    join ${seats} seat on seat.event_id = asked.event_id and seat.n = asked.n
    join ${sections} section on section.event_id = seat.event_id and section.id = seat.section_id
    join ${tiers} tier on tier.event_id = seat.event_id and tier.id = seat.tier_id
    order by seat.event_id, seat.n
    for no key update of seat skip locked`,
)

function distinct<T>(list: T[], keyOf: (item: T) => string): T[] {
  return [...new Map(list.map((item) => [keyOf(item), item])).values()]
}
