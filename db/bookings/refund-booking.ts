// Decides how sold seats come back: tickets void, seats on sale again, money due, in one transaction.
import { and, eq, sql } from 'drizzle-orm'
import { inTransaction, type Tx } from '../client.ts'
import { BOOKING_MOVES, SEAT_MOVES } from '../lifecycle.ts'
import { stageOutbox, type OutboxMessage } from '../outbox.ts'
import { bookings, bookingSeats, payments, seats, tickets } from '../schema.ts'
import { settleAfterCommit, type Gate, type MovedSeat } from './gate.ts'
import { findBooking, type BookingRow } from './read-bookings.ts'
import {
  appendTimeline,
  findBookingOwner,
  integers,
  lockBooking,
  lockSeatsOf,
  type LockedBooking,
} from './rows.ts'

export interface RefundRequest {
  bookingId: string
  /** In the organiser's words; told on the timeline. */
  reason: string
  /** Seat numbers; without them every seat the booking still has. */
  seats?: number[] | undefined
}

export type RefundOutcome =
  | { ok: true; booking: BookingRow; amount: number }
  | { ok: false; refusal: 'not_found' | 'booking_not_pending' | 'request_invalid' }

/**
 * Refunds a CONFIRMED booking, whole or some seats of it. The ledger counts the money as refunded at once; the
 * provider is made to follow by the outbox. Refuses seats the booking does not have (`request_invalid`) and bookings
 * that are not CONFIRMED (`booking_not_pending`).
 */
export async function refundBooking(gate: Gate, request: RefundRequest): Promise<RefundOutcome> {
  const owner = await findBookingOwner(gate.db, request.bookingId)
  if (!owner) return { ok: false, refusal: 'not_found' }
  const moved: MovedSeat[] = []
  const outcome = await inTransaction(gate.db, (tx) => {
    moved.length = 0
    return refund(tx, owner.eventId, request, moved)
  })
  if (!outcome.ok) return outcome
  await settleAfterCommit(gate, moved)
  return { ...outcome, booking: (await findBooking(gate.db, request.bookingId))! }
}

type Refunded =
  { ok: true; amount: number } | { ok: false; refusal: 'booking_not_pending' | 'request_invalid' }

async function refund(
  tx: Tx,
  eventId: string,
  { bookingId, reason, seats: asked }: RefundRequest,
  moved: MovedSeat[],
): Promise<Refunded> {
  await lockSeatsOf(tx, eventId, bookingId)
  const booking = (await lockBooking(tx, eventId, bookingId))!
  if (booking.status !== BOOKING_MOVES.refund.from) return { ok: false, refusal: 'booking_not_pending' }
  const live = await tx
    .select({ n: bookingSeats.n, price: bookingSeats.price })
    .from(bookingSeats)
    .where(
      and(
        eq(bookingSeats.eventId, eventId),
        eq(bookingSeats.bookingId, bookingId),
        eq(bookingSeats.live, true),
      ),
    )
  const wanted = new Set(asked ?? live.map(({ n }) => n))
  const chosen = live.filter(({ n }) => wanted.has(n))
  if (chosen.length === 0 || chosen.length !== wanted.size) return { ok: false, refusal: 'request_invalid' }

  const numbers = chosen.map(({ n }) => n)
  const amount = chosen.reduce((sum, { price }) => sum + price, 0)
  const whole = chosen.length === live.length
  moved.push(...(await giveSeatsBack(tx, booking, numbers)))
  await tx
    .update(bookings)
    .set(
      whole
        ? { status: BOOKING_MOVES.refund.to, endedAt: sql`now()` }
        : { total: sql`${bookings.total} - ${amount}::bigint` },
    )
    .where(and(eq(bookings.eventId, eventId), eq(bookings.id, bookingId)))
  await owe(tx, booking, amount)
  await appendTimeline(tx, booking, whole ? 'booking_refunded' : 'seats_refunded', {
    seats: numbers,
    amount,
    reason,
  })
  await stageOutbox(tx, { kind: 'booking_refunded', payload: { eventId, bookingId, amount } })
  return { ok: true, amount }
}

async function giveSeatsBack(
  tx: Tx,
  { eventId, id }: LockedBooking,
  numbers: number[],
): Promise<MovedSeat[]> {
  const among = integers(numbers)
  const [freed] = await Promise.all([
    tx
      .update(seats)
      .set({ status: SEAT_MOVES.refund.to, bookingId: null, version: sql`${seats.version} + 1` })
      .where(
        and(
          eq(seats.eventId, eventId),
          sql`${seats.n} = any(${among})`,
          eq(seats.bookingId, id),
          eq(seats.status, SEAT_MOVES.refund.from),
        ),
      )
      .returning({ eventId: seats.eventId, n: seats.n, status: seats.status, version: seats.version }),
    tx
      .update(bookingSeats)
      .set({ live: false })
      .where(
        and(
          eq(bookingSeats.eventId, eventId),
          eq(bookingSeats.bookingId, id),
          sql`${bookingSeats.n} = any(${among})`,
        ),
      ),
    tx
      .update(tickets)
      .set({ status: 'REFUNDED' })
      .where(and(eq(tickets.eventId, eventId), eq(tickets.bookingId, id), sql`${tickets.n} = any(${among})`)),
  ])
  if (freed.length !== numbers.length) throw new Error('a booking and its seats disagree under lock')
  return freed
}

/** Spreads what is due over the booking's captured payments; one given back in full becomes REFUND_DUE. */
async function owe(tx: Tx, { eventId, id }: LockedBooking, amount: number): Promise<void> {
  const captured = await tx
    .select()
    .from(payments)
    .where(and(eq(payments.eventId, eventId), eq(payments.bookingId, id), eq(payments.status, 'CAPTURED')))
    .orderBy(payments.id)
    .for('no key update')
  const staged: OutboxMessage[] = []
  let due = amount
  for (const payment of captured) {
    const part = Math.min(due, payment.captured - payment.refunded)
    const refunded = payment.refunded + part
    if (part === 0 && payment.captured > 0) continue
    due -= part
    await tx
      .update(payments)
      .set({
        refunded,
        status: refunded === payment.captured ? 'REFUND_DUE' : 'CAPTURED',
        updatedAt: sql`now()`,
      })
      .where(and(eq(payments.eventId, eventId), eq(payments.id, payment.id)))
    staged.push({ kind: 'refund_payment', payload: { eventId, paymentId: payment.id } })
  }
  if (due > 0) throw new Error('a refund is larger than what was captured')
  await stageOutbox(tx, ...staged)
}
