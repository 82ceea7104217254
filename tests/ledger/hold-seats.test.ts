// Holds the reservation path to its rules: who gets seats, who is refused and why, and what is written.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { and, eq, sql } from 'drizzle-orm'
import { runAudit } from '../../db/audit.ts'
import { commitHolds } from '../../db/bookings/commit-holds.ts'
import { expireDueBookings } from '../../db/bookings/expire-bookings.ts'
import { holdSeats } from '../../db/bookings/hold-seats.ts'
import { findBooking } from '../../db/bookings/read-bookings.ts'
import { inTransaction } from '../../db/client.ts'
import { findAnswer } from '../../db/idempotency.ts'
import { expiryTick, jobIds, openQueues } from '../../db/jobs.ts'
import { bookings, seats } from '../../db/schema.ts'
import { parseSeatFeed, seatFeedChannel, type SeatFeed } from '../../db/seat-gate/feed.ts'
import { reconcileSeats } from '../../db/seat-gate/reconcile.ts'
import { connectRedis, redisReady } from '../../db/redis.ts'
import {
  aBuyer,
  aHold,
  anEvent,
  openTestLedger,
  refusalOf,
  SEAT_PRICE,
  until,
  STORES_WITHIN_MS,
  type TestLedger,
} from '../support/a-ledger.ts'

/** The holds of this file so far, and what a slow machine makes of them. */
const TICKS_OF_A_TEST_MAX = 4

let t: TestLedger
beforeAll(async () => {
  t = await openTestLedger()
}, STORES_WITHIN_MS)
afterAll(async () => {
  const lines = await runAudit(t)
  expect(lines.filter(({ ok }) => !ok)).toEqual([])
  await t.close()
}, STORES_WITHIN_MS)

const seatRow = async (eventId: string, n: number) =>
  (
    await t.db
      .select()
      .from(seats)
      .where(and(eq(seats.eventId, eventId), eq(seats.n, n)))
  )[0]!

