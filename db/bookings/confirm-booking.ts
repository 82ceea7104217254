// Decides what captured money does: it buys the held seats, buys them back after an expiry, or is refunded in full.
import { and, eq, sql } from 'drizzle-orm'
import { createBatches, onePer } from '../batches.ts'
import { inTransaction, isStoreLost, type Tx } from '../client.ts'
import { BOOKING_MOVES, SEAT_MOVES } from '../lifecycle.ts'
import { stageOutbox } from '../outbox.ts'
import { stage, traceparent } from '../trace.ts'
import { bookings, bookingSeats, events, payments, seats, tickets } from '../schema.ts'
import { commitConfirmations, type Confirmation } from './commit-confirmations.ts'
import { freeSeats } from './free-seats.ts'
import { settleAfterCommit, type Gate, type MovedSeat } from './gate.ts'
import { findBooking, type BookingRow } from './read-bookings.ts'
import {
  appendTimeline,
  findBookingOwner,
  integers,
  isId,
  liveSeatsOfBuyer,
  lockBooking,
  lockBuyer,
  lockSeatsOf,
  type LockedBooking,
  type LockedSeat,
} from './rows.ts'
import { ticketCode } from './ticket-code.ts'

/** A charge the provider has captured. */
export interface CapturedPayment {
  provider: string
  /** The provider's own id of the charge: the same charge told twice has one effect. */
  providerRef: string
  method: string
  /** Minor units. */
  amount: number
  /** How many its booking has, when that is known. */
  seats?: number
}

export interface ConfirmRequest {
  bookingId: string
  accountId: string
  payment: CapturedPayment
  /** What the mail is to be seen as part of. */
  trace?: string | undefined
}

export type ConfirmOutcome =
  | { ok: true; booking: BookingRow; already: boolean }
  | {
      ok: false
      refusal: 'not_found' | 'booking_expired' | 'booking_not_pending'
      /** True when the money is known to the ledger and goes back in full. */
      refunding: boolean
    }

/**
 * Books captured money, once per charge however often it is told. PENDING and in time: CONFIRMED. Too late: CONFIRMED
 * when all the same seats are still to be had, else the money is due back. Confirming twice answers the same.
 */
export async function confirmBooking(gate: Gate, request: ConfirmRequest): Promise<ConfirmOutcome> {
  if (!isId(request.bookingId)) return { ok: false, refusal: 'not_found', refunding: false }
  const traced = { ...request, trace: traceparent() }
  const confirmation = await stage('confirm: commit', () => confirmTogether(gate)(traced))
  if (confirmation.kind === 'not_plain') return confirmAlone(gate, request)
  await stage('confirm: settle', () => settleAfterCommit(gate, confirmation.moved))
  return { ok: true, booking: confirmation.booking, already: false }
}

/** Statements of confirmations under way at once, and bookings in one. */
const CONFIRMS = {
  inFlightMax: 4,
  alongsideAfterMs: 25,
  weightMax: 64,
  waitingMax: 10_000,
  patienceMs: 4_000,
}
/** A batch that failed, or could not be waited for, is decided one by one: captured money is never turned away. */
const confirmTogether = onePer((gate: Gate) => {
  const confirm = createBatches<ConfirmRequest, Confirmation>({
    name: 'confirmations',
    run: (requests) => commitConfirmations(gate.db, requests),
    ...CONFIRMS,
  })
  return (request: ConfirmRequest): Promise<Confirmation> =>
    confirm(request).catch((fault: unknown) => {
      if (isStoreLost(fault)) throw fault
      return { kind: 'not_plain' }
    })
})

