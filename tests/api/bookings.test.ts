// Holds POST /booking and its siblings to the contract: who may hold what, what a refusal names, who sees which booking.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
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
let other: Person

beforeAll(async () => {
  app = await startApp()
  event = await app.event()
  ;[buyer, other] = (await app.people(2)) as [Person, Person]
}, START_WITHIN_MS)
afterAll(() => app.close())

describe('holding seats', () => {
  test('one seat by seatId is held until expiresAt', async () => {
    const { status, body } = await app.call('POST', '/booking', {
      token: buyer.token,
      body: { seatId: event.seatId(0) },
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      statusCode: 201,
      data: {
        eventId: event.eventId,
        status: 'PENDING',
        seats: [{ id: event.seatId(0), n: 0, section: 'Stalls', price: { amount: 2_500, currency: 'EUR' } }],
        total: { amount: 2_500, currency: 'EUR' },
      },
    })
    const holdMs = Date.parse(body.data.expiresAt) - Date.now()
    expect(holdMs).toBeGreaterThan(890_000)
    expect(holdMs).toBeLessThanOrEqual(900_000)
  })

  test('several seats are held all or none, and a refusal names the taken ones', async () => {
    const wanted = [1, 2, 3].map(event.seatId)
    expect((await app.hold(buyer, wanted)).status).toBe(201)
    const refused = await app.hold(other, [3, 4].map(event.seatId))
    expect(refused.status).toBe(409)
    expect(refused.body).toMatchObject({ code: 'seat_taken', details: { seatIds: [event.seatId(3)] } })
    expect((await app.hold(other, [event.seatId(4)])).status).toBe(201)
  })

  test.each([
    ['neither seatId nor seatIds', {}],
    ['both seatId and seatIds', { seatId: 'x:1', seatIds: ['x:1'] }],
    ['an empty list', { seatIds: [] }],
    ['a wrong type', { seatIds: 'x:1' }],
    ['an unknown field', { seatId: 'x:1', price: 1 }],
    ['no body', undefined],
  ])('%s is request_invalid', async (_name, body) => {
    const answer = await app.call('POST', '/booking', { token: buyer.token, body })
    expect([answer.status, answer.body.code]).toEqual([400, 'request_invalid'])
  })

  test('a seat twice, or seats of two events, are request_invalid', async () => {
    const second = await app.event()
    for (const seatIds of [
      [event.seatId(5), event.seatId(5)],
      [event.seatId(5), second.seatId(5)],
    ]) {
      const answer = await app.hold(buyer, seatIds)
      expect([answer.status, answer.body.code]).toEqual([400, 'request_invalid'])
    }
  })

  test.each([
    [101, 400, 'request_invalid'],
    [10_000, 413, 'body_too_large'],
  ])('%i seats in one request are refused before anybody looks at them', async (count, status, code) => {
    const { eventId } = await app.event()
    const ids = Array.from({ length: count }, (_, n) => `${eventId}:${n}`)
    const answer = await app.hold(buyer, ids)
    expect([answer.status, answer.body.code]).toEqual([status, code])
  })

  test('an id that names no seat is not_found, however it looks', async () => {
    const ids = [
      'nonsense',
      event.seatId(20),
      `${event.eventId}:-1`,
      `${event.eventId}:01`,
      `${event.eventId}:99999999999`,
      `${event.eventId}:1; drop table seats`,
      `${Bun.randomUUIDv7()}:0`,
      '__proto__:0',
    ]
    for (const id of ids) {
      const answer = await app.hold(buyer, [id])
      expect([id, answer.status, answer.body.code]).toEqual([id, 404, 'not_found'])
    }
  })

  test('more than maxSeatsPerBooking, or per buyer, is 422', async () => {
    const small = await app.event({ maxSeatsPerBooking: 2, maxSeatsPerBuyer: 3 })
    const many = await app.hold(buyer, [0, 1, 2].map(small.seatId))
    expect([many.status, many.body.code]).toEqual([422, 'seats_too_many'])
    expect((await app.hold(buyer, [0, 1].map(small.seatId))).status).toBe(201)
    const more = await app.hold(buyer, [2, 3].map(small.seatId))
    expect([more.status, more.body.code]).toEqual([422, 'buyer_limit_reached'])
  })

  test('a draft, and an event that is not on sale yet, are event_not_on_sale', async () => {
    const draft = await app.event({ published: false })
    const later = await app.event({ onSaleAt: new Date(Date.now() + 3_600_000) })
    for (const one of [draft, later]) {
      const answer = await app.hold(buyer, [one.seatId(0)])
      expect([answer.status, answer.body.code]).toEqual([409, 'event_not_on_sale'])
    }
  })

  test('without a sign-in it is 401', async () => {
    const answer = await app.call('POST', '/booking', { body: { seatId: event.seatId(6) } })
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated'])
  })
})