describe('a hold', () => {
  test('takes all seats asked for, at the price of the moment, until it expires', async () => {
    const eventId = await anEvent(t.db, { holdSeconds: 120 })
    const accountId = await aBuyer(t.db)
    const outcome = await holdSeats(t.gate, { eventId, accountId, seats: [3, 1, 2] })
    if (!outcome.ok) throw new Error(outcome.refusal)
    const { booking } = outcome
    expect(booking).toMatchObject({
      eventId,
      accountId,
      status: 'PENDING',
      total: 3 * SEAT_PRICE,
      currency: 'EUR',
    })
    expect(booking.seats.map(({ n }) => n)).toEqual([1, 2, 3])
    expect(booking.seats[0]).toMatchObject({ section: 'Stalls', row: '1', number: '2', tier: 'Standard' })
    const lasts = booking.expiresAt.getTime() - booking.createdAt.getTime()
    expect(lasts).toBe(120_000)
    expect(await seatRow(eventId, 1)).toMatchObject({ status: 'RESERVED', version: 1, bookingId: booking.id })
    expect(await findBooking(t.db, booking.id)).toEqual(booking)
    expect(await t.redis.get(`status:seat:{${eventId}}:1`)).toBe('RESERVED:1')
    expect(await t.redis.pttl(`status:seat:{${eventId}}:1`)).toBeLessThanOrEqual(120_000)
    expect(await t.redis.exists(`lock:seat:{${eventId}}:1`)).toBe(0)
    expect(t.faults).toEqual([])
  })

  test('leaves an expiry job in ticket-cleanup, due when the hold ends, which all holds of its tick share', async () => {
    const eventId = await anEvent(t.db, { holdSeconds: 60 })
    const [booking, other] = await Promise.all([
      aHold(t.gate, { eventId }),
      aHold(t.gate, { eventId, seats: [1] }),
    ])
    const queues = openQueues(t.stores.redisUrl)
    for (const { expiresAt } of [booking, other]) {
      const job = await queues.ticketCleanup.getJob(jobIds.expireDue(expiryTick(expiresAt)))
      expect(job?.name).toBe('expire-due')
      expect(job!.timestamp + job!.delay).toBeGreaterThanOrEqual(expiresAt.getTime())
      expect(job!.timestamp + job!.delay).toBeLessThan(expiresAt.getTime() + 300)
    }
    expect(await queues.ticketCleanup.getDelayedCount()).toBeLessThanOrEqual(TICKS_OF_A_TEST_MAX)
    await queues.close()
  })

  test('announces the change once, following the version before', async () => {
    const eventId = await anEvent(t.db)
    const listener = connectRedis(t.stores.redisUrl, { role: 'subscriber', name: 'test' })
    await redisReady(listener)
    const heard: SeatFeed[] = []
    listener.on('message', (_channel, message) => heard.push(parseSeatFeed(message)!))
    await listener.subscribe(seatFeedChannel(eventId))
    await aHold(t.gate, { eventId, seats: [0, 1] })
    await aHold(t.gate, { eventId, seats: [5] })
    await until(() => heard.length === 2)
    expect(heard[0]).toMatchObject({
      previous: 0,
      changes: [
        [0, 1],
        [1, 1],
      ],
    })
    expect(heard[1]).toMatchObject({ previous: heard[0]!.version, changes: [[5, 1]] })
    listener.disconnect()
  })

  test('counts a seat named twice once', async () => {
    const eventId = await anEvent(t.db)
    const booking = await aHold(t.gate, { eventId, seats: [4, 4] })
    expect(booking.total).toBe(SEAT_PRICE)
  })

  test('keeps nothing when one of its seats is taken, and names that one', async () => {
    const eventId = await anEvent(t.db)
    await aHold(t.gate, { eventId, seats: [2] })
    const outcome = await holdSeats(t.gate, { eventId, accountId: await aBuyer(t.db), seats: [1, 2, 3] })
    expect(outcome).toMatchObject({ ok: false, refusal: 'seat_taken', seats: [2], stage: 'status' })
    expect((await seatRow(eventId, 1)).status).toBe('AVAILABLE')
    expect(await t.redis.exists(`lock:seat:{${eventId}}:1`)).toBe(0)
  })

  test('is refused by Postgres when the cache knows nothing, and the cache learns from it', async () => {
    const eventId = await anEvent(t.db)
    await aHold(t.gate, { eventId, seats: [2] })
    await t.redis.del(`status:seat:{${eventId}}:2`)
    const outcome = await holdSeats(t.gate, { eventId, accountId: await aBuyer(t.db), seats: [2] })
    expect(outcome).toMatchObject({ ok: false, refusal: 'seat_taken', seats: [2], stage: 'version' })
    expect(await t.redis.get(`status:seat:{${eventId}}:2`)).toBe('RESERVED:1')
    expect(await t.redis.exists(`lock:seat:{${eventId}}:2`)).toBe(0)
  })

  test('is told "locked" while another reservation is at one of the seats', async () => {
    const eventId = await anEvent(t.db)
    await t.redis.set(`lock:seat:{${eventId}}:7`, 'somebody', 'PX', 5_000)
    const outcome = await holdSeats(t.gate, { eventId, accountId: await aBuyer(t.db), seats: [6, 7] })
    expect(outcome).toMatchObject({ ok: false, refusal: 'seat_locked', seats: [7] })
    expect(await t.redis.exists(`lock:seat:{${eventId}}:6`)).toBe(0)
    expect(await t.redis.get(`lock:seat:{${eventId}}:7`)).toBe('somebody')
  })

  test('takes over an overdue hold whose job never ran, and ends the whole of it', async () => {
    const eventId = await anEvent(t.db)
    const old = await aHold(t.gate, { eventId, seats: [0, 1] })
    await overdue(old.id)
    await t.redis.flushdb()
    const booking = await aHold(t.gate, { eventId, seats: [1, 2] })
    expect(booking.status).toBe('PENDING')
    expect((await findBooking(t.db, old.id))!.status).toBe('EXPIRED')
    expect(await seatRow(eventId, 0)).toMatchObject({ status: 'AVAILABLE', bookingId: null, version: 2 })
    expect(await seatRow(eventId, 1)).toMatchObject({ status: 'RESERVED', bookingId: booking.id, version: 3 })
    expect(await expireDueBookings(t.gate)).toEqual({ expired: 0 })
  })

  test('tells of every seat a take-over frees, also of those nobody asked for', async () => {
    const eventId = await anEvent(t.db)
    const old = await aHold(t.gate, { eventId, seats: [0, 1] })
    await overdue(old.id)
    const hold = { eventId, accountId: await aBuyer(t.db), seats: [1], bookingId: Bun.randomUUIDv7() }
    const [answer] = await inTransaction(t.db, (tx) => commitHolds(tx, [hold]))
    expect(answer!.known).toContainEqual({ eventId, n: 0, status: 'AVAILABLE', version: 2 })
    // Nobody has told the cache; the audit at the end would find it.
    await reconcileSeats(t, eventId)
  })
})

