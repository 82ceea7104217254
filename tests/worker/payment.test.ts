// Shows that money always ends somewhere: answers that were lost, money that came too late, events that are cancelled.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import type { AddressObject } from 'mailparser'
import type { Gate } from '../../db/bookings/gate.ts'
import { holdSeats } from '../../db/bookings/hold-seats.ts'
import { findBooking } from '../../db/bookings/read-bookings.ts'
import { cancelEvent } from '../../db/events.ts'
import { outboxOldestSeconds } from '../../db/outbox.ts'
import { chargeSandbox, payBooking, startPayment } from '../../db/payments.ts'
import { bookings, sandboxCharges, seats } from '../../db/schema.ts'
import { listPaymentsOf } from '../support/open-payments.ts'
import { eventually } from './eventually.ts'
import { createBuyer, createSale, openStage, type Stage } from './stage.ts'

let stage: Stage
let gate: Gate

beforeAll(async () => {
  stage = await openStage()
  gate = { db: stage.ledger.db, redis: stage.redis }
  await stage.spawnWorker()
})
afterAll(() => stage.close())

async function hold(eventId: string, ...numbers: number[]) {
  const { accountId, email } = await createBuyer(stage.ledger)
  const held = await holdSeats(gate, { accountId, eventId, seats: numbers })
  if (!held.ok) throw new Error(held.refusal)
  return { accountId, email, booking: held.booking }
}

const read = async (id: string) => (await findBooking(stage.ledger.db, id))!
const subjectsTo = (email: string) =>
  stage.sink.mails.filter(({ to }) => (to as AddressObject).text === email).map(({ subject }) => subject)
const refundedAtProvider = async (ref: string) =>
  (await stage.ledger.db.select().from(sandboxCharges).where(eq(sandboxCharges.ref, ref)))[0]?.refunded

test('a charge whose answer was lost is settled without the buyer', async () => {
  const { accountId, email, booking } = await hold(await createSale(stage.ledger, 10), 0, 1)
  const paid = await payBooking(gate, { bookingId: booking.id, accountId, method: 'sandbox_lost_webhook' })
  expect(paid.ok && paid.paid).toBe('processing')
  await eventually(async () => (await read(booking.id)).status === 'CONFIRMED')
  await eventually(() => subjectsTo(email).length === 1)
  expect(subjectsTo(email)).toEqual(['Your tickets for Così fan tutte'])
})

test('a charge whose job was lost too is found by the sweep', async () => {
  const { accountId, booking } = await hold(await createSale(stage.ledger, 10), 0)
  await payBooking(gate, { bookingId: booking.id, accountId, method: 'sandbox_lost_webhook' })
  await stage.redis.flushdb()
  await eventually(async () => (await read(booking.id)).status === 'CONFIRMED')
})

test('money that comes when the seats are gone goes back in full, and its sender is told', async () => {
  const eventId = await createSale(stage.ledger, 10)
  const { accountId, email, booking } = await hold(eventId, 0)
  const started = await startPayment(gate, { bookingId: booking.id, accountId, method: 'sandbox_ok' })
  if (!started.ok || !started.payment) throw new Error('no charge was opened')
  await stage.ledger.db.update(bookings).set({ expiresAt: new Date() }).where(eq(bookings.id, booking.id))
  await eventually(async () => (await read(booking.id)).status === 'EXPIRED')
  // The gate hears of it after the booking has ended.
  const next = await createBuyer(stage.ledger)
  const taken = () => holdSeats(gate, { accountId: next.accountId, eventId, seats: [0] })
  await eventually(async () => (await taken()).ok)

  const ref = started.payment.providerRef
  await chargeSandbox(stage.ledger.db, { ref, amount: booking.total, method: 'sandbox_ok' })
  await eventually(async () => (await refundedAtProvider(ref)) === booking.total, 20_000)
  const payment = async () => (await listPaymentsOf(stage.ledger.db, booking))[0]
  await eventually(async () => (await payment())?.status === 'REFUNDED')
  expect(await payment()).toMatchObject({ captured: booking.total, refunded: booking.total })
  await eventually(() => subjectsTo(email).length === 2)
  expect(subjectsTo(email).toSorted()).toEqual([
    'Your booking for Così fan tutte has expired',
    'Your refund for Così fan tutte',
  ])
})

test('a cancelled event gives every seat and all money back, with the reason', async () => {
  const eventId = await createSale(stage.ledger, 10)
  const paying = await hold(eventId, 0, 1)
  const waiting = await hold(eventId, 2)
  const paid = await payBooking(gate, {
    bookingId: paying.booking.id,
    accountId: paying.accountId,
    method: 'sandbox_ok',
  })
  expect(paid.ok).toBe(true)
  expect((await cancelEvent(stage.ledger.db, eventId)).ok).toBe(true)
  await eventually(async () => (await read(paying.booking.id)).status === 'REFUNDED')
  await eventually(async () => (await read(waiting.booking.id)).status === 'CANCELLED')
  const rows = await stage.ledger.db.select().from(seats).where(eq(seats.eventId, eventId))
  expect(rows.every(({ status }) => status === 'AVAILABLE')).toBe(true)
  const [payment] = await listPaymentsOf(stage.ledger.db, paying.booking)
  await eventually(async () => (await refundedAtProvider(payment!.providerRef)) === 10_000)
  await eventually(() => subjectsTo(paying.email).includes('Your refund for Così fan tutte'))
  const mail = stage.sink.mails.find(
    ({ to, subject }) => (to as AddressObject).text === paying.email && subject!.includes('refund'),
  )!
  expect(mail.text).toContain('We are sending €100.00 for Così fan tutte back to you.')
  expect(mail.text).toContain('Reason: The event was cancelled')
  expect(mail.text).toContain('These tickets are no longer valid:')
  await eventually(async () => (await outboxOldestSeconds(stage.ledger.db)) === 0)
})
