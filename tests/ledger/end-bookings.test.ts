// Holds release, expiry, refund and cancellation to their rules: seats come back once, and money adds up.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { and, eq, sql } from 'drizzle-orm'
import { runAudit } from '../../db/audit.ts'
import { endCancelledBookings } from '../../db/bookings/cancelled-events.ts'
import { confirmBooking } from '../../db/bookings/confirm-booking.ts'
import { expireDueBookings } from '../../db/bookings/expire-bookings.ts'
import { findBooking, listBookings, listBookingsOf } from '../../db/bookings/read-bookings.ts'
import { refundBooking } from '../../db/bookings/refund-booking.ts'
import { releaseBooking } from '../../db/bookings/release-booking.ts'
import { refundPayment } from '../../db/payments.ts'
import { bookings, events, outbox, sandboxCharges, seats, tickets } from '../../db/schema.ts'
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
import { listPaymentsOf } from '../support/open-payments.ts'

let t: TestLedger
beforeAll(async () => {
  t = await openTestLedger()
}, STORES_WITHIN_MS)
afterAll(async () => {
  const lines = await runAudit(t)
  expect(lines.filter(({ ok }) => !ok)).toEqual([])
  await t.close()
}, STORES_WITHIN_MS)

const statuses = async (eventId: string) =>
  (await t.db.select().from(seats).where(eq(seats.eventId, eventId)).orderBy(seats.n)).map(
    ({ status }) => status,
  )
const makeOverdue = (eventId: string) =>
  t.db
    .update(bookings)
    .set({ expiresAt: sql`now() - interval '1 second'` })
    .where(and(eq(bookings.eventId, eventId), eq(bookings.status, 'PENDING')))
async function aSale(eventId: string, numbers: number[]) {
  const booking = await aHold(t.gate, { eventId, seats: numbers })
  const payment = aCapture(booking)
  await t.db
    .insert(sandboxCharges)
    .values({ ref: payment.providerRef, amount: payment.amount, outcome: 'captured' })
  await confirmBooking(t.gate, { bookingId: booking.id, accountId: booking.accountId, payment })
  return booking
}

describe('giving back', () => {
  test('frees the seats at once, twice is the same, and the hold cannot be paid', async () => {
    const eventId = await anEvent(t.db, { seats: 3 })
    const booking = await aHold(t.gate, { eventId, seats: [0, 1] })
    const move = { bookingId: booking.id, accountId: booking.accountId }
    const first = await releaseBooking(t.gate, move)
    expect(first).toMatchObject({ ok: true, already: false, booking: { status: 'CANCELLED' } })
    expect(await releaseBooking(t.gate, move)).toMatchObject({ ok: true, already: true })
    expect(await statuses(eventId)).toEqual(['AVAILABLE', 'AVAILABLE', 'AVAILABLE'])
    expect(await t.redis.get(`status:seat:{${eventId}}:0`)).toBe('AVAILABLE:2')
  })

  test("refuses another's booking, a paid one and an expired one", async () => {
    const eventId = await anEvent(t.db)
    const paid = await aSale(eventId, [0])
    const held = await aHold(t.gate, { eventId, seats: [1] })
    const release = async (bookingId: string, accountId: string) =>
      refusalOf(await releaseBooking(t.gate, { bookingId, accountId }))
    expect(await release(held.id, await aBuyer(t.db))).toBe('not_found')
    expect(await release('no-uuid', held.accountId)).toBe('not_found')
    expect(await release(paid.id, paid.accountId)).toBe('booking_not_pending')
    await makeOverdue(eventId)
    await expireDueBookings(t.gate)
    expect(await release(held.id, held.accountId)).toBe('booking_expired')
  })
})