const attempt = async (eventId: string, numbers: number[]) =>
  refusalOf(await holdSeats(t.gate, { eventId, accountId: await aBuyer(t.db), seats: numbers }))

describe('a hold is refused', () => {
  test('when there is no such event or seat', async () => {
    expect(await attempt(Bun.randomUUIDv7(), [0])).toBe('not_found')
    expect(await attempt('no-uuid', [0])).toBe('not_found')
    expect(await attempt(await anEvent(t.db), [10])).toBe('not_found')
  })

  test('when the numbers are none, negative, broken or huge', async () => {
    const eventId = await anEvent(t.db)
    for (const numbers of [[], [-1], [0.5], [Number.NaN], [2 ** 31]])
      expect(await attempt(eventId, numbers)).toBe('request_invalid')
  })

  test('when the event is a draft, cancelled, not yet on sale or has begun', async () => {
    const soon = new Date(Date.now() + 60_000)
    const past = new Date(Date.now() - 1_000)
    for (const fields of [
      { status: 'DRAFT' as const },
      { status: 'CANCELLED' as const },
      { onSaleAt: soon },
      { startsAt: past },
    ])
      expect(await attempt(await anEvent(t.db, fields), [0])).toBe('event_not_on_sale')
    expect(await attempt(await anEvent(t.db, { onSaleAt: past }), [0])).toBe('held')
  })

  test('beyond the seats of one booking, and beyond the seats of one buyer', async () => {
    const eventId = await anEvent(t.db, { maxSeatsPerBooking: 2, maxSeatsPerBuyer: 3 })
    const accountId = await aBuyer(t.db)
    const hold = async (numbers: number[]) =>
      refusalOf(await holdSeats(t.gate, { eventId, accountId, seats: numbers }))
    expect(await hold([0, 1, 2])).toBe('seats_too_many')
    expect(await hold([0, 1])).toBe('held')
    expect(await hold([2, 3])).toBe('buyer_limit_reached')
    expect(await hold([2])).toBe('held')
    expect(await hold([3])).toBe('buyer_limit_reached')
  })

  test('for blocked seats', async () => {
    const eventId = await anEvent(t.db)
    await t.db
      .update(seats)
      .set({ status: 'BLOCKED', blockedReason: 'camera', version: 1 })
      .where(and(eq(seats.eventId, eventId), eq(seats.n, 4)))
    expect(await attempt(eventId, [4])).toBe('seat_taken')
  })
})

describe('an answer kept with the hold', () => {
  const requestHash = new Uint8Array(32).fill(7)

  test('is there as soon as the hold is, and a second hold with its key is undone', async () => {
    const eventId = await anEvent(t.db)
    const accountId = await aBuyer(t.db)
    const once = {
      key: 'k1',
      requestHash,
      answer: ({ id }: { id: string }) => ({ statusCode: 201, response: { id } }),
    }
    const first = await holdSeats(t.gate, { eventId, accountId, seats: [0], idempotency: once })
    if (!first.ok) throw new Error(first.refusal)
    expect(await findAnswer(t.db, { accountId, key: 'k1' })).toMatchObject({
      statusCode: 201,
      response: { id: first.booking.id },
    })
    const again = await holdSeats(t.gate, { eventId, accountId, seats: [1], idempotency: once })
    expect(refusalOf(again)).toBe('idempotency_in_progress')
    const other = { ...once, requestHash: new Uint8Array(32).fill(8) }
    const reused = await holdSeats(t.gate, { eventId, accountId, seats: [1], idempotency: other })
    expect(refusalOf(reused)).toBe('idempotency_key_reused')
    expect((await seatRow(eventId, 1)).status).toBe('AVAILABLE')
  })
})

async function overdue(bookingId: string) {
  await t.db
    .update(bookings)
    .set({ expiresAt: sql`now() - interval '1 second'` })
    .where(eq(bookings.id, bookingId))
}