async function confirmAlone(gate: Gate, request: ConfirmRequest): Promise<ConfirmOutcome> {
  const { bookingId, accountId } = request
  const owner = await findBookingOwner(gate.db, bookingId)
  if (!owner || owner.accountId !== accountId) return { ok: false, refusal: 'not_found', refunding: false }
  const moved: MovedSeat[] = []
  const verdict = await inTransaction(gate.db, (tx) => {
    moved.length = 0
    return decide(tx, owner.eventId, request, moved)
  })
  await settleAfterCommit(gate, moved)
  if (verdict.kind === 'refunded') return { ok: false, refusal: verdict.refusal, refunding: true }
  return { ok: true, booking: (await findBooking(gate.db, bookingId))!, already: verdict.kind === 'already' }
}

type Verdict =
  { kind: 'confirmed' | 'already' } | { kind: 'refunded'; refusal: 'booking_expired' | 'booking_not_pending' }

async function decide(
  tx: Tx,
  eventId: string,
  request: ConfirmRequest,
  moved: MovedSeat[],
): Promise<Verdict> {
  const { bookingId, accountId, payment } = request
  await lockBuyer(tx, eventId, accountId)
  const rows = await lockSeatsOf(tx, eventId, bookingId)
  const booking = (await lockBooking(tx, eventId, bookingId))!
  const known = await bookedBefore(tx, eventId, payment)
  if (known) return known === 'kept' ? { kind: 'already' } : refundedAs(booking)

  const due = payment.amount === booking.total
  if (due && booking.status === 'PENDING' && !booking.overdue && rows.every(heldBy(bookingId))) {
    await buySeats(tx, booking, rows, payment, moved)
    return { kind: 'confirmed' }
  }
  if (due && (await revive(tx, booking, rows, payment, moved))) return { kind: 'confirmed' }
  await refundAll(tx, booking, payment)
  return booking.status === 'CONFIRMED' ? { kind: 'already' } : refundedAs(booking)
}

const heldBy = (bookingId: string) => (row: LockedSeat) =>
  row.status === SEAT_MOVES.confirm.from && row.bookingId === bookingId

const refundedAs = ({ status, overdue }: LockedBooking): Verdict => ({
  kind: 'refunded',
  refusal:
    status === 'EXPIRED' || (status === 'PENDING' && overdue) ? 'booking_expired' : 'booking_not_pending',
})

/** Whether this very charge is in the books already, and whether its money was kept. */
async function bookedBefore(
  tx: Tx,
  eventId: string,
  { provider, providerRef }: CapturedPayment,
): Promise<'kept' | 'refunded' | null> {
  const [row] = await tx
    .select({ status: payments.status })
    .from(payments)
    .where(
      and(
        eq(payments.eventId, eventId),
        eq(payments.provider, provider),
        eq(payments.providerRef, providerRef),
      ),
    )
  if (!row || row.status === 'PROCESSING' || row.status === 'DECLINED') return null
  return row.status === 'CAPTURED' ? 'kept' : 'refunded'
}

/** Late money keeps the same seats if every one of them can still be had, on an event and within a limit that allow it. */
async function revive(
  tx: Tx,
  booking: LockedBooking,
  rows: LockedSeat[],
  payment: CapturedPayment,
  moved: MovedSeat[],
): Promise<boolean> {
  const late = booking.status === 'EXPIRED' || (booking.status === 'PENDING' && booking.overdue)
  const toBeHad = (row: LockedSeat) => row.status === SEAT_MOVES.revive.from || heldBy(booking.id)(row)
  if (!late || !rows.every(toBeHad)) return false
  const [event] = await tx
    .select({
      open: sql<boolean>`${events.status} = 'PUBLISHED'`,
      max: events.maxSeatsPerBuyer,
      held: liveSeatsOfBuyer(booking.eventId, booking.accountId),
    })
    .from(events)
    .where(eq(events.id, booking.eventId))
  if (!event?.open || event.held + rows.length > event.max) return false

  const freed = booking.status === 'PENDING' ? (await freeSeats(tx, [booking], 'expire')).seats : []
  const versions = new Map(freed.map(({ n, version }) => [n, version]))
  await tx
    .update(bookingSeats)
    .set({ live: true })
    .where(and(eq(bookingSeats.eventId, booking.eventId), eq(bookingSeats.bookingId, booking.id)))
  await appendTimeline(tx, booking, 'booking_revived')
  const free = rows.map((row) => ({
    ...row,
    status: SEAT_MOVES.revive.from,
    version: versions.get(row.n) ?? row.version,
  }))
  await buySeats(tx, booking, free, payment, moved, 'revive')
  return true
}

