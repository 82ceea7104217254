// Holds Idempotency-Key to its promise: one effect a key, the same answer however often, and nothing of another account.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { idempotencyMarkKey } from '../../server/keys.ts'
import {
  START_WITHIN_MS,
  startApp,
  type AppHarness,
  type EventForSale,
  type Person,
} from '../support/app-harness.ts'

let app: AppHarness
let event: EventForSale
let buyer: Person
let nextSeat = 0

beforeAll(async () => {
  app = await startApp()
  event = await app.event({
    maxSeatsPerBuyer: 100,
    sections: [{ name: 'Hall', tier: { name: 'Standard', price: 1_000 }, rows: 10, seatsPerRow: 10 }],
  })
  buyer = await app.person()
}, START_WITHIN_MS)
afterAll(() => app.close())

const key = (value: string = Bun.randomUUIDv7()) => ({ 'idempotency-key': value })
const seat = () => event.seatId(nextSeat++)

describe('the same request again', () => {
  test('gets the stored answer, marked as such, and holds nothing more', async () => {
    const headers = key()
    const seatIds = [seat(), seat()]
    const first = await app.hold(buyer, seatIds, headers)
    expect(first.status).toBe(201)
    expect(first.headers.has('idempotency-replayed')).toBe(false)
    const again = await app.hold(buyer, seatIds, headers)
    expect(again.status).toBe(201)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(again.body).toEqual(first.body)
  })

  test('the order of fields makes no other request', async () => {
    const headers = { ...key(), 'content-type': 'application/json' }
    const { id } = (await app.hold(buyer, [seat()])).body.data
    await app.call('POST', `/payment/${id}/confirm`, { token: buyer.token, body: { method: 'sandbox_ok' } })
    const path = `/payment/${id}/refund`
    const seatIds = `["${event.seatId(nextSeat - 1)}"]`
    const { token } = event.organizer
    const raw = [`{"reason":"ill","seatIds":${seatIds}}`, `{"seatIds":${seatIds},"reason":"ill"}`]
    const first = await app.call('POST', path, { token, headers, raw: raw[0]! })
    expect(first.status).toBe(200)
    const again = await app.call('POST', path, { token, headers, raw: raw[1]! })
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(again.body).toEqual(first.body)
  })

  test('a decline is an answer too', async () => {
    const { id } = (await app.hold(buyer, [seat()])).body.data
    const decline = { token: buyer.token, body: { method: 'sandbox_declined' }, headers: key() }
    const first = await app.call('POST', `/payment/${id}/confirm`, decline)
    expect(first.status).toBe(402)
    const again = await app.call('POST', `/payment/${id}/confirm`, decline)
    expect(again.status).toBe(402)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(again.body).toEqual(first.body)
  })

  test('a refusal is not stored: the same key may succeed later', async () => {
    const taken = seat()
    const first = await app.hold(buyer, [taken])
    const headers = key()
    const other = await app.person()
    expect((await app.hold(other, [taken], headers)).status).toBe(409)
    await app.call('DELETE', `/booking/${first.body.data.id}`, { token: buyer.token })
    const later = await app.hold(other, [taken], headers)
    expect(later.status).toBe(201)
    expect(later.headers.has('idempotency-replayed')).toBe(false)
  })

  test('twenty at once have one effect', async () => {
    const headers = key()
    const seatIds = [seat()]
    const answers = await Promise.all(Array.from({ length: 20 }, () => app.hold(buyer, seatIds, headers)))
    const made = answers.filter(({ status }) => status === 201)
    const waiting = answers.filter(({ status }) => status === 409)
    expect(made.length + waiting.length).toBe(20)
    expect(new Set(made.map(({ body }) => body.data.id)).size).toBe(1)
    for (const { body, headers: sent } of waiting) {
      expect(body.code).toBe('idempotency_in_progress')
      expect(sent.get('retry-after')).toBe('1')
    }
    expect((await app.hold(buyer, seatIds, headers)).status).toBe(201)
  })
})