describe('expiry', () => {
  test('leaves a hold alone that still has time', async () => {
    const eventId = await anEvent(t.db, { holdSeconds: 60 })
    const { id: bookingId } = await aHold(t.gate, { eventId })
    expect(await expireDueBookings(t.gate)).toEqual({ expired: 0 })
    expect((await findBooking(t.db, bookingId))!.status).toBe('PENDING')
  })

  test('leaves a paid booking alone however late its job comes', async () => {
    const eventId = await anEvent(t.db)
    const { id: bookingId } = await aSale(eventId, [0])
    await t.db
      .update(bookings)
      .set({ expiresAt: new Date(0) })
      .where(eq(bookings.id, bookingId))
    expect(await expireDueBookings(t.gate)).toEqual({ expired: 0 })
    expect((await findBooking(t.db, bookingId))!.status).toBe('CONFIRMED')
  })

  test('sweeps every overdue hold once, however many sweep, and tells each buyer once', async () => {
    const eventId = await anEvent(t.db, { seats: 60 })
    const ids: string[] = []
    for (let n = 0; n < 60; n += 2) ids.push((await aHold(t.gate, { eventId, seats: [n, n + 1] })).id)
    await makeOverdue(eventId)
    const sweeps = await Promise.all(Array.from({ length: 6 }, () => expireDueBookings(t.gate, { limit: 7 })))
    const early = sweeps.reduce((sum, { expired }) => sum + expired, 0)
    const { expired: rest } = await expireDueBookings(t.gate, { limit: 1_000 })
    expect(early + rest).toBe(30)
    expect(new Set(await statuses(eventId))).toEqual(new Set(['AVAILABLE']))
    const told = await t.db.select().from(outbox).where(eq(outbox.kind, 'booking_expired'))
    const mine = told.filter(({ payload }) => ids.includes(payload['bookingId'] as string))
    expect(mine).toHaveLength(30)
  })
})

describe('refund', () => {
  test('of some seats voids their tickets, lowers the total and frees the seats', async () => {
    const eventId = await anEvent(t.db, { seats: 4 })
    const booking = await aSale(eventId, [0, 1, 2])
    const outcome = await refundBooking(t.gate, { bookingId: booking.id, seats: [1], reason: 'pillar' })
    expect(outcome).toMatchObject({ ok: true, amount: SEAT_PRICE })
    const row = (await findBooking(t.db, booking.id))!
    expect(row).toMatchObject({ status: 'CONFIRMED', total: 2 * SEAT_PRICE })
    expect(row.seats.map(({ n }) => n)).toEqual([0, 2])
    expect(await statuses(eventId)).toEqual(['SOLD', 'AVAILABLE', 'SOLD', 'AVAILABLE'])
    const valid = await t.db
      .select({ n: tickets.n })
      .from(tickets)
      .where(and(eq(tickets.bookingId, booking.id), eq(tickets.status, 'VALID')))
    expect(valid.map(({ n }) => n).toSorted()).toEqual([0, 2])
    const other = await aSale(eventId, [1])
    expect(other.total).toBe(SEAT_PRICE)
  })

  test('of the whole booking makes the provider follow, however often it is asked', async () => {
    const eventId = await anEvent(t.db)
    const booking = await aSale(eventId, [0, 1])
    await refundBooking(t.gate, { bookingId: booking.id, seats: [0], reason: 'one' })
    const outcome = await refundBooking(t.gate, { bookingId: booking.id, reason: 'all' })
    expect(outcome).toMatchObject({ ok: true, amount: SEAT_PRICE, booking: { status: 'REFUNDED' } })
    const [payment] = await listPaymentsOf(t.db, booking)
    expect(payment).toMatchObject({ status: 'REFUND_DUE', refunded: 2 * SEAT_PRICE })
    await refundPayment(t.gate, { eventId, paymentId: payment!.id })
    await refundPayment(t.gate, { eventId, paymentId: payment!.id })
    const [after] = await listPaymentsOf(t.db, booking)
    expect(after!.status).toBe('REFUNDED')
    const [charge] = await t.db
      .select()
      .from(sandboxCharges)
      .where(eq(sandboxCharges.ref, payment!.providerRef))
    expect(charge!.refunded).toBe(2 * SEAT_PRICE)
    const told = (await findBooking(t.db, booking.id))!.timeline.map(({ what }) => what)
    expect(told.filter((what) => what === 'payment_refunded')).toHaveLength(1)
  })

  test('refuses what was not paid, what was refunded before, and seats of others', async () => {
    const eventId = await anEvent(t.db)
    const held = await aHold(t.gate, { eventId, seats: [5] })
    const paid = await aSale(eventId, [0, 1])
    const refund = async (bookingId: string, numbers?: number[]) =>
      refusalOf(await refundBooking(t.gate, { bookingId, reason: 'r', seats: numbers }))
    expect(await refund(Bun.randomUUIDv7())).toBe('not_found')
    expect(await refund(held.id)).toBe('booking_not_pending')
    expect(await refund(paid.id, [0, 5])).toBe('request_invalid')
    expect(await refund(paid.id, [])).toBe('request_invalid')
    expect(await refund(paid.id, [0])).toBe('held')
    expect(await refund(paid.id, [0])).toBe('request_invalid')
  })
})

