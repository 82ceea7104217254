// Owns the way of money: one charge under way a booking, asked for outside any transaction, settled whatever is lost.
import { and, asc, eq, sql } from 'drizzle-orm'
import { confirmBooking, type ConfirmOutcome } from './bookings/confirm-booking.ts'
import { scheduleSettling, type Gate } from './bookings/gate.ts'
import { findBooking, type BookingRow } from './bookings/read-bookings.ts'
import { createBatches, onePer } from './batches.ts'
import { appendTimeline, findBookingOwner, isId, lockBooking } from './bookings/rows.ts'
import { inTransaction, isStoreLost, type Db, type Reader } from './client.ts'
import { openCharges, type OpenedCharge, type Payment, type StartRequest } from './open-charges.ts'
import { payments } from './schema.ts'
import {
  chargeSandbox,
  findSandboxCharge,
  refundSandboxCharge,
  SANDBOX,
  voidSandboxCharge,
  type ChargeOutcome,
} from './sandbox.ts'
import { stage } from './trace.ts'

export { chargeSandbox } from './sandbox.ts'

export type { Payment } from './open-charges.ts'

/** A charge the provider has never heard of is given up after this: its request died on the way. */
const NEVER_ASKED_MS = 15_000
/** A buyer who presses again after this has the provider asked again: it was away, and no answer is coming. */
const ASK_AGAIN_MS = 5_000
/** Before asking the provider what became of a charge whose answer was lost. */
const SETTLE_AFTER_MS = 1_000

export type StartOutcome =
  /** `underWay`: not a new charge but one that was started before and has no outcome yet. */
  | { ok: true; payment: Payment | OpenedCharge; underWay: boolean }
  | { ok: true; payment: null; booking: BookingRow }
  | { ok: false; refusal: 'not_found' | 'booking_expired' | 'booking_not_pending' }

/** Opens a charge for a PENDING booking that is in time, before the provider is asked. */
export async function startPayment(gate: Gate, request: StartRequest): Promise<StartOutcome> {
  if (!isId(request.bookingId)) return { ok: false, refusal: 'not_found' }
  return (await startTogether(gate)(request)) ?? startAlone(gate, request)
}

/** Statements under way at once, and charges opened in one. */
const STARTS = {
  name: 'payments',
  inFlightMax: 4,
  alongsideAfterMs: 25,
  weightMax: 64,
  waitingMax: 10_000,
  patienceMs: 4_000,
}
const startTogether = onePer((gate: Gate) => {
  const start = createBatches<StartRequest, StartOutcome | null>({
    run: async (requests) =>
      (await openCharges(gate.db, requests)).map(
        (payment) => payment && { ok: true, payment, underWay: false },
      ),
    ...STARTS,
  })
  return (request: StartRequest) =>
    start(request).catch((fault: unknown) => {
      if (isStoreLost(fault)) throw fault
      return null
    })
})

async function startAlone(gate: Gate, { bookingId, accountId, method }: StartRequest): Promise<StartOutcome> {
  const owner = await findBookingOwner(gate.db, bookingId)
  if (!owner || owner.accountId !== accountId) return { ok: false, refusal: 'not_found' }
  const { eventId } = owner
  const started = await inTransaction(gate.db, async (tx) => {
    const booking = (await lockBooking(tx, eventId, bookingId))!
    if (booking.status === 'CONFIRMED') return { ok: true, payment: null } as const
    if (booking.status === 'EXPIRED' || (booking.status === 'PENDING' && booking.overdue))
      return { ok: false, refusal: 'booking_expired' } as const
    if (booking.status !== 'PENDING') return { ok: false, refusal: 'booking_not_pending' } as const
    const [open] = await tx
      .select()
      .from(payments)
      .where(
        and(
          eq(payments.eventId, eventId),
          eq(payments.bookingId, bookingId),
          eq(payments.status, 'PROCESSING'),
        ),
      )
    if (open) return { ok: true, payment: open, underWay: true } as const
    const id = Bun.randomUUIDv7()
    const row = { eventId, id, bookingId, provider: SANDBOX, providerRef: `sandbox_${id}`, method }
    const [payment] = await tx
      .insert(payments)
      .values({ ...row, status: 'PROCESSING', amount: booking.total })
      .returning()
    await appendTimeline(tx, booking, 'payment_started', { method })
    return { ok: true, payment: payment!, underWay: false } as const
  })
  if (started.ok && started.payment === null)
    return { ok: true, payment: null, booking: (await findBooking(gate.db, bookingId))! }
  return started
}

export type PayOutcome =
  | { ok: true; paid: 'confirmed'; booking: BookingRow; already: boolean }
  /** The provider has not said; the booking is confirmed, or the hold ends, without another request. */
  | { ok: true; paid: 'processing'; booking: BookingRow }
  | { ok: false; refusal: 'payment_declined'; eventId: string }
  | {
      ok: false
      refusal: 'not_found' | 'booking_expired' | 'booking_not_pending' | 'idempotency_in_progress'
    }

