// Holds captured money to its rules: in time it buys, late it buys back or goes back, and never twice.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { and, eq, sql } from 'drizzle-orm'
import { runAudit } from '../../db/audit.ts'
import { confirmBooking } from '../../db/bookings/confirm-booking.ts'
import { expireDueBookings } from '../../db/bookings/expire-bookings.ts'
import { findBooking } from '../../db/bookings/read-bookings.ts'
import { releaseBooking } from '../../db/bookings/release-booking.ts'
import { bookings, outbox, payments, seats, tickets } from '../../db/schema.ts'
import {
  aBuyer,
  aCapture,
  aHold,
  anEvent,
  openTestLedger,
  refusalOf,
  SEAT_PRICE,
  STORES_WITHIN_MS,
  type TestLedger,
} from '../support/a-ledger.ts'

let t: TestLedger
beforeAll(async () => {
  t = await openTestLedger()
}, STORES_WITHIN_MS)
afterAll(async () => {
  const lines = await runAudit(t)
  expect(lines.filter(({ ok }) => !ok)).toEqual([])
  await t.close()
}, STORES_WITHIN_MS)

const seatsOf = (eventId: string) =>
  t.db.select().from(seats).where(eq(seats.eventId, eventId)).orderBy(seats.n)
const messages = async (kind: string, bookingId: string) =>
  (await t.db.select().from(outbox).where(eq(outbox.kind, kind))).filter(
    ({ payload }) => payload['bookingId'] === bookingId,
  )
const confirm = (booking: { id: string; accountId: string; total: number }) =>
  confirmBooking(t.gate, { bookingId: booking.id, accountId: booking.accountId, payment: aCapture(booking) })
const makeOverdue = (id: string) =>
  t.db
    .update(bookings)
    .set({ expiresAt: sql`now() - interval '1 second'` })
    .where(eq(bookings.id, id))

describe('money in time', () => {
  test('makes the seats sold, the booking confirmed, a ticket a seat, one mail', async () => {
    const eventId = await anEvent(t.db)
    const booking = await aHold(t.gate, { eventId, seats: [2, 5] })
    const outcome = await confirm(booking)
    expect(outcome).toMatchObject({ ok: true, already: false })
    if (!outcome.ok) return
    expect(outcome.booking).toMatchObject({ status: 'CONFIRMED', total: 2 * SEAT_PRICE, endedAt: null })
    expect(outcome.booking.confirmedAt).toBeInstanceOf(Date)
    expect(outcome.booking.timeline.map(({ what }) => what)).toEqual(['seats_held', 'payment_captured'])
    const sold = (await seatsOf(eventId)).filter(({ status }) => status === 'SOLD')
    expect(sold.map(({ n, version }) => [n, version])).toEqual([
      [2, 2],
      [5, 2],
    ])
    const made = await t.db.select().from(tickets).where(eq(tickets.bookingId, booking.id))
    expect(made.map(({ n }) => n).toSorted()).toEqual([2, 5])
    for (const { code } of made) expect(Buffer.from(code, 'base64url')).toHaveLength(16)
    expect(await messages('booking_confirmed', booking.id)).toHaveLength(1)
    expect(await t.redis.get(`status:seat:{${eventId}}:2`)).toBe('SOLD:2')
  })

  test('told twice has one effect and the same answer', async () => {
    const booking = await aHold(t.gate, { eventId: await anEvent(t.db) })
    const first = await confirm(booking)
    const again = await confirm(booking)
    if (!first.ok || !again.ok) throw new Error('refused')
    expect([first.already, again.already]).toEqual([false, true])
    expect(again.booking).toEqual(first.booking)
    expect(await t.db.select().from(payments).where(eq(payments.bookingId, booking.id))).toHaveLength(1)
    expect(await messages('booking_confirmed', booking.id)).toHaveLength(1)
  })

  test('of another charge for a confirmed booking goes back in full', async () => {
    const booking = await aHold(t.gate, { eventId: await anEvent(t.db) })
    await confirm(booking)
    const second = { ...aCapture(booking), providerRef: 'another' }
    const outcome = await confirmBooking(t.gate, {
      bookingId: booking.id,
      accountId: booking.accountId,
      payment: second,
    })
    expect(outcome).toMatchObject({ ok: true, already: true })
    const rows = await t.db.select().from(payments).where(eq(payments.providerRef, 'another'))
    expect(rows[0]).toMatchObject({ status: 'REFUND_DUE', captured: booking.total, refunded: booking.total })
  })

  test('of another amount buys nothing and goes back', async () => {
    const booking = await aHold(t.gate, { eventId: await anEvent(t.db) })
    const payment = { ...aCapture(booking), amount: 1 }
    const outcome = await confirmBooking(t.gate, {
      bookingId: booking.id,
      accountId: booking.accountId,
      payment,
    })
    expect(outcome).toEqual({ ok: false, refusal: 'booking_not_pending', refunding: true })
    expect((await findBooking(t.db, booking.id))!.status).toBe('PENDING')
  })

  test("of a stranger, or for nobody's booking, is not_found and changes nothing", async () => {
    const booking = await aHold(t.gate, { eventId: await anEvent(t.db) })
    const payment = aCapture(booking)
    const stranger = await confirmBooking(t.gate, {
      bookingId: booking.id,
      accountId: await aBuyer(t.db),
      payment,
    })
    expect(stranger).toEqual({ ok: false, refusal: 'not_found', refunding: false })
    const nobody = { bookingId: Bun.randomUUIDv7(), accountId: booking.accountId, payment }
    expect(refusalOf(await confirmBooking(t.gate, nobody))).toBe('not_found')
    expect((await findBooking(t.db, booking.id))!.status).toBe('PENDING')
  })
})