describe('a room in front of the seats', () => {
  let guarded: EventForSale
  beforeAll(async () => {
    guarded = await app.event({ room: {} })
  })
  const holdWith = (person: Person, pass?: string) =>
    app.hold(person, [guarded.seatId(0)], pass === undefined ? {} : { 'x-admission-pass': pass })

  test('no pass is pass_required', async () => {
    const answer = await holdWith(buyer)
    expect([answer.status, answer.body.code]).toEqual([403, 'pass_required'])
  })

  test('a forged pass, one of another account and one of another event are pass_invalid', async () => {
    const elsewhere = await app.event({ room: {} })
    const passes = [
      'forged',
      await app.admit(other, guarded.eventId),
      await app.admit(buyer, elsewhere.eventId),
    ]
    for (const pass of passes) {
      const answer = await holdWith(buyer, pass)
      expect([answer.status, answer.body.code]).toEqual([403, 'pass_invalid'])
    }
  })

  test('an access token is no pass, and an old pass is pass_expired', async () => {
    expect((await holdWith(buyer, buyer.token)).body.code).toBe('pass_invalid')
    const old = await app.context.tokens.signPass({
      accountId: buyer.accountId,
      eventId: guarded.eventId,
      epoch: 1,
      expiresAt: new Date(Date.now() - 60_000),
    })
    expect((await holdWith(buyer, old)).body.code).toBe('pass_expired')
  })

  test('the admitted may book', async () => {
    expect((await holdWith(buyer, await app.admit(buyer, guarded.eventId))).status).toBe(201)
  })
})

