// Holds the clock of holds to its promise: nobody loses seats to an outage of ours, nobody keeps them for ever by one.
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { confirmBooking } from '../../db/bookings/confirm-booking.ts'
import { expireDueBookings } from '../../db/bookings/expire-bookings.ts'
import { extendBooking } from '../../db/bookings/extend-booking.ts'
import { beatHoldClock, FROZEN_MAX_MS, listFreezes } from '../../db/bookings/hold-clock.ts'
import { holdSeats } from '../../db/bookings/hold-seats.ts'
import { findBooking } from '../../db/bookings/read-bookings.ts'
import { releaseBooking } from '../../db/bookings/release-booking.ts'
import { startPayment } from '../../db/payments.ts'
import { bookings, holdClock, holdFreezes } from '../../db/schema.ts'
import { seatStatusKey } from '../../db/seat-gate/keys.ts'
import {
  aBuyer,
  aCapture,
  aHold,
  anEvent,
  buyers,
  openTestLedger,
  refusalOf,
  STORES_WITHIN_MS,
  type TestLedger,
} from '../support/a-ledger.ts'
import { harmOf } from '../support/guards.ts'

let t: TestLedger
beforeAll(async () => {
  t = await openTestLedger()
}, STORES_WITHIN_MS)
afterAll(() => t.close(), STORES_WITHIN_MS)
beforeEach(async () => {
  await t.db.delete(holdClock)
  await t.db.delete(holdFreezes)
})

const MINUTE_MS = 60_000
const ago = (ms: number) => sql`now() - make_interval(secs => ${ms / 1_000})`
/** Nobody has said for so long that buyers can pay. */
const silence = (ms: number) =>
  t.db
    .insert(holdClock)
    .values({ beatAt: ago(ms) })
    .onConflictDoUpdate({ target: holdClock.id, set: { beatAt: ago(ms) } })
const beat = (by = 'server-0') => beatHoldClock(t.gate, { by, reason: 'postgres' })
/** A hold that began `agoMs` ago and ends `leftMs` from now. */
async function heldSince(agoMs: number, leftMs: number, eventId?: string, seats = [0]) {
  const booking = await aHold(t.gate, { eventId: eventId ?? (await anEvent(t.db, { seats: 20 })), seats })
  await t.db
    .update(bookings)
    .set({ createdAt: ago(agoMs), expiresAt: ago(-leftMs) })
    .where(eq(bookings.id, booking.id))
  return booking
}
const read = async (id: string) => (await findBooking(t.db, id))!
const leftMs = async (id: string) => {
  const [row] = await t.db
    .select({ ms: sql<number>`(extract(epoch from ${bookings.expiresAt} - now()) * 1000)::float8` })
    .from(bookings)
    .where(eq(bookings.id, id))
  return row!.ms
}
const near = (ms: number, wanted: number) => expect(Math.abs(ms - wanted)).toBeLessThan(2_000)

test('a hold that ends while nobody can pay is neither swept nor taken over, and can still be paid and extended', async () => {
  const booking = await heldSince(10 * MINUTE_MS, -20_000)
  await silence(30_000)
  expect(await expireDueBookings(t.gate)).toEqual({ expired: 0 })
  const { eventId, accountId } = booking
  const other = await holdSeats(t.gate, { eventId, accountId: await aBuyer(t.db), seats: [0] })
  expect(refusalOf(other)).toBe('seat_taken')
  const { status, frozenSince } = await read(booking.id)
  expect(status).toBe('PENDING')
  near(Date.now() - frozenSince!.getTime(), 30_000)
  const request = { bookingId: booking.id, accountId }
  expect(await extendBooking(t.gate, request)).toMatchObject({ ok: true })
  expect(await startPayment(t.gate, { ...request, method: 'sandbox_ok' })).toMatchObject({ ok: true })
  const paid = await confirmBooking(t.gate, { ...request, payment: aCapture(booking) })
  expect(paid).toMatchObject({ ok: true, already: false })
})

test('it counts against its buyer’s limit as long as it lives', async () => {
  const eventId = await anEvent(t.db, { seats: 20, maxSeatsPerBuyer: 2 })
  const { accountId } = await heldSince(10 * MINUTE_MS, -1_000, eventId, [0, 1])
  await silence(30_000)
  expect(refusalOf(await holdSeats(t.gate, { eventId, accountId, seats: [2] }))).toBe('buyer_limit_reached')
})

