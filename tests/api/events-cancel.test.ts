// Holds the cancelling of an event to its promise: the sale ends at once, and in the end nobody has paid for nothing.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { endCancelledBookings } from '../../db/bookings/cancelled-events.ts'
import { confirmBooking } from '../../db/bookings/confirm-booking.ts'
import { startApp, type AppHarness, type Person } from '../support/app-harness.ts'

let app: AppHarness
beforeAll(async () => {
  app = await startApp({ rateLimit: false })
})
afterAll(() => app.close())

const BATCH = 3

async function buy(buyer: Person, seatId: string, paid: boolean): Promise<string> {
  const held = await app.hold(buyer, [seatId])
  expect(held.status).toBe(201)
  const bookingId: string = held.body.data.id
  const payment = { provider: 'sandbox', providerRef: bookingId, method: 'sandbox_ok', amount: 2_500 }
  const gate = { db: app.context.ledger.db, redis: app.context.redis }
  if (paid)
    expect(await confirmBooking(gate, { bookingId, accountId: buyer.accountId, payment })).toMatchObject({
      ok: true,
    })
  return bookingId
}

test('paid bookings are refunded and unpaid ones released, in batches that may be cut short and repeated', async () => {
  const { eventId, organizer, seatId } = await app.event()
  const buyers = await app.people(10)
  const bookingIds = await Promise.all(buyers.map((buyer, n) => buy(buyer, seatId(n), n % 2 === 0)))
  const cancelled = await app.call('POST', `/event/${eventId}/cancel`, { token: organizer.token })
  expect(cancelled.body.data.status).toBe('CANCELLED')
  expect((await app.hold(buyers[0]!, [seatId(15)])).body.code).toBe('event_not_on_sale')

  const gate = { db: app.context.ledger.db, redis: app.context.redis }
  const done = { released: 0, refunded: 0 }
  for (let left = true; left;) {
    const batch = await endCancelledBookings(gate, { eventId, limit: BATCH })
    expect(batch.released + batch.refunded).toBeLessThanOrEqual(BATCH)
    done.released += batch.released
    done.refunded += batch.refunded
    left = batch.left
  }
  expect(done).toEqual({ released: 5, refunded: 5 })
  expect(await endCancelledBookings(gate, { eventId, limit: BATCH })).toEqual({
    released: 0,
    refunded: 0,
    left: false,
  })

  for (const [n, id] of bookingIds.entries()) {
    const booking = await app.call('GET', `/booking/${id}`, { token: buyers[n]!.token })
    expect(booking.body.data.status).toBe(n % 2 === 0 ? 'REFUNDED' : 'CANCELLED')
  }
  const stats = await app.call('GET', `/event/${eventId}/stats`, { token: organizer.token })
  expect(stats.body.data).toMatchObject({
    seats: { available: 20, reserved: 0, sold: 0 },
    bookings: { pending: 0, confirmed: 0, cancelled: 5, refunded: 5 },
  })
})