describe('reading and releasing', () => {
  test('a booking is its buyer’s and its organiser’s; for everybody else it does not exist', async () => {
    const sale = await app.event()
    const held = await app.hold(buyer, [sale.seatId(0)])
    const path = `/booking/${held.body.data.id}`
    const admin = await app.person('ADMIN')
    const stranger = await app.person('ORGANIZER')
    for (const { token } of [buyer, sale.organizer, admin]) {
      const answer = await app.call('GET', path, { token })
      expect(answer.status).toBe(200)
      expect(answer.body.data).toEqual(held.body.data)
    }
    for (const { token } of [other, stranger]) {
      for (const method of ['GET', 'DELETE']) {
        const answer = await app.call(method, path, { token })
        expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
      }
    }
    for (const id of ['nonsense', Bun.randomUUIDv7(), '%00', "' or 1=1 --"]) {
      const answer = await app.call('GET', `/booking/${encodeURIComponent(id)}`, { token: buyer.token })
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
    }
  })

  test('a released booking frees its seats at once, and is released once', async () => {
    const sale = await app.event()
    const held = await app.hold(buyer, [sale.seatId(0)])
    const path = `/booking/${held.body.data.id}`
    const released = await app.call('DELETE', path, { token: buyer.token })
    expect([released.status, released.body.data.status]).toEqual([200, 'CANCELLED'])
    expect((await app.hold(other, [sale.seatId(0)])).status).toBe(201)
    const again = await app.call('DELETE', path, { token: buyer.token })
    expect([again.status, again.body.data.status]).toEqual([200, 'CANCELLED'])
    expect((await app.hold(buyer, [sale.seatId(0)])).status).toBe(409)
  })

  test('a paid booking is not released: booking_not_pending', async () => {
    const sale = await app.event()
    const { body } = await app.hold(buyer, [sale.seatId(0)])
    const pay = { token: buyer.token, body: { method: 'sandbox_ok' } }
    expect((await app.call('POST', `/payment/${body.data.id}/confirm`, pay)).status).toBe(200)
    const answer = await app.call('DELETE', `/booking/${body.data.id}`, { token: buyer.token })
    expect([answer.status, answer.body.code]).toEqual([409, 'booking_not_pending'])
  })

  test('my bookings come newest first, page by page, each once', async () => {
    const sale = await app.event({ maxSeatsPerBuyer: 20 })
    const person = await app.person()
    const ids: string[] = []
    for (let n = 0; n < 5; n++) ids.push((await app.hold(person, [sale.seatId(n)])).body.data.id)
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const query: string = cursor === '' ? '?limit=2' : `?limit=2&cursor=${cursor}`
      const { status, body } = await app.call('GET', `/booking/mine${query}`, { token: person.token })
      expect(status).toBe(200)
      seen.push(...body.data.items.map(({ id }: { id: string }) => id))
      cursor = body.data.nextCursor
    }
    expect(seen).toEqual(ids.toReversed())
  })

  test('a limit above 200, below 1 or no number, and a foreign cursor, are request_invalid', async () => {
    for (const query of [
      'limit=201',
      'limit=0',
      'limit=-1',
      'limit=ten',
      'limit=1.5',
      'cursor=x',
      'page=2',
    ]) {
      const answer = await app.call('GET', `/booking/mine?${query}`, { token: buyer.token })
      expect([query, answer.status, answer.body.code]).toEqual([query, 400, 'request_invalid'])
    }
  })

  test('scope=all shows an organiser own events only, an administrator all, a buyer none', async () => {
    const sale = await app.event()
    const held = await app.hold(buyer, [sale.seatId(0)])
    const list = async (person: Person | undefined, query = '') =>
      app.call('GET', `/booking?scope=all${query}`, { token: person?.token })
    const own = await list(sale.organizer)
    expect(own.body.data.items.map(({ id }: { id: string }) => id)).toEqual([held.body.data.id])
    expect((await list(event.organizer, `&eventId=${sale.eventId}`)).body.data.items).toEqual([])
    const all = await list(await app.person('ADMIN'), `&eventId=${sale.eventId}`)
    expect(all.body.data.items).toHaveLength(1)
    expect((await list(buyer)).body.code).toBe('permission_denied')
    expect((await list(undefined)).body.code).toBe('unauthenticated')
  })
})

describe('GET /booking', () => {
  test('lists the seats that can be had, in map order, page by page', async () => {
    const sale = await app.event()
    await app.hold(buyer, [1, 3].map(sale.seatId))
    const free = async (query: string) =>
      (await app.call('GET', `/booking?eventId=${sale.eventId}${query}`)).body.data
    const deadline = Date.now() + 2_000
    while ((await free('&limit=200')).items.length !== 18 && Date.now() < deadline) await Bun.sleep(20)
    const first = await free('&limit=3')
    expect(first.items.map(({ n }: { n: number }) => n)).toEqual([0, 2, 4])
    expect(first.items[0]).toMatchObject({
      id: sale.seatId(0),
      section: 'Stalls',
      tier: 'Standard',
      price: { amount: 2_500, currency: 'EUR' },
      status: 'AVAILABLE',
    })
    const next = await free(`&limit=200&cursor=${first.nextCursor}`)
    expect(next.items).toHaveLength(15)
    expect(next.nextCursor).toBeNull()
  })

  test('needs an eventId while several events are on sale; an unknown or draft event is not_found', async () => {
    const open = await app.call('GET', '/booking')
    expect([open.status, open.body.code]).toEqual([400, 'request_invalid'])
    const draft = await app.event({ published: false })
    for (const id of [draft.eventId, Bun.randomUUIDv7(), 'nonsense']) {
      const answer = await app.call('GET', `/booking?eventId=${id}`)
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
    }
  })
})
