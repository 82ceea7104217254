// Holds the extension of a hold to its rules: once, in time, by its owner, and known to everybody it concerns.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { runAudit } from '../../db/audit.ts'
import { expireDueBookings } from '../../db/bookings/expire-bookings.ts'
import { extendBooking } from '../../db/bookings/extend-booking.ts'
import { releaseBooking } from '../../db/bookings/release-booking.ts'
import { expiryTick, jobIds, openQueues } from '../../db/jobs.ts'
import { bookings, events } from '../../db/schema.ts'
import {
  aBuyer,
  aHold,
  anEvent,
  openTestLedger,
  refusalOf,
  STORES_WITHIN_MS,
  type TestLedger,
} from '../support/a-ledger.ts'

let t: TestLedger
beforeAll(async () => {
  t = await openTestLedger()
}, STORES_WITHIN_MS)
afterAll(async () => {
  expect((await runAudit(t)).filter(({ ok }) => !ok)).toEqual([])
  await t.close()
}, STORES_WITHIN_MS)

const extend = (booking: { id: string; accountId: string }) =>
  extendBooking(t.gate, { bookingId: booking.id, accountId: booking.accountId })

describe('an extension', () => {
  test('gives five minutes more, in Postgres, in the cache and to the expiry job', async () => {
    const eventId = await anEvent(t.db, { holdSeconds: 900 })
    const booking = await aHold(t.gate, { eventId, seats: [3] })
    const outcome = await extend(booking)
    if (!outcome.ok) throw new Error(outcome.refusal)
    expect(outcome.booking.expiresAt.getTime() - booking.expiresAt.getTime()).toBe(300_000)
    expect(outcome.booking.timeline.at(-1)!.what).toBe('booking_extended')
    expect(await t.redis.pttl(`status:seat:{${eventId}}:3`)).toBeGreaterThan(1_100_000)
    const queues = openQueues(t.stores.redisUrl)
    const tick = expiryTick(outcome.booking.expiresAt)
    expect((await queues.ticketCleanup.getJob(jobIds.expireDue(tick)))?.name).toBe('expire-due')
    await queues.close()
  })

  test('of a short hold is as long as the hold', async () => {
    const booking = await aHold(t.gate, { eventId: await anEvent(t.db, { holdSeconds: 60 }) })
    const outcome = await extend(booking)
    expect(outcome.ok && outcome.booking.expiresAt.getTime() - booking.expiresAt.getTime()).toBe(60_000)
  })

  test('is given once, also to many who ask at the same time', async () => {
    const booking = await aHold(t.gate, { eventId: await anEvent(t.db) })
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => extend(booking)))
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1)
    for (const outcome of outcomes) if (!outcome.ok) expect(outcome.refusal).toBe('already_extended')
  })

  test('is refused to others, after the end, and when the event is off', async () => {
    const eventId = await anEvent(t.db)
    const booking = await aHold(t.gate, { eventId })
    expect(refusalOf(await extend({ ...booking, accountId: await aBuyer(t.db) }))).toBe('not_found')
    expect(refusalOf(await extend({ ...booking, id: 'x' }))).toBe('not_found')
    await t.db.update(events).set({ status: 'CANCELLED' }).where(eq(events.id, eventId))
    expect(refusalOf(await extend(booking))).toBe('event_not_on_sale')
    await releaseBooking(t.gate, { bookingId: booking.id, accountId: booking.accountId })
    expect(refusalOf(await extend(booking))).toBe('booking_not_pending')

    const late = await aHold(t.gate, { eventId: await anEvent(t.db) })
    await t.db
      .update(bookings)
      .set({ expiresAt: sql`now() - interval '1 ms'` })
      .where(eq(bookings.id, late.id))
    expect(refusalOf(await extend(late))).toBe('booking_expired')
    await expireDueBookings(t.gate)
    expect(refusalOf(await extend(late))).toBe('booking_expired')
  })
})