/** The whole of a buyer's confirm: opens a charge, asks the provider, and books what it says. */
export async function payBooking(
  gate: Gate,
  request: { bookingId: string; accountId: string; method: string },
): Promise<PayOutcome> {
  const started = await startPayment(gate, request)
  if (!started.ok) return started
  if (started.payment === null)
    return { ok: true, paid: 'confirmed', booking: started.booking, already: true }
  const { payment, underWay } = started
  const { eventId, id: paymentId, amount, method, providerRef: ref } = payment
  const charge = () =>
    stage('confirm: charge', () =>
      chargeSandbox(gate.db, { ref, amount, method, metadata: { eventId, paymentId } }),
    )
  let said = underWay ? await findSandboxCharge(gate.db, payment.providerRef) : await charge()
  // Its first request never got through. Asking again is asking for the same charge.
  if (said === null && Date.now() - payment.createdAt.getTime() > ASK_AGAIN_MS) said = await charge()
  if (said === null) return { ok: false, refusal: 'idempotency_in_progress' }
  if (said === 'unknown') {
    await scheduleSettling(gate, { ...payment, paymentId: payment.id, delayMs: SETTLE_AFTER_MS })
    return { ok: true, paid: 'processing', booking: (await findBooking(gate.db, request.bookingId))! }
  }
  const settled = await applyOutcome(gate, payment, request.accountId, said)
  if (settled === 'declined') return { ok: false, refusal: 'payment_declined', eventId }
  return settled.ok ? { ...settled, paid: 'confirmed' } : { ok: false, refusal: settled.refusal }
}

export type SettleOutcome = 'confirmed' | 'refunding' | 'declined' | 'waiting' | 'nothing_to_do'

/**
 * Asks the provider what became of an open charge and books it; safe to repeat. A charge the provider never heard of
 * is made impossible and given up after NEVER_ASKED_MS, so that the buyer may try again.
 */
export async function settlePayment(
  gate: Gate,
  { eventId, paymentId }: { eventId: string; paymentId: string },
): Promise<SettleOutcome> {
  const payment = await findPayment(gate.db, { eventId, paymentId })
  if (payment?.status !== 'PROCESSING') return 'nothing_to_do'
  let said = await findSandboxCharge(gate.db, payment.providerRef)
  if (said === null && Date.now() - payment.createdAt.getTime() < NEVER_ASKED_MS) return 'waiting'
  said ??= await voidSandboxCharge(gate.db, payment.providerRef)
  const owner = (await findBookingOwner(gate.db, payment.bookingId))!
  const settled = await applyOutcome(gate, payment, owner.accountId, said)
  if (settled === 'declined') return 'declined'
  if (settled.ok && settled.already) return 'nothing_to_do'
  return settled.ok ? 'confirmed' : 'refunding'
}

async function applyOutcome(
  gate: Gate,
  payment: Payment,
  accountId: string,
  said: ChargeOutcome,
): Promise<ConfirmOutcome | 'declined'> {
  if (said === 'captured') return confirmBooking(gate, { bookingId: payment.bookingId, accountId, payment })
  await inTransaction(gate.db, async (tx) => {
    const declined = await tx
      .update(payments)
      .set({ status: 'DECLINED', updatedAt: sql`now()` })
      .where(
        and(
          eq(payments.eventId, payment.eventId),
          eq(payments.id, payment.id),
          eq(payments.status, 'PROCESSING'),
        ),
      )
      .returning({ id: payments.id })
    if (declined.length > 0)
      await appendTimeline(tx, { eventId: payment.eventId, id: payment.bookingId }, 'payment_declined')
  })
  return 'declined'
}

/**
 * Has the provider give back what the ledger says is due, and notes it. Safe to repeat: the amount is the sum of all
 * refunds of the charge, never an addition.
 */
export async function refundPayment(
  gate: Gate,
  { eventId, paymentId }: { eventId: string; paymentId: string },
): Promise<void> {
  const payment = await findPayment(gate.db, { eventId, paymentId })
  if (!payment || payment.refunded === 0) return
  await refundSandboxCharge(gate.db, payment.providerRef, payment.refunded)
  await inTransaction(gate.db, async (tx) => {
    const done = await tx
      .update(payments)
      .set({ status: 'REFUNDED', updatedAt: sql`now()` })
      .where(
        and(eq(payments.eventId, eventId), eq(payments.id, paymentId), eq(payments.status, 'REFUND_DUE')),
      )
      .returning({ bookingId: payments.bookingId, refunded: payments.refunded })
    for (const { bookingId, refunded } of done)
      await appendTimeline(tx, { eventId, id: bookingId }, 'payment_refunded', { amount: refunded })
  })
}

/** Resolves when the provider answers; throws when it does not. */
export const probeProvider = (db: Db): Promise<unknown> => findSandboxCharge(db, 'a charge that nobody made')

/** Null when no payment has this id. */
export async function findPayment(
  reader: Reader,
  { eventId, paymentId }: { eventId: string; paymentId: string },
): Promise<Payment | null> {
  if (!isId(eventId) || !isId(paymentId)) return null
  const [row] = await reader
    .select()
    .from(payments)
    .where(and(eq(payments.eventId, eventId), eq(payments.id, paymentId)))
  return row ?? null
}

/** What a sweep settles or refunds: open for at least `olderThanMs`, longest first. */
export function listOpenPayments(
  reader: Reader,
  { limit, olderThanMs }: { limit: number; olderThanMs: number },
): Promise<Payment[]> {
  return reader
    .select()
    .from(payments)
    .where(
      and(
        // Constants, as the index has them: a plan made for any status could not use it.
        sql`${payments.status} in ('PROCESSING', 'REFUND_DUE')`,
        sql`${payments.updatedAt} < now() - make_interval(secs => ${olderThanMs / 1_000})`,
      ),
    )
    .orderBy(asc(payments.updatedAt))
    .limit(limit)
}
