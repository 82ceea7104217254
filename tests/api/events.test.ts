// Holds the event routes to the contract: what an organiser may say and change, and what others may see of it.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { and, eq } from 'drizzle-orm'
import { outbox } from '../../db/schema.ts'
import { startApp, type AppHarness, type Person } from '../support/app-harness.ts'

let app: AppHarness
let organizer: Person
let other: Person
let buyer: Person
let admin: Person

beforeAll(async () => {
  app = await startApp({ rateLimit: false })
  ;[organizer, other, buyer, admin] = await Promise.all([
    app.person('ORGANIZER'),
    app.person('ORGANIZER'),
    app.person(),
    app.person('ADMIN'),
  ])
})
afterAll(() => app.close())

const DAY_MS = 86_400_000
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString()
const draft = () => ({
  name: 'Winter ball',
  location: 'Town hall',
  startsAt: inDays(30),
  currency: 'EUR',
  timeZone: 'Europe/Berlin',
})
const stalls = { name: 'Stalls', tier: { name: 'A', price: 5_000 }, rows: 2, seatsPerRow: 10 }

async function create(fields: object = {}, who = organizer): Promise<string> {
  const answer = await app.call('POST', '/event', { token: who.token, body: { ...draft(), ...fields } })
  expect(answer.status).toBe(201)
  return answer.body.data.id
}
const seat = (eventId: string) =>
  app.call('POST', `/event/${eventId}/seats`, { token: organizer.token, body: { sections: [stalls] } })
const readOwn = async (eventId: string) =>
  (await app.call('GET', `/event/${eventId}`, { token: organizer.token })).body.data
const publish = (eventId: string, who = organizer) =>
  app.call('POST', `/event/${eventId}/publish`, { token: who.token })

describe('creating an event', () => {
  test('answers 201 with a draft that belongs to the caller, defaults filled in', async () => {
    const { status, body } = await app.call('POST', '/event', { token: organizer.token, body: draft() })
    expect(status).toBe(201)
    expect(body.data).toMatchObject({
      status: 'DRAFT',
      mine: true,
      holdSeconds: 900,
      maxSeatsPerBooking: 6,
      maxSeatsPerBuyer: 8,
      onSaleAt: null,
      description: '',
      seats: { total: 0, available: 0 },
      room: { enabled: false, phase: 'off' },
      tiers: [],
      sections: [],
      mapVersion: 0,
    })
  })

  const wrong: [string, object, string][] = [
    ['a start in the past', { startsAt: '2020-01-01T00:00:00Z' }, '/startsAt'],
    ['a start without a zone', { startsAt: '2099-01-01T00:00:00' }, '/startsAt'],
    ['a start that is a sentence', { startsAt: 'tomorrow' }, '/startsAt'],
    ['a start on a day that no month has', { startsAt: '2099-02-30T00:00:00Z' }, '/startsAt'],
    ['a sale in the year nought', { onSaleAt: '0000-01-01T00:00:00Z' }, '/onSaleAt'],
    ['a sale after the start', { onSaleAt: inDays(31) }, '/onSaleAt'],
    ['a zone nobody knows', { timeZone: 'Mars/Olympus' }, '/timeZone'],
    ['an offset instead of a zone', { timeZone: '+07:00' }, '/timeZone'],
    ['a currency nobody knows', { currency: 'XQQ' }, '/currency'],
    ['a currency in small letters', { currency: 'eur' }, '/currency'],
    ['a name of spaces', { name: '   ' }, '/name'],
    ['a hold of four seconds', { holdSeconds: 4 }, '/holdSeconds'],
    ['a hold of more than an hour', { holdSeconds: 3_601 }, '/holdSeconds'],
    ['half a second', { holdSeconds: 5.5 }, '/holdSeconds'],
    ['no seat a booking', { maxSeatsPerBooking: 0 }, '/maxSeatsPerBooking'],
    ['a negative limit', { maxSeatsPerBuyer: -1 }, '/maxSeatsPerBuyer'],
    ['more a booking than a buyer', { maxSeatsPerBooking: 9, maxSeatsPerBuyer: 8 }, '/maxSeatsPerBooking'],
    ['a field nobody knows', { price: 3 }, '/price'],
    ['a status of its own', { status: 'PUBLISHED' }, '/status'],
  ]
  test.each(wrong)('refuses %s, and names the field', async (_what, fields, path) => {
    const answer = await app.call('POST', '/event', {
      token: organizer.token,
      body: { ...draft(), ...fields },
    })
    expect(answer.status).toBe(400)
    expect(answer.body.code).toBe('request_invalid')
    expect(answer.body.details.map((detail: { path: string }) => detail.path)).toContain(path)
  })

  test('a limit left out follows the one that is said', async () => {
    const few = await create({ maxSeatsPerBuyer: 2 })
    const many = await create({ maxSeatsPerBooking: 20 })
    expect(await readOwn(few)).toMatchObject({ maxSeatsPerBooking: 2, maxSeatsPerBuyer: 2 })
    expect(await readOwn(many)).toMatchObject({ maxSeatsPerBooking: 20, maxSeatsPerBuyer: 20 })
  })

  test('needs the permission', async () => {
    expect((await app.call('POST', '/event', { token: buyer.token, body: draft() })).status).toBe(403)
    expect((await app.call('POST', '/event', { body: draft() })).status).toBe(401)
  })

  test('with the same Idempotency-Key makes one event', async () => {
    const body = draft()
    const headers = { 'idempotency-key': Bun.randomUUIDv7() }
    const first = await app.call('POST', '/event', { token: organizer.token, body, headers })
    const again = await app.call('POST', '/event', { token: organizer.token, body, headers })
    expect(again.body.data.id).toBe(first.body.data.id)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
  })
})