describe('money after the expiry', () => {
  test('keeps the same seats when all are still free, whether the expiry was carried out or not', async () => {
    for (const swept of [true, false]) {
      const eventId = await anEvent(t.db)
      const booking = await aHold(t.gate, { eventId, seats: [0, 1] })
      await makeOverdue(booking.id)
      if (swept) expect(await expireDueBookings(t.gate)).toEqual({ expired: 1 })
      const outcome = await confirm(booking)
      if (!outcome.ok) throw new Error(outcome.refusal)
      expect(outcome.booking).toMatchObject({ status: 'CONFIRMED', endedAt: null })
      expect(outcome.booking.timeline.map(({ what }) => what)).toEqual([
        'seats_held',
        'booking_expired',
        'booking_revived',
        'payment_captured',
      ])
      const sold = (await seatsOf(eventId)).slice(0, 2)
      expect(sold.map(({ status, version }) => [status, version])).toEqual([
        ['SOLD', 3],
        ['SOLD', 3],
      ])
    }
  })

  test('is refunded in full when one seat is gone, and the timeline says so', async () => {
    const eventId = await anEvent(t.db)
    const booking = await aHold(t.gate, { eventId, seats: [0, 1] })
    await makeOverdue(booking.id)
    await expireDueBookings(t.gate)
    await aHold(t.gate, { eventId, seats: [1] })
    expect(await confirm(booking)).toEqual({ ok: false, refusal: 'booking_expired', refunding: true })
    const again = await confirm(booking)
    expect(again).toEqual({ ok: false, refusal: 'booking_expired', refunding: true })
    const row = (await findBooking(t.db, booking.id))!
    expect(row.status).toBe('EXPIRED')
    expect(row.timeline.map(({ what }) => what)).toEqual([
      'seats_held',
      'booking_expired',
      'payment_refund_due',
    ])
    const due = await t.db.select().from(outbox).where(eq(outbox.kind, 'refund_payment'))
    const [payment] = await t.db.select().from(payments).where(eq(payments.bookingId, booking.id))
    expect(due.filter(({ payload }) => payload['paymentId'] === payment!.id)).toHaveLength(1)
  })

  test('is refunded when the buyer would have more seats than a buyer may', async () => {
    const eventId = await anEvent(t.db, { maxSeatsPerBuyer: 2 })
    const booking = await aHold(t.gate, { eventId, seats: [0, 1] })
    await makeOverdue(booking.id)
    await aHold(t.gate, { eventId, accountId: booking.accountId, seats: [4] })
    expect(await confirm(booking)).toMatchObject({ refusal: 'booking_expired', refunding: true })
  })

  test('is refunded when the buyer had given the seats back', async () => {
    const eventId = await anEvent(t.db)
    const booking = await aHold(t.gate, { eventId })
    await releaseBooking(t.gate, { bookingId: booking.id, accountId: booking.accountId })
    expect(await confirm(booking)).toEqual({ ok: false, refusal: 'booking_not_pending', refunding: true })
    const free = await t.db
      .select()
      .from(seats)
      .where(and(eq(seats.eventId, eventId), eq(seats.n, 0)))
    expect(free[0]!.status).toBe('AVAILABLE')
  })
})