describe('another request with the key', () => {
  test('another body or another path is idempotency_key_reused', async () => {
    const headers = key()
    const first = await app.hold(buyer, [seat()], headers)
    const body = await app.hold(buyer, [seat()], headers)
    expect([body.status, body.body.code]).toEqual([422, 'idempotency_key_reused'])
    const path = await app.call('POST', `/payment/${first.body.data.id}/checkout`, {
      token: buyer.token,
      headers,
      body: {},
    })
    expect([path.status, path.body.code]).toEqual([422, 'idempotency_key_reused'])
  })

  test('another account’s key is another key', async () => {
    const headers = key()
    const other = await app.person()
    const first = await app.hold(buyer, [seat()], headers)
    const theirs = await app.hold(other, [seat()], headers)
    expect([first.status, theirs.status]).toEqual([201, 201])
    expect(theirs.headers.has('idempotency-replayed')).toBe(false)
  })
})

test('while the first is being worked on: the same waits, another body is another request, then it is told', async () => {
  const { id } = (await app.hold(buyer, [seat()])).body.data
  const value = Bun.randomUUIDv7()
  const pay = (method: string) =>
    app.call('POST', `/payment/${id}/confirm`, { token: buyer.token, body: { method }, headers: key(value) })
  const first = pay('sandbox_slow')
  while (!(await app.context.redis.exists(idempotencyMarkKey(buyer.accountId, value)))) await Bun.sleep(5)
  const twin = await pay('sandbox_slow')
  expect([twin.status, twin.body.code]).toEqual([409, 'idempotency_in_progress'])
  expect(twin.headers.get('retry-after')).toBe('1')
  const another = await pay('sandbox_ok')
  expect([another.status, another.body.code]).toEqual([422, 'idempotency_key_reused'])
  const { status, body } = await first
  expect([status, body.data.status]).toEqual([200, 'CONFIRMED'])
  const again = await pay('sandbox_slow')
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(again.body).toEqual(body)
})

test('a key is 1 to 128 printable characters', async () => {
  for (const value of ['', 'x'.repeat(129), 'tab\there', 'nö']) {
    const answer = await app.hold(buyer, [seat()], key(value))
    expect([value, answer.status, answer.body.code]).toEqual([value, 400, 'request_invalid'])
  }
  expect((await app.hold(buyer, [seat()], key('x'.repeat(128)))).status).toBe(201)
})

test('with Redis away the unique row decides: twins at once still have one effect', async () => {
  const alone = await startApp({ redisUrl: 'redis://127.0.0.1:1' })
  try {
    const sale = await alone.event()
    const person = await alone.person()
    const headers = key()
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => alone.hold(person, [sale.seatId(0)], headers)),
    )
    const made = answers.filter(({ status }) => status === 201)
    expect(made.length).toBeGreaterThan(0)
    expect(new Set(made.map(({ body }) => body.data.id)).size).toBe(1)
    expect(answers.every(({ status }) => [201, 409].includes(status))).toBe(true)
    const again = await alone.hold(person, [sale.seatId(0)], headers)
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true'])
    expect(again.body).toEqual(made[0]?.body)
  } finally {
    await alone.close()
  }
})

test('the same key with different bodies, through two servers at once: one of them is done, the other refused', async () => {
  const twin = await startApp({ serverIndex: 1, rateLimit: false }, app)
  try {
    const sale = await app.event({
      sections: [{ name: 'Stalls', tier: { name: 'A', price: 100 }, rows: 4, seatsPerRow: 10 }],
    })
    for (let round = 0; round < 10; round++) {
      const person = await app.person()
      const headers = key()
      const wanted = [sale.seatId(2 * round), sale.seatId(2 * round + 1)]
      const answers = await Promise.all(
        wanted.map((seatId, i) => (i ? twin : app).hold(person, [seatId], headers)),
      )
      const codes = answers.map(({ status, body }) => (status === 201 ? 201 : body.code))
      expect(codes).toContain(201)
      expect(codes.find((code) => code !== 201)).toBeOneOf([
        'idempotency_key_reused',
        'idempotency_in_progress',
      ])
      const mine = await app.call('GET', '/booking/mine', { token: person.token })
      expect(mine.body.data.items).toHaveLength(1)
    }
  } finally {
    await twin.close()
  }
})