describe('who sees an event', () => {
  test('a draft exists for its owner and an administrator only', async () => {
    const eventId = await create()
    await seat(eventId)
    for (const path of ['', '/seats', '/map', '/availability']) {
      const statusFor = async (who?: Person) =>
        (await app.call('GET', `/event/${eventId}${path}`, { token: who?.token })).status
      expect(await statusFor(organizer)).toBe(200)
      expect(await statusFor(admin)).toBe(200)
      expect(await statusFor(other)).toBe(404)
      expect(await statusFor(buyer)).toBe(404)
      expect(await statusFor()).toBe(404)
    }
  })

  test('another’s draft is not found whatever is tried, another’s published event is refused', async () => {
    const hidden = await create()
    const shown = await create()
    await seat(shown)
    await publish(shown)
    const tries: [string, string, object?][] = [
      ['PATCH', '', { name: 'Mine now' }],
      ['DELETE', ''],
      ['POST', '/publish'],
      ['POST', '/cancel'],
      ['POST', '/seats', { sections: [stalls] }],
      ['GET', '/stats'],
      ['GET', '/sales.csv'],
    ]
    for (const [method, path, body] of tries) {
      const statusOf = async (eventId: string) =>
        (await app.call(method, `/event/${eventId}${path}`, { token: other.token, body })).status
      expect(await statusOf(hidden), `${method} ${path}`).toBe(404)
      expect(await statusOf(shown), `${method} ${path}`).toBe(403)
      expect(await statusOf('nonsense'), `${method} ${path}`).toBe(404)
    }
  })

  test('an administrator manages everybody’s', async () => {
    const eventId = await create()
    const answer = await app.call('PATCH', `/event/${eventId}`, {
      token: admin.token,
      body: { name: 'Summer ball' },
    })
    expect(answer.status).toBe(200)
    expect(answer.body.data).toMatchObject({ name: 'Summer ball', mine: true })
  })

  test('an unknown or malformed id is 404', async () => {
    for (const id of [Bun.randomUUIDv7(), 'nonsense', '0', "'; drop table events"])
      for (const path of ['', '/seats', '/map', '/availability'])
        expect((await app.call('GET', `/event/${encodeURIComponent(id)}${path}`)).status).toBe(404)
  })

  test('an id in another spelling is nobody’s, wherever it is asked for', async () => {
    const sale = await app.event()
    const booked = await app.hold(buyer, [sale.seatId(0)])
    const [event, booking] = [sale.eventId.toUpperCase(), booked.body.data.id.toUpperCase()]
    const parts = ['', '/seats', '/map', '/availability', '/stats', '/room']
    for (const path of [...parts.map((part) => `/event/${event}${part}`), `/booking?eventId=${event}`])
      expect([path, (await app.call('GET', path, { token: sale.organizer.token })).status]).toEqual([
        path,
        404,
      ])
    expect((await app.call('GET', `/booking/${booking}`, { token: buyer.token })).status).toBe(404)
  })
})

describe('the list', () => {
  test('shows published events, soonest first, page by page; own ones with mine=true', async () => {
    const quiet = await app.person('ORGANIZER')
    const make = async (days: number) => {
      const eventId = await create({ startsAt: inDays(days) }, quiet)
      const body = { sections: [stalls] }
      await app.call('POST', `/event/${eventId}/seats`, { token: quiet.token, body })
      await publish(eventId, quiet)
      return eventId
    }
    const [late, soon, middle] = [await make(300), await make(100), await make(200)]
    const hidden = await create({ startsAt: inDays(150) }, quiet)

    const seen: { id: string; seats: object; room: object }[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await app.call('GET', `/event?limit=2${cursor ? `&cursor=${cursor}` : ''}`)
      expect(page.status).toBe(200)
      expect(page.body.data.items.length).toBeLessThanOrEqual(2)
      seen.push(...page.body.data.items)
      cursor = page.body.data.nextCursor
    }
    const ids = seen.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.filter((id) => [late, soon, middle, hidden].includes(id))).toEqual([soon, middle, late])
    expect(seen.find(({ id }) => id === soon)).toMatchObject({
      seats: { total: 20, available: 20 },
      room: { enabled: false, phase: 'off' },
    })
    const mine = await app.call('GET', '/event?mine=true', { token: quiet.token })
    expect(mine.body.data.items.map(({ id }: { id: string }) => id)).toEqual([soon, hidden, middle, late])
    expect((await app.call('GET', '/event?mine=true')).status).toBe(401)
  })

  test('refuses a page that is too long, and a cursor it never gave', async () => {
    for (const query of ['limit=201', 'limit=0', 'limit=x', 'cursor=x', 'cursor=1_2', 'colour=red'])
      expect((await app.call('GET', `/event?${query}`)).status, query).toBe(400)
  })
})