test('the first word after it gives back what was lost, once, and writes down when, why and by whom', async () => {
  const booking = await heldSince(10 * MINUTE_MS, -20_000)
  await silence(30_000)
  const given = await Promise.all(['server-0', 'server-1', 'server-2', 'server-3'].map(beat))
  expect(given.filter((one) => one !== null)).toMatchObject([{ holds: expect.any(Number) }])
  near(await leftMs(booking.id), 10_000)
  expect(await beat()).toBeNull()
  near(await leftMs(booking.id), 10_000)
  const { timeline, frozenSince } = await read(booking.id)
  expect(frozenSince).toBeNull()
  expect(timeline.filter(({ what }) => what === 'hold_frozen')).toMatchObject([
    { detail: { reason: 'postgres', seconds: 30, by: expect.stringMatching(/^server-\d$/) } },
  ])
  const [freeze] = await listFreezes(t.db, { limit: 10 })
  near(freeze!.until.getTime() - freeze!.since.getTime(), 30_000)
  expect(freeze!.reason).toBe('postgres')
})

test('a silence no longer than a restart is none of it', async () => {
  const booking = await heldSince(MINUTE_MS, -1_000)
  await silence(4_000)
  expect((await read(booking.id)).frozenSince).toBeNull()
  expect(await beat()).toBeNull()
  await expireDueBookings(t.gate)
  expect((await read(booking.id)).status).toBe('EXPIRED')
})

test('who came during the outage gets what was left of it; who was too late before it gets nothing', async () => {
  const during = await heldSince(10_000, 5 * MINUTE_MS)
  const before = await heldSince(10 * MINUTE_MS, -3 * MINUTE_MS)
  await silence(2 * MINUTE_MS)
  await beat()
  near(await leftMs(during.id), 5 * MINUTE_MS + 10_000)
  await expireDueBookings(t.gate)
  expect((await read(before.id)).status).toBe('EXPIRED')
  expect((await read(before.id)).timeline.map(({ what }) => what)).not.toContain('hold_frozen')
})

test('all outages together give one hold no more than the limit, and then its seats are free though we are still away', async () => {
  const booking = await heldSince(60 * MINUTE_MS, MINUTE_MS)
  for (let i = 0; i < 3; i++) {
    await silence(0.4 * FROZEN_MAX_MS)
    await beat()
  }
  near(await leftMs(booking.id), MINUTE_MS + FROZEN_MAX_MS)
  await t.db
    .update(bookings)
    .set({ expiresAt: ago(1_000) })
    .where(eq(bookings.id, booking.id))
  await silence(30_000)
  const { eventId } = booking
  // The hold's end was moved behind the cache's back.
  await t.redis.del(seatStatusKey(eventId, 0))
  const next = await holdSeats(t.gate, { eventId, accountId: await aBuyer(t.db), seats: [0] })
  expect(next).toMatchObject({ ok: true })
  expect((await read(booking.id)).status).toBe('EXPIRED')
})

test('an outage longer than the limit ends the holds it cannot save, and saves the others', async () => {
  const lost = await heldSince(120 * MINUTE_MS, -61 * MINUTE_MS)
  const saved = await heldSince(120 * MINUTE_MS, -5 * MINUTE_MS)
  await silence(70 * MINUTE_MS)
  await beat()
  await expireDueBookings(t.gate)
  expect((await read(lost.id)).status).toBe('EXPIRED')
  expect((await read(lost.id)).timeline.map(({ what }) => what)).not.toContain('hold_frozen')
  near(await leftMs(saved.id), FROZEN_MAX_MS - 5 * MINUTE_MS)
})

test('whatever comes in the moment the clock goes on, no seat is freed twice and nothing is over that was given time', async () => {
  for (let round = 0; round < 5; round++) {
    const eventId = await anEvent(t.db, { seats: 20, maxSeatsPerBuyer: 20 })
    const holds = await Promise.all(
      Array.from({ length: 10 }, (_, i) => heldSince(10 * MINUTE_MS, -20_000, eventId, [i])),
    )
    await silence(30_000)
    const rivals = await buyers(t.db, 10)
    const [given] = await Promise.all([
      Promise.all([beat('a'), beat('b')]),
      expireDueBookings(t.gate),
      expireDueBookings(t.gate),
      ...rivals.map((accountId, i) => holdSeats(t.gate, { eventId, accountId, seats: [i] })),
      ...holds.slice(0, 3).map((booking) =>
        confirmBooking(t.gate, {
          bookingId: booking.id,
          accountId: booking.accountId,
          payment: aCapture(booking),
        }),
      ),
      ...holds.slice(3, 6).map(({ id, accountId }) => releaseBooking(t.gate, { bookingId: id, accountId })),
    ])
    expect(given.filter((one) => one !== null)).toHaveLength(1)
    const now = await Promise.all(holds.map(({ id }) => read(id)))
    expect(now.map(({ status }) => status)).toEqual([
      ...Array(3).fill('CONFIRMED'),
      ...Array(3).fill('CANCELLED'),
      ...Array(4).fill('PENDING'),
    ])
    for (const { timeline } of now.slice(6))
      expect(timeline.filter(({ what }) => what === 'hold_frozen')).toHaveLength(1)
    expect(await harmOf(t.db)).toBeNull()
  }
})
