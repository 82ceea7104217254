// Holds the whole server to its first promise: three hundred buyers ask for one seat at once, one gets it.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { runAudit } from '../../db/audit.ts'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'

const BUYERS = 300

let app: AppHarness
beforeAll(async () => {
  app = await startApp()
}, START_WITHIN_MS)
afterAll(() => app.close())

async function brokenInvariants() {
  const { ledger, redis } = app.context
  return (await runAudit({ db: ledger.db, redis })).filter(({ ok }) => !ok)
}

test('300 buyers ask for the same seat at once: one 201, 299 × 409, and the audit is clean', async () => {
  await raceForOneSeat([app])
})

test('the same through two servers that share the stores', async () => {
  const second = await startApp({ serverIndex: 1 }, app)
  try {
    await raceForOneSeat([app, second])
  } finally {
    await second.close()
  }
})

test('the same with Redis switched off altogether: Postgres alone decides', async () => {
  const off = 'redis://127.0.0.1:9'
  const first = await startApp({ redisUrl: off, rateLimit: false }, app)
  const second = await startApp({ redisUrl: off, rateLimit: false, serverIndex: 1 }, app)
  try {
    const { eventId, seatId } = await app.event()
    const buyers = await app.people(BUYERS)
    const answers = await Promise.all(
      buyers.map((buyer, index) => (index % 2 ? second : first).hold(buyer, [seatId(7)])),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    // Slower and correct: who cannot be served says so, and nothing else goes wrong.
    for (const { status, body } of answers)
      expect([201, 409, 503], `${status} ${body.code}`).toContain(status)
    const best = await second.call('POST', '/booking/best', {
      token: (await app.person()).token,
      body: { eventId, quantity: 2 },
    })
    expect([best.status, best.body.code]).toEqual([201, undefined])
  } finally {
    await second.close()
    await first.close()
  }
})

async function raceForOneSeat(servers: AppHarness[]): Promise<void> {
  const { eventId, seatId } = await app.event()
  const buyers = await app.people(BUYERS)
  const answers = await Promise.all(
    buyers.map((buyer, index) => servers[index % servers.length]!.hold(buyer, [seatId(7)])),
  )

  const won = answers.filter(({ status }) => status === 201)
  const lost = answers.filter(({ status }) => status === 409)
  expect([won.length, lost.length]).toEqual([1, BUYERS - 1])
  for (const { body } of lost) {
    expect(['seat_taken', 'seat_locked']).toContain(body.code)
    expect(body.details).toEqual({ seatIds: [seatId(7)] })
  }
  const seats = await app.call('GET', `/event/${eventId}/seats?status=RESERVED`)
  expect(seats.body.data.items.map(({ n }: { n: number }) => n)).toEqual([7])
  expect(await brokenInvariants()).toEqual([])
}

test('overlapping wishes: nobody gets half, no seat goes twice, and the sum is the house', async () => {
  const { eventId, seatId } = await app.event({ maxSeatsPerBooking: 3 })
  const buyers = await app.people(BUYERS)
  const answers = await Promise.all(
    buyers.map((buyer, index) =>
      app.hold(
        buyer,
        [0, 1, 2].map((step) => seatId((index + step * 3) % 20)),
      ),
    ),
  )
  const sold = answers.filter(({ status }) => status === 201).flatMap(({ body }) => body.data.seats)
  const ids = sold.map(({ id }: { id: string }) => id)
  expect(ids.length % 3).toBe(0)
  expect(ids.length).toBeGreaterThan(0)
  expect(new Set(ids).size).toBe(ids.length)
  expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true)
  const reserved = await app.call('GET', `/event/${eventId}/seats?status=RESERVED&limit=200`)
  expect(new Set(reserved.body.data.items.map(({ id }: { id: string }) => id))).toEqual(new Set(ids))
  expect(await brokenInvariants()).toEqual([])
})
