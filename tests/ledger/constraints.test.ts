// Holds the schema to its promise: wrong code cannot sell a seat twice or leave states that disagree.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { and, eq, type SQL, sql } from 'drizzle-orm'
import { confirmBooking } from '../../db/bookings/confirm-booking.ts'
import { postgresCode } from '../../db/client.ts'
import { bookings, bookingSeats, payments, seats, tickets } from '../../db/schema.ts'
import {
  aCapture,
  aHold,
  anEvent,
  openTestLedger,
  STORES_WITHIN_MS,
  type TestLedger,
} from '../support/a-ledger.ts'

const UNIQUE = '23505'
const CHECK = '23514'
const FOREIGN_KEY = '23503'

let t: TestLedger
beforeAll(async () => {
  t = await openTestLedger()
}, STORES_WITHIN_MS)
afterAll(() => t.close(), STORES_WITHIN_MS)

async function codeOf(write: PromiseLike<unknown>): Promise<string | null> {
  try {
    await write
    return 'written'
  } catch (fault) {
    return postgresCode(fault)
  }
}
const seatIs = (eventId: string, n: number): SQL => and(eq(seats.eventId, eventId), eq(seats.n, n))!

test('a seat cannot be in two live bookings', async () => {
  const eventId = await anEvent(t.db)
  await aHold(t.gate, { eventId, seats: [0] })
  const other = await aHold(t.gate, { eventId, seats: [1] })
  const twice = { eventId, bookingId: other.id, n: 0, price: 0 }
  expect(await codeOf(t.db.insert(bookingSeats).values(twice))).toBe(UNIQUE)
})

test('a seat cannot be held without a booking, be free with one, or point to a booking that does not list it', async () => {
  const eventId = await anEvent(t.db)
  const booking = await aHold(t.gate, { eventId, seats: [0] })
  const set = (n: number, row: Partial<typeof seats.$inferInsert>) =>
    codeOf(t.db.update(seats).set(row).where(seatIs(eventId, n)))
  expect(await set(1, { status: 'SOLD' })).toBe(CHECK)
  expect(await set(0, { status: 'AVAILABLE' })).toBe(CHECK)
  expect(await set(1, { status: 'BLOCKED' })).toBe(CHECK)
  expect(await set(1, { status: 'RESERVED', bookingId: booking.id })).toBe(FOREIGN_KEY)
})

test('a sold seat cannot have two valid tickets', async () => {
  const eventId = await anEvent(t.db)
  const booking = await aHold(t.gate, { eventId, seats: [0] })
  await confirmBooking(t.gate, {
    bookingId: booking.id,
    accountId: booking.accountId,
    payment: aCapture(booking),
  })
  const ticket = { eventId, id: Bun.randomUUIDv7(), bookingId: booking.id, n: 0, code: 'x' }
  expect(await codeOf(t.db.insert(tickets).values(ticket))).toBe(UNIQUE)
})

test('a booking cannot have two charges under way, nor more given back than was taken', async () => {
  const eventId = await anEvent(t.db)
  const booking = await aHold(t.gate, { eventId, seats: [0] })
  const charge = (ref: string, money: object = {}) =>
    codeOf(
      t.db.insert(payments).values({
        eventId,
        id: Bun.randomUUIDv7(),
        bookingId: booking.id,
        provider: 'sandbox',
        providerRef: ref,
        method: 'sandbox_ok',
        status: 'PROCESSING',
        amount: 100,
        ...money,
      }),
    )
  expect(await charge('a')).toBe('written')
  expect(await charge('b')).toBe(UNIQUE)
  expect(await charge('c', { status: 'CAPTURED', captured: 50, refunded: 60 })).toBe(CHECK)
  expect(await charge('d', { status: 'CAPTURED', captured: 101 })).toBe(CHECK)
})

test('a booking is confirmed exactly when it says since when', async () => {
  const booking = await aHold(t.gate, { eventId: await anEvent(t.db) })
  const set = (row: Partial<typeof bookings.$inferInsert>) =>
    codeOf(t.db.update(bookings).set(row).where(eq(bookings.id, booking.id)))
  expect(await set({ status: 'CONFIRMED' })).toBe(CHECK)
  expect(await set({ confirmedAt: new Date() })).toBe(CHECK)
})

test('two seats cannot have the same section, row and number', async () => {
  const eventId = await anEvent(t.db)
  const twin = { eventId, n: 10, sectionId: 0, rowLabel: '1', seatLabel: '1', tierId: 0 }
  expect(await codeOf(t.db.insert(seats).values(twin))).toBe(UNIQUE)
})

test('the schema calls nothing that PostgreSQL 14 does not have', async () => {
  const defaults = await t.db.execute<{ expression: string }>(
    sql`select pg_get_expr(adbin, adrelid) as expression from pg_attrdef`,
  )
  for (const { expression } of defaults) expect(expression).not.toContain('uuidv7')
  expect(await t.db.execute(sql`select 1 from pg_index where indnullsnotdistinct`)).toHaveLength(0)
})