describe('changing an event', () => {
  test('changes what is given and keeps the rest', async () => {
    const eventId = await create({ onSaleAt: inDays(10) })
    const body = { location: ' Opera ', onSaleAt: null, holdSeconds: 60 }
    const answer = await app.call('PATCH', `/event/${eventId}`, { token: organizer.token, body })
    expect(answer.body.data).toMatchObject({
      name: 'Winter ball',
      location: 'Opera',
      onSaleAt: null,
      holdSeconds: 60,
    })
  })

  test('holds the result against the same rules, with what was there before', async () => {
    const eventId = await create({ onSaleAt: inDays(10) })
    for (const body of [{ startsAt: inDays(9) }, { maxSeatsPerBuyer: 5 }, { timeZone: 'Nowhere' }, {}])
      expect((await app.call('PATCH', `/event/${eventId}`, { token: organizer.token, body })).status).toBe(
        400,
      )
  })

  test('the currency is fixed once published, and the limit never falls below what a buyer has', async () => {
    const { eventId, organizer: owner, seatId } = await app.event()
    expect((await app.hold(buyer, [0, 1, 2].map(seatId))).status).toBe(201)
    const patch = (body: object) => app.call('PATCH', `/event/${eventId}`, { token: owner.token, body })
    expect((await patch({ currency: 'USD' })).status).toBe(400)
    expect((await patch({ maxSeatsPerBooking: 2, maxSeatsPerBuyer: 2 })).status).toBe(400)
    expect((await patch({ maxSeatsPerBooking: 2, maxSeatsPerBuyer: 3 })).status).toBe(200)
  })
})

describe('publishing, cancelling, deleting', () => {
  test('publishing needs a seat; doing it twice changes nothing', async () => {
    const eventId = await create()
    expect((await publish(eventId)).status).toBe(400)
    await seat(eventId)
    expect((await publish(eventId)).body.data.status).toBe('PUBLISHED')
    expect((await publish(eventId)).status).toBe(200)
    expect((await app.call('GET', `/event/${eventId}`)).body.data.mine).toBe(false)
  })

  test('cancelling leaves the list, stages the refunds once, and ends every change', async () => {
    const eventId = await create()
    await seat(eventId)
    await publish(eventId)
    const cancel = () => app.call('POST', `/event/${eventId}/cancel`, { token: organizer.token })
    expect((await cancel()).body.data.status).toBe('CANCELLED')
    expect((await cancel()).status).toBe(200)
    const staged = await app.context.ledger.db
      .select()
      .from(outbox)
      .where(and(eq(outbox.kind, 'cancel_event')))
    expect(staged.filter(({ payload }) => payload['eventId'] === eventId)).toHaveLength(1)
    const listed = (await app.call('GET', '/event?limit=200')).body.data.items
    expect(listed.map(({ id }: { id: string }) => id)).not.toContain(eventId)
    expect((await app.call('GET', `/event/${eventId}`)).status).toBe(200)
    expect((await publish(eventId)).body.code).toBe('event_not_on_sale')
    expect((await seat(eventId)).body.code).toBe('event_not_on_sale')
    const patched = await app.call('PATCH', `/event/${eventId}`, {
      token: organizer.token,
      body: { name: 'x' },
    })
    expect(patched.body.code).toBe('event_not_on_sale')
  })

  test('an event nobody booked can be deleted with all its seats', async () => {
    const eventId = await create()
    await seat(eventId)
    await publish(eventId)
    expect((await app.call('GET', `/event/${eventId}/availability`)).status).toBe(200)
    const remove = () => app.call('DELETE', `/event/${eventId}`, { token: organizer.token })
    expect((await remove()).status).toBe(200)
    expect((await remove()).status).toBe(404)
    for (const path of ['', '/seats', '/map', '/availability'])
      expect((await app.call('GET', `/event/${eventId}${path}`)).status).toBe(404)
  })

  test('a booked one cannot, not even after the booking was released', async () => {
    const { eventId, organizer: owner, seatId } = await app.event()
    const held = await app.hold(buyer, [seatId(0)])
    const remove = () => app.call('DELETE', `/event/${eventId}`, { token: owner.token })
    expect((await remove()).body.code).toBe('seat_taken')
    await app.call('DELETE', `/booking/${held.body.data.id}`, { token: buyer.token })
    expect((await remove()).body.code).toBe('seat_taken')
    expect((await app.call('GET', `/booking/${held.body.data.id}`, { token: buyer.token })).status).toBe(200)
  })
})