/** Seats SOLD, booking CONFIRMED, tickets made, money booked, mail staged: all or, by throwing, nothing. */
async function buySeats(
  tx: Tx,
  booking: LockedBooking,
  rows: LockedSeat[],
  payment: CapturedPayment,
  moved: MovedSeat[],
  move: 'confirm' | 'revive' = 'confirm',
): Promise<void> {
  const { eventId, id: bookingId } = booking
  const [sold, confirmed] = await Promise.all([
    tx
      .update(seats)
      .set({ status: SEAT_MOVES[move].to, bookingId, version: sql`${seats.version} + 1` })
      .from(
        sql`unnest(${integers(rows.map((row) => row.n))}, ${integers(rows.map((row) => row.version))}) as fence (n, version)`,
      )
      .where(
        sql`${seats.eventId} = ${eventId} and ${seats.n} = fence.n and ${seats.version} = fence.version
          and ${seats.status} = ${SEAT_MOVES[move].from}`,
      )
      .returning({ n: seats.n, status: seats.status, version: seats.version }),
    tx
      .update(bookings)
      .set({ status: BOOKING_MOVES[move].to, confirmedAt: sql`now()`, endedAt: null })
      .where(
        and(
          eq(bookings.eventId, eventId),
          eq(bookings.id, bookingId),
          eq(bookings.status, BOOKING_MOVES[move].from),
        ),
      )
      .returning({ id: bookings.id }),
    bookPayment(tx, booking, payment, { status: 'CAPTURED', refunded: 0 }),
    tx
      .insert(tickets)
      .values(rows.map(({ n }) => ({ eventId, id: Bun.randomUUIDv7(), bookingId, n, code: ticketCode() }))),
    appendTimeline(tx, booking, 'payment_captured', { amount: payment.amount, method: payment.method }),
    stageOutbox(tx, { kind: 'booking_confirmed', payload: { eventId, bookingId } }),
  ])
  if (sold.length !== rows.length || confirmed.length !== 1)
    throw new Error('a booking and its seats disagree under lock')
  moved.push(...sold.map((seat) => ({ ...seat, eventId })))
}

/** Money that buys nothing: in the books, and due back in full. */
async function refundAll(tx: Tx, booking: LockedBooking, payment: CapturedPayment): Promise<void> {
  const { eventId } = booking
  const paymentId = await bookPayment(tx, booking, payment, {
    status: 'REFUND_DUE',
    refunded: payment.amount,
  })
  await appendTimeline(tx, booking, 'payment_refund_due', { amount: payment.amount })
  await stageOutbox(
    tx,
    { kind: 'refund_payment', payload: { eventId, paymentId } },
    { kind: 'booking_refunded', payload: { eventId, bookingId: booking.id, amount: payment.amount } },
  )
}

async function bookPayment(
  tx: Tx,
  { eventId, id: bookingId }: LockedBooking,
  { provider, providerRef, method, amount }: CapturedPayment,
  { status, refunded }: { status: 'CAPTURED' | 'REFUND_DUE'; refunded: number },
): Promise<string> {
  const booked = { status, amount, captured: amount, refunded, updatedAt: sql`now()` }
  const [row] = await tx
    .insert(payments)
    .values({ eventId, id: Bun.randomUUIDv7(), bookingId, provider, providerRef, method, ...booked })
    .onConflictDoUpdate({ target: [payments.eventId, payments.provider, payments.providerRef], set: booked })
    .returning({ id: payments.id })
  return row!.id
}
