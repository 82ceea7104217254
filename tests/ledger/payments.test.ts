// Holds the way of money to its rules: asked once, settled whatever is lost, given back when it must be.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { runAudit } from '../../db/audit.ts'
import { expireDueBookings } from '../../db/bookings/expire-bookings.ts'
import { findBooking } from '../../db/bookings/read-bookings.ts'
import { chargeSandbox, payBooking, settlePayment, startPayment } from '../../db/payments.ts'
import { bookings, payments, sandboxCharges } from '../../db/schema.ts'
import { seatStatusKey } from '../../db/seat-gate/keys.ts'
import {
  aBuyer,
  aHold,
  anEvent,
  openTestLedger,
  refusalOf,
  STORES_WITHIN_MS,
  type TestLedger,
} from '../support/a-ledger.ts'
import { listPaymentsOf, settleOpenPayments } from '../support/open-payments.ts'

let t: TestLedger
beforeAll(async () => {
  t = await openTestLedger()
}, STORES_WITHIN_MS)
afterAll(async () => {
  const lines = await runAudit(t)
  expect(lines.filter(({ ok }) => !ok)).toEqual([])
  await t.close()
}, STORES_WITHIN_MS)

const held = async () => aHold(t.gate, { eventId: await anEvent(t.db) })
const pay = (booking: { id: string; accountId: string }, method: string) =>
  payBooking(t.gate, { bookingId: booking.id, accountId: booking.accountId, method })
const statusOf = async (id: string) => (await findBooking(t.db, id))!.status
const age = (bookingId: string, seconds: number) =>
  t.db
    .update(payments)
    .set({
      createdAt: sql`now() - make_interval(secs => ${seconds})`,
      updatedAt: sql`now() - make_interval(secs => ${seconds})`,
    })
    .where(eq(payments.bookingId, bookingId))

describe('paying', () => {
  test('with sandbox_ok confirms, and again answers the same without a second charge', async () => {
    const booking = await held()
    expect(await pay(booking, 'sandbox_ok')).toMatchObject({ ok: true, paid: 'confirmed', already: false })
    expect(await pay(booking, 'sandbox_ok')).toMatchObject({ ok: true, paid: 'confirmed', already: true })
    expect(await listPaymentsOf(t.db, booking)).toHaveLength(1)
  })

  test('declined leaves the hold, and another method may be tried', async () => {
    const booking = await held()
    const { eventId } = booking
    expect(await pay(booking, 'sandbox_declined')).toEqual({
      ok: false,
      refusal: 'payment_declined',
      eventId,
    })
    expect(await statusOf(booking.id)).toBe('PENDING')
    expect(await pay(booking, 'sandbox_ok')).toMatchObject({ ok: true, paid: 'confirmed' })
    const tried = await listPaymentsOf(t.db, booking)
    expect(tried.map(({ status }) => status)).toEqual(['DECLINED', 'CAPTURED'])
  })

  test('twice at once charges once', async () => {
    const booking = await held()
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => pay(booking, 'sandbox_ok')))
    expect(outcomes.some((one) => one.ok && one.paid === 'confirmed')).toBe(true)
    for (const one of outcomes) if (!one.ok) expect(one.refusal).toBe('idempotency_in_progress')
    expect(await listPaymentsOf(t.db, booking)).toHaveLength(1)
  })

  test('slowly: the second click while the first is being asked is told so', async () => {
    const booking = await held()
    const first = pay(booking, 'sandbox_slow')
    while ((await listPaymentsOf(t.db, booking)).length === 0) await Bun.sleep(5)
    expect(refusalOf(await pay(booking, 'sandbox_slow'))).toBe('idempotency_in_progress')
    expect(await first).toMatchObject({ ok: true, paid: 'confirmed' })
  }, 30_000)

  test("a stranger's, an expired or a released booking is refused before money moves", async () => {
    const booking = await held()
    expect(refusalOf(await pay({ ...booking, accountId: await aBuyer(t.db) }, 'sandbox_ok'))).toBe(
      'not_found',
    )
    await t.db
      .update(bookings)
      .set({ expiresAt: sql`now() - interval '1 ms'` })
      .where(eq(bookings.id, booking.id))
    expect(refusalOf(await pay(booking, 'sandbox_ok'))).toBe('booking_expired')
    await expireDueBookings(t.gate)
    expect(refusalOf(await pay(booking, 'sandbox_ok'))).toBe('booking_expired')
    expect(await listPaymentsOf(t.db, booking)).toHaveLength(0)
  })
})

describe('an answer that was lost', () => {
  test('leaves the payment open, and the sweep confirms the booking', async () => {
    const booking = await held()
    expect(await pay(booking, 'sandbox_lost_webhook')).toMatchObject({ ok: true, paid: 'processing' })
    expect(await statusOf(booking.id)).toBe('PENDING')
    await age(booking.id, 2)
    await settleOpenPayments(t.gate)
    expect(await statusOf(booking.id)).toBe('CONFIRMED')
  })

  test('is asked for by the second click', async () => {
    const booking = await held()
    await pay(booking, 'sandbox_lost_webhook')
    expect(await pay(booking, 'sandbox_ok')).toMatchObject({ ok: true, paid: 'confirmed' })
    expect(await listPaymentsOf(t.db, booking)).toHaveLength(1)
  })

  test('of money that came too late for its seats is refunded by sweeps alone', async () => {
    const booking = await held()
    await pay(booking, 'sandbox_lost_webhook')
    await t.db
      .update(bookings)
      .set({ expiresAt: sql`now() - interval '1 ms'` })
      .where(eq(bookings.id, booking.id))
    await t.redis.del(seatStatusKey(booking.eventId, 0))
    await aHold(t.gate, { eventId: booking.eventId })
    await age(booking.id, 2)
    await settleOpenPayments(t.gate)
    await age(booking.id, 2)
    await settleOpenPayments(t.gate)
    const [payment] = await listPaymentsOf(t.db, booking)
    expect(payment).toMatchObject({ status: 'REFUNDED', refunded: booking.total })
    const [charge] = await t.db
      .select()
      .from(sandboxCharges)
      .where(eq(sandboxCharges.ref, payment!.providerRef))
    expect(charge!.refunded).toBe(booking.total)
  })

  test('to a charge that was never made frees the buyer to try again, and makes that charge impossible', async () => {
    const booking = await held()
    const started = await startPayment(t.gate, {
      bookingId: booking.id,
      accountId: booking.accountId,
      method: 'sandbox_ok',
    })
    if (!started.ok || started.payment === null) throw new Error('not started')
    const { payment } = started
    const ids = { eventId: booking.eventId, paymentId: payment.id }
    expect(await settlePayment(t.gate, ids)).toBe('waiting')
    await age(booking.id, 60)
    expect(await settlePayment(t.gate, ids)).toBe('declined')
    const late = { ref: payment.providerRef, amount: payment.amount, method: 'sandbox_ok' }
    expect(await chargeSandbox(t.db, late)).toBe('declined')
    expect(await pay(booking, 'sandbox_ok')).toMatchObject({ ok: true, paid: 'confirmed' })
  })
})
