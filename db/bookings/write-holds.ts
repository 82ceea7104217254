// Owns what the long way of holds writes, for many requests at once: bookings, their seats, and the answers they are told by.
import { sql } from 'drizzle-orm'
import type { Tx } from '../client.ts'
import { findAnswer, storeAnswers } from '../idempotency.ts'
import { BOOKING_MOVES, SEAT_MOVES, type SeatStatus } from '../lifecycle.ts'
import { bookings, bookingSeats, events, seats } from '../schema.ts'
import { listOf, statement } from '../statement.ts'
import { bookingOf, totalOf, type Committed, type Hold } from './hold.ts'
import { seatKey, type EventFacts, type SeatRow } from './lock-for-holds.ts'
import type { BookingRow } from './read-bookings.ts'

/** The key of a request had an answer already; the transaction must not stand. */
export class AnswerKept extends Error {
  constructor(readonly refusal: 'idempotency_in_progress' | 'idempotency_key_reused') {
    super('the key has an answer already')
  }
}

/** A request that gets its seats. */
export interface Win {
  hold: Hold
  event: EventFacts
  rows: SeatRow[]
}

/** All of it or, by throwing, nothing. */
export async function writeHolds(tx: Tx, wins: Win[]): Promise<Map<Hold, Committed>> {
  if (wins.length === 0) return new Map()
  const taken = wins.flatMap(({ hold, rows }) => rows.map((row) => ({ ...row, bookingId: hold.bookingId })))
  const ofTaken = {
    events: listOf(taken.map((s) => s.eventId)),
    bookings: listOf(taken.map((s) => s.bookingId)),
    seats: listOf(taken.map((s) => s.n)),
  }
  const [made, , moved] = await Promise.all([
    insertBookings(tx, {
      events: listOf(wins.map(({ hold }) => hold.eventId)),
      bookings: listOf(wins.map(({ hold }) => hold.bookingId)),
      accounts: listOf(wins.map(({ hold }) => hold.accountId)),
      counts: listOf(wins.map(({ rows }) => rows.length)),
      totals: listOf(wins.map(({ rows }) => totalOf(rows))),
    }),
    insertSeats(tx, { ...ofTaken, prices: listOf(taken.map((s) => s.price)) }),
    moveSeats(tx, { ...ofTaken, versions: listOf(taken.map((s) => s.version)) }),
  ])
  const bookedAt = new Map(made.map((row) => [row.id, row]))
  if (moved.length !== taken.length) throw new Error('seats and their versions disagree under lock')
  const versions = new Map(moved.map((seat) => [seatKey(seat.eventId, seat.n), seat]))
  const won = new Map(
    wins.map((each) => {
      const { createdAt, expiresAt } = bookedAt.get(each.hold.bookingId)!
      const booking = bookingOf(each, { createdAt: new Date(createdAt), expiresAt: new Date(expiresAt) })
      const expiresAtMs = booking.expiresAt.getTime()
      const known = each.hold.seats.map((n) => ({
        ...versions.get(seatKey(each.hold.eventId, n))!,
        expiresAtMs,
      }))
      return [each.hold, { outcome: { ok: true, booking } as const, known }]
    }),
  )
  await keepAnswers(
    tx,
    wins.map(({ hold }) => ({ hold, booking: won.get(hold)!.outcome.booking })),
  )
  return won
}

const insertBookings = statement<
  'events' | 'bookings' | 'accounts' | 'counts' | 'totals',
  { id: string; createdAt: string; expiresAt: string }
>(
  (value) => sql`
    insert into ${bookings} (event_id, id, account_id, status, seat_count, total, currency, expires_at)
    select made.event_id, made.id, made.account_id, ${sql.raw(`'${BOOKING_MOVES.confirm.from}'`)}::booking_status,
      made.seat_count, made.total, e.currency, now() + make_interval(secs => e.hold_seconds)
    from unnest(${value('events')}::uuid[], ${value('bookings')}::uuid[], ${value('accounts')}::uuid[],
      ${value('counts')}::int[], ${value('totals')}::bigint[]) as made (event_id, id, account_id, seat_count, total)
    join ${events} e on e.id = made.event_id
    returning id, created_at as "createdAt", expires_at as "expiresAt"`,
)

const insertSeats = statement<'events' | 'bookings' | 'seats' | 'prices', never>(
  (value) => sql`
    insert into ${bookingSeats} (event_id, booking_id, n, price)
    select * from unnest(${value('events')}::uuid[], ${value('bookings')}::uuid[], ${value('seats')}::int[],
      ${value('prices')}::bigint[])`,
)

const moveSeats = statement<
  'events' | 'bookings' | 'seats' | 'versions',
  { n: number; eventId: string; status: SeatStatus; version: number }
>(
  (value) => sql`
    update ${seats} seat
    set status = ${sql.raw(`'${SEAT_MOVES.hold.to}'`)}, booking_id = fence.booking_id, version = seat.version + 1
    from unnest(${value('events')}::uuid[], ${value('seats')}::int[], ${value('versions')}::int[],
      ${value('bookings')}::uuid[]) as fence (event_id, n, version, booking_id)
    where seat.event_id = fence.event_id and seat.n = fence.n and seat.version = fence.version
      and seat.status = ${sql.raw(`'${SEAT_MOVES.hold.from}'`)}
    returning seat.n, seat.event_id as "eventId", seat.status, seat.version`,
)

/** Answers belong to their moves: when one of them is another request's already, nothing may stand. */
export async function keepAnswers(tx: Tx, made: { hold: Hold; booking: BookingRow }[]): Promise<void> {
  const staged = made.flatMap(({ hold: { accountId, idempotency }, booking }) =>
    idempotency ? [{ accountId, ...idempotency, ...idempotency.answer(booking) }] : [],
  )
  if (staged.length === 0) return
  const kept = await storeAnswers(tx, staged)
  // A row was stored once; whoever finds it used up shares the key with an earlier request of this very batch.
  const lost = staged.find(({ accountId, key }) => !kept.delete(`${accountId}/${key}`))
  if (!lost) return
  const known = await findAnswer(tx, lost)
  const same = known !== null && Buffer.compare(known.requestHash, lost.requestHash) === 0
  throw new AnswerKept(same ? 'idempotency_in_progress' : 'idempotency_key_reused')
}
