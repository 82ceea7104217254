// Holds POST /booking/best to the contract: adjacent seats nobody else gets, also when everybody asks at once.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'

let app: AppHarness
let twin: AppHarness
let buyer: Person

const CROWD = 250
const HALL = { rows: 20, seatsPerRow: 50 }
const SEATS = HALL.rows * HALL.seatsPerRow
/** A message on its way, far below the second for which such seats are left alone. */
const HEARD_WITHIN_MS = 100
/** Of the attempts of a crowd, before the last tenth of the seats. */
const CONFLICTS_MAX = 0.05

beforeAll(async () => {
  app = await startApp({ servers: 2, serverIndex: 0, rateLimit: false })
  twin = await startApp({ servers: 2, serverIndex: 1, rateLimit: false }, app)
  buyer = await app.person()
}, START_WITHIN_MS)
afterAll(async () => {
  await twin.close()
  await app.close()
})

const best = (who: Person, body: object, at = app, headers = {}) =>
  at.call('POST', '/booking/best', { token: who.token, body, headers })
const numbers = (answer: { body: { data: { seats: { n: number }[] } } }) =>
  answer.body.data.seats.map(({ n }) => n)

describe('the best seats', () => {
  test('are held as any others are', async () => {
    const { eventId } = await app.event()
    const answer = await best(buyer, { eventId, quantity: 3 })
    expect(answer.status).toBe(201)
    const [first, ...rest] = numbers(answer)
    expect(rest).toEqual([first! + 1, first! + 2])
    expect(answer.body.data).toMatchObject({ status: 'PENDING', total: { amount: 7_500, currency: 'EUR' } })
  })

  test('are the same for a repeated request with its key', async () => {
    const { eventId } = await app.event()
    const key = { 'idempotency-key': 'best-1' }
    const [first, again] = [
      await best(buyer, { eventId, quantity: 2 }, app, key),
      await best(buyer, { eventId, quantity: 2 }, app, key),
    ]
    expect(again.body.data.id).toBe(first.body.data.id)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
  })

  test.each([
    [{ quantity: 0 }, 400, 'request_invalid'],
    [{ quantity: -1 }, 400, 'request_invalid'],
    [{ quantity: 1.5 }, 400, 'request_invalid'],
    [{ quantity: 1e9 }, 400, 'request_invalid'],
    [{ quantity: 7 }, 422, 'seats_too_many'],
    [{ quantity: 1, section: 'Nowhere' }, 400, 'request_invalid'],
    [{ quantity: 1, tier: "'; drop table seats" }, 400, 'request_invalid'],
    [{ quantity: 1, colour: 'red' }, 400, 'request_invalid'],
    [{ quantity: 1, accessible: true }, 409, 'sold_out'],
  ])('%j answers %i %s', async (wish, status, code) => {
    const { eventId } = await app.event()
    const answer = await best(buyer, { eventId, ...wish })
    expect([answer.status, answer.body.code]).toEqual([status, code])
  })

  test('of no event, and of one with a room but without a pass, are refused', async () => {
    expect((await best(buyer, { eventId: 'x', quantity: 1 })).body.code).toBe('not_found')
    expect((await best(buyer, { eventId: Bun.randomUUIDv7(), quantity: 1 })).body.code).toBe('not_found')
    const { eventId } = await app.event({ room: { enabled: true } })
    expect((await best(buyer, { eventId, quantity: 1 })).body.code).toBe('pass_required')
  })

  test('are not those another server has just chosen, before any of them is held', async () => {
    const sections = [{ name: 'Stalls', tier: { name: 'Standard', price: 1_000 }, rows: 1, seatsPerRow: 10 }]
    const { eventId } = await app.event({ sections, maxSeatsPerBuyer: 100 })
    const channel = `best-claims:{${eventId}}`
    const told: number[][] = []
    const stop = twin.context.channels.listen(channel, (message) => {
      const { seats } = JSON.parse(message) as { seats: number[] }
      // Without seats it only says that the server is there.
      if (seats.length > 0) told.push(seats)
    })
    await twin.context.channels.listening(channel)
    const mine = numbers(await best(buyer, { eventId, quantity: 2 }))
    await app.context.channels.listening(channel)
    // All the rest but two, by a server that is about to hold them.
    const rest = Array.from({ length: 10 }, (_, n) => n).filter((n) => !mine.includes(n))
    await twin.context.redis.publish(channel, JSON.stringify({ from: 'another', seats: rest.slice(2) }))
    await Bun.sleep(HEARD_WITHIN_MS)
    expect(numbers(await best(buyer, { eventId, quantity: 2 }))).toEqual(rest.slice(0, 2))
    expect((await best(buyer, { eventId, quantity: 2 })).body.code).toBe('sold_out')
    stop()
    expect(told).toEqual([mine, rest.slice(2), rest.slice(0, 2)])
  })

  test(`for ${CROWD} at once on two servers: no seat twice, hardly a conflict, sold to the last pair`, async () => {
    const section = { name: 'Stalls', tier: { name: 'Standard', price: 1_000 }, ...HALL }
    const { eventId } = await app.event({ sections: [section], maxSeatsPerBuyer: 100 })
    const crowd = await app.people(CROWD)
    const taken = new Set<number>()
    const conflicts = await conflictsOf(app)
    let conflictsBefore = 0
    let holds = 0
    while (taken.size < SEATS) {
      const answers = await Promise.all(
        crowd.map((who, i) => best(who, { eventId, quantity: 2 }, i % 2 ? twin : app)),
      )
      for (const answer of answers) {
        if (answer.status !== 201) continue
        const [a, b] = numbers(answer)
        expect(b).toBe(a! + 1)
        for (const n of [a!, b!]) {
          expect(taken.has(n)).toBe(false)
          taken.add(n)
        }
      }
      const won = answers.filter(({ status }) => status === 201).length
      if (taken.size <= SEATS * 0.9) {
        holds += won
        conflictsBefore = (await conflictsOf(app)) - conflicts
      }
      expect(won).toBeGreaterThan(0)
    }
    console.log(`conflicting seats ${conflictsBefore} of ${2 * holds} held before the last tenth`)
    expect(conflictsBefore / (2 * holds)).toBeLessThanOrEqual(CONFLICTS_MAX)
    expect((await best(buyer, { eventId, quantity: 2 })).body.code).toBe('sold_out')
  }, 60_000)
})

/** Seats refused so far, of every server and stage. */
async function conflictsOf(at: AppHarness): Promise<number> {
  const { body } = await at.call('GET', '/metrics')
  return [...String(body).matchAll(/^seat_conflicts_total\{[^}]*\} (\d+)/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  )
}
