// Shows that an unpaid booking gives its seats back on time, and also when its job is lost.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { scheduleExpiry, type Gate } from '../../db/bookings/gate.ts'
import { holdSeats } from '../../db/bookings/hold-seats.ts'
import { findBooking } from '../../db/bookings/read-bookings.ts'
import { bookings, seats } from '../../db/schema.ts'
import { eventually } from './eventually.ts'
import { createBuyer, createSale, openStage, type SpawnedWorker, type Stage } from './stage.ts'

/** The shortest an event may ask for. */
const HOLD_SECONDS = 5
/** Contract: seats are back within this of the hold's end. */
const LATE_MS_MAX = 2_000

let stage: Stage
let gate: Gate
let worker: SpawnedWorker

beforeAll(async () => {
  stage = await openStage()
  gate = { db: stage.ledger.db, redis: stage.redis }
  worker = await stage.spawnWorker()
})
afterAll(() => stage.close())

async function holdOne(eventId: string, n: number) {
  const { accountId, email } = await createBuyer(stage.ledger)
  const held = await holdSeats(gate, { accountId, eventId, seats: [n] })
  if (!held.ok) throw new Error(held.refusal)
  return { email, booking: held.booking }
}

const statusOf = async (id: string) => (await findBooking(stage.ledger.db, id))!.status
const said = (event: string) => worker.lines.filter((line) => line.includes(`"${event}"`)).length

test('a hold ends by its job, on time, and its buyer is told', async () => {
  const eventId = await createSale(stage.ledger, 10, HOLD_SECONDS)
  const { email, booking } = await holdOne(eventId, 0)
  await eventually(async () => (await statusOf(booking.id)) === 'EXPIRED')
  expect(Date.now() - booking.expiresAt.getTime()).toBeLessThan(LATE_MS_MAX)
  const [seat] = await stage.ledger.db.select().from(seats).where(eq(seats.eventId, eventId)).orderBy(seats.n)
  expect(seat!.status).toBe('AVAILABLE')
  await eventually(() => stage.sink.mails.some(({ to }) => JSON.stringify(to).includes(email)))
  expect(stage.sink.mails.at(-1)!.subject).toBe('Your booking for Così fan tutte has expired')
})

test('defect: emptied, Redis forgets every delayed job, yet the seats come back', async () => {
  const eventId = await createSale(stage.ledger, 10, HOLD_SECONDS)
  const held = await Promise.all([0, 1, 2].map((n) => holdOne(eventId, n)))
  // The database of this test alone: what FLUSHALL does, without emptying the neighbours'.
  await stage.redis.flushdb()
  const sweptBefore = said('bookings_swept')
  for (const { booking } of held) await eventually(async () => (await statusOf(booking.id)) === 'EXPIRED')
  const lastDue = Math.max(...held.map(({ booking }) => booking.expiresAt.getTime()))
  expect(Date.now() - lastDue).toBeLessThan(LATE_MS_MAX)
  await eventually(() => said('bookings_swept') > sweptBefore)
})

test('a hold that was extended outlives the tick it was to end in', async () => {
  const eventId = await createSale(stage.ledger, 10, HOLD_SECONDS)
  const { booking } = await holdOne(eventId, 0)
  const later = new Date(booking.expiresAt.getTime() + 2_000)
  await stage.ledger.db.update(bookings).set({ expiresAt: later }).where(eq(bookings.id, booking.id))
  await scheduleExpiry(gate, later)
  await eventually(() => Date.now() > booking.expiresAt.getTime() + 1_500)
  expect(await statusOf(booking.id)).toBe('PENDING')
  await eventually(async () => (await statusOf(booking.id)) === 'EXPIRED')
  expect(Date.now() - later.getTime()).toBeLessThan(LATE_MS_MAX)
})

test('what Redis says of seats is put right within seconds of being wrong', async () => {
  const eventId = await createSale(stage.ledger, 10)
  const { booking } = await holdOne(eventId, 0)
  const key = `status:seat:{${eventId}}:0`
  await eventually(async () => (await stage.redis.get(key))?.startsWith('RESERVED') === true)
  await stage.redis.set(key, 'AVAILABLE:99')
  await eventually(async () => (await stage.redis.get(key))?.startsWith('RESERVED') === true)
  expect(await statusOf(booking.id)).toBe('PENDING')
})