describe('a cancelled event', () => {
  test('ends what is unpaid and refunds what is paid, batch by batch', async () => {
    const eventId = await anEvent(t.db, { seats: 20 })
    const paid = [await aSale(eventId, [0, 1]), await aSale(eventId, [2])]
    const held = await aHold(t.gate, { eventId, seats: [3] })
    await t.db.update(events).set({ status: 'CANCELLED' }).where(eq(events.id, eventId))
    const first = await endCancelledBookings(t.gate, { eventId, limit: 2 })
    expect(first.left).toBe(true)
    const rest = await endCancelledBookings(t.gate, { limit: 100 })
    expect(first.released + rest.released).toBe(1)
    expect(first.refunded + rest.refunded).toBe(2)
    expect(rest.left).toBe(false)
    for (const { id } of paid) expect((await findBooking(t.db, id))!.status).toBe('REFUNDED')
    expect((await findBooking(t.db, held.id))!.status).toBe('CANCELLED')
    expect(new Set(await statuses(eventId))).toEqual(new Set(['AVAILABLE']))
  })

  test('refunds money that arrives after its hold has expired', async () => {
    const eventId = await anEvent(t.db)
    const booking = await aHold(t.gate, { eventId })
    await makeOverdue(eventId)
    await t.db.update(events).set({ status: 'CANCELLED' }).where(eq(events.id, eventId))
    const payment = aCapture(booking)
    const outcome = await confirmBooking(t.gate, {
      bookingId: booking.id,
      accountId: booking.accountId,
      payment,
    })
    expect(outcome).toMatchObject({ ok: false, refunding: true })
    await expireDueBookings(t.gate, { limit: 10 })
  })
})

describe('lists', () => {
  test('are newest first, page by cursor, and keep to the buyer, the event or the organiser', async () => {
    const ownerId = await aBuyer(t.db)
    const eventId = await anEvent(t.db, { ownerId })
    const accountId = await aBuyer(t.db)
    const made: string[] = []
    for (const n of [0, 1, 2]) made.unshift((await aHold(t.gate, { eventId, accountId, seats: [n] })).id)
    await aHold(t.gate, { eventId: await anEvent(t.db) })
    const one = await listBookingsOf(t.db, { accountId, limit: 2 })
    const two = await listBookingsOf(t.db, { accountId, limit: 2, cursor: one.nextCursor })
    expect([...one.items, ...two.items].map(({ id }) => id)).toEqual(made)
    expect(two.nextCursor).toBeNull()
    expect((await listBookings(t.db, { ownerId, limit: 10 })).items.map(({ id }) => id)).toEqual(made)
    expect((await listBookings(t.db, { eventId, limit: 10 })).items).toHaveLength(3)
    expect((await listBookings(t.db, { eventId: 'x', limit: 10 })).items).toEqual([])
  })
})
