// Holds changing a draft's sections to its promises: in place, without a hole, marks kept, and never once buyers saw the map.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { MapView, SeatView } from '../../server/protocol/http.ts'
import { startApp, type AppHarness, type Person } from '../support/app-harness.ts'

let app: AppHarness
let organizer: Person
let buyer: Person

beforeAll(async () => {
  app = await startApp({ rateLimit: false })
  ;[organizer, buyer] = await Promise.all([app.person('ORGANIZER'), app.person()])
})
afterAll(() => app.close())

const DAY_MS = 86_400_000
const A = { name: 'A', price: 5_000 }
const B = { name: 'B', price: 3_000 }
const stalls = { name: 'Stalls', tier: A, rows: 2, seatsPerRow: 5 }
const circle = { name: 'Circle', tier: B, rows: 3, seatsPerRow: 4, shape: 'arc', numbering: 'odd-even' }
const floor = { name: 'Floor', tier: A, capacity: 6 }
/** What a path must not hold. */
const HOSTILE = '../<b>\u202e"%2e%2e/مهرجان'

const call = (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object) =>
  app.call(method, path, { token: organizer.token, ...(body && { body }) })
const sectionPath = (eventId: string, name: string) =>
  `/event/${eventId}/sections?section=${encodeURIComponent(name)}`
const change = (eventId: string, name: string, body: object) => call('PUT', sectionPath(eventId, name), body)
const remove = (eventId: string, name: string) => call('DELETE', sectionPath(eventId, name))
const mapOf = async (eventId: string): Promise<MapView> =>
  (await call('GET', `/event/${eventId}/map`)).body.data
const seatsOf = async (eventId: string): Promise<SeatView[]> =>
  (await call('GET', `/event/${eventId}/seats?limit=200`)).body.data.items
const block = (eventId: string, n: number[]) =>
  call('PATCH', `/event/${eventId}/seats`, {
    seatIds: n.map((one) => `${eventId}:${one}`),
    status: 'BLOCKED',
    reason: 'camera',
  })

async function draft(sections: object[]): Promise<string> {
  const { body } = await call('POST', '/event', {
    name: 'Winter ball',
    location: 'Town hall',
    startsAt: new Date(Date.now() + 30 * DAY_MS).toISOString(),
    currency: 'EUR',
    timeZone: 'Europe/Berlin',
  })
  const { id } = body.data
  if (sections.length > 0) expect((await call('POST', `/event/${id}/seats`, { sections })).status).toBe(201)
  return id
}

/** A map without what only counts its changes. */
const geometry = (map: MapView) => ({ ...map, mapVersion: 0 })
const places = (seats: SeatView[]) =>
  seats.map(({ n, section, row, number, tier, price, status }) => [
    n,
    section,
    row,
    number,
    tier,
    price.amount,
    status,
  ])

/** An edited house is the one that would have been made at once. */
async function expectAsMade(eventId: string, sections: object[]): Promise<void> {
  const fresh = await draft(sections)
  expect(geometry(await mapOf(eventId))).toEqual(geometry(await mapOf(fresh)))
  expect(places(await seatsOf(eventId))).toEqual(places(await seatsOf(fresh)))
  const { body } = await call('GET', `/event/${eventId}`)
  const again = (await call('GET', `/event/${fresh}`)).body
  expect(body.data.sections).toEqual(again.data.sections)
  expect(body.data.tiers).toEqual(again.data.tiers)
  expect(body.data.seats).toEqual(again.data.seats)
}

describe('a section of a draft', () => {
  test('is changed in its place, and the seats behind it follow without a hole', async () => {
    const eventId = await draft([stalls, circle, floor])
    const wider = { ...stalls, rows: 3, seatsPerRow: 7, shape: 'arc' }
    const { status, body } = await change(eventId, 'Stalls', wider)
    expect([status, body.data]).toEqual([200, { total: 39, mapVersion: 2 }])
    await expectAsMade(eventId, [wider, circle, floor])
    const area = { name: HOSTILE, tier: B, capacity: 1 }
    expect((await change(eventId, 'Circle', area)).status).toBe(200)
    await expectAsMade(eventId, [wider, area, floor])
    expect((await change(eventId, HOSTILE, circle)).status).toBe(200)
    await expectAsMade(eventId, [wider, circle, floor])
  })

  test('is taken away with the tier that only it used, whose name may come back at another price', async () => {
    const eventId = await draft([circle, stalls, floor])
    expect((await remove(eventId, 'Circle')).body.data).toEqual({ total: 16, mapVersion: 2 })
    await expectAsMade(eventId, [stalls, floor])
    const dearer = { ...circle, tier: { ...B, price: 9_900 } }
    expect((await call('POST', `/event/${eventId}/seats`, { sections: [dearer] })).status).toBe(201)
    await expectAsMade(eventId, [stalls, floor, dearer])
    for (const name of ['Stalls', 'Floor', 'Circle']) expect((await remove(eventId, name)).status).toBe(200)
    await expectAsMade(eventId, [])
    expect((await remove(eventId, 'Stalls')).status).toBe(404)
  })

  test('keeps off sale what was, where the row and the number still exist; a buyer finds what the map says', async () => {
    const eventId = await draft([stalls, circle])
    // Stalls A 2, and of the circle B 1, which stands at i = 1 of its second row.
    const circleB1 = (await seatsOf(eventId)).find(
      (s) => s.section === 'Circle' && s.row === 'B' && s.number === '1',
    )!
    expect((await block(eventId, [1, 9, circleB1.n])).body.data.changed).toBe(3)
    await change(eventId, 'Stalls', { ...stalls, rows: 1, seatsPerRow: 3, numbering: 'right-to-left' })
    const blocked = (await seatsOf(eventId)).filter(({ status }) => status === 'BLOCKED')
    expect(blocked.map(({ n, section, row, number }) => [n, section, row, number])).toEqual([
      [1, 'Stalls', 'A', '2'],
      [circleB1.n - 7, 'Circle', 'B', '1'],
    ])
    await call('POST', `/event/${eventId}/publish`)
    const hold = (n: number) =>
      app.call('POST', '/booking', { token: buyer.token, body: { seatIds: [`${eventId}:${n}`] } })
    expect((await hold(1)).body.code).toBe('seat_taken')
    expect((await hold(circleB1.n - 7)).body.code).toBe('seat_taken')
    // Off sale before the change, now another seat's place.
    expect((await hold(9)).status).toBe(201)
    expect((await hold(2)).status).toBe(201)
  })

  test('keeps seats for who needs them, unless the change says whom', async () => {
    const access = [{ row: 'A', accessible: ['1'], companion: ['2'] }]
    const eventId = await draft([{ ...stalls, access }, circle])
    await change(eventId, 'Stalls', { ...stalls, seatsPerRow: 6 })
    expect((await mapOf(eventId)).access).toEqual({ accessible: [[0, 1]], companion: [[1, 1]] })
    await change(eventId, 'Stalls', { ...stalls, access: [{ row: 'B', accessible: ['5'] }] })
    expect((await mapOf(eventId)).access).toEqual({ accessible: [[9, 1]], companion: [] })
  })

  const wrong: [string, object, string][] = [
    ['no rows', { ...stalls, rows: 0 }, '/rows'],
    ['the name of another', { ...stalls, name: ' Circle ' }, '/name'],
    ['a name of 300 characters', { ...stalls, name: 'W'.repeat(300) }, '/name'],
    ['another price for a tier that others use', { ...stalls, tier: { ...A, price: 1 } }, '/tier/price'],
    ['rows of the same name', { ...stalls, rowLabels: ['A', 'A'] }, '/rowLabels'],
    ['more seats than an event may have', { ...stalls, rows: 1_000, seatsPerRow: 201 }, '/'],
  ]
  test.each(wrong)('is not changed to %s, and nothing is lost', async (_what, body, path) => {
    const eventId = await draft([stalls, circle, floor])
    const before = await mapOf(eventId)
    const answer = await change(eventId, 'Stalls', body)
    expect([answer.status, answer.body.code]).toEqual([400, 'request_invalid'])
    if (path !== '/rows' && !path.startsWith('/name')) expect(answer.body.details[0].path).toBe(path)
    expect(await mapOf(eventId)).toEqual(before)
  })

  test('stays once the event is published, booked or cancelled', async () => {
    const eventId = await draft([stalls, circle])
    await call('POST', `/event/${eventId}/publish`)
    const refused = async () =>
      Promise.all([
        remove(eventId, 'Stalls'),
        change(eventId, 'Stalls', stalls),
        call('PATCH', `/event/${eventId}/tiers?tier=A`, { price: 1 }),
      ]).then((answers) => answers.map(({ body }) => body.code))
    expect(await refused()).toEqual(Array(3).fill('request_invalid'))
    const held = await app.call('POST', '/booking', {
      token: buyer.token,
      body: { seatIds: [`${eventId}:0`] },
    })
    await app.call('DELETE', `/booking/${held.body.data.id}`, { token: buyer.token })
    expect(await refused()).toEqual(Array(3).fill('seat_taken'))
    await call('POST', `/event/${eventId}/cancel`)
    expect(await refused()).toEqual(Array(3).fill('event_not_on_sale'))
    expect((await seatsOf(eventId)).length).toBe(22)
  })
})

describe('a tier of a draft', () => {
  test('is renamed and repriced for every section that uses it', async () => {
    const eventId = await draft([stalls, circle, floor])
    const patch = (body: object, tier = 'A') =>
      call('PATCH', `/event/${eventId}/tiers?tier=${encodeURIComponent(tier)}`, body)
    expect((await patch({ name: HOSTILE, price: 0 })).status).toBe(200)
    const free = { name: HOSTILE, price: 0 }
    await expectAsMade(eventId, [{ ...stalls, tier: free }, circle, { ...floor, tier: free }])
    expect((await patch({ price: 1 })).status).toBe(404)
    const taken = await patch({ name: 'B' }, HOSTILE)
    expect([taken.body.code, taken.body.details[0].path]).toEqual(['request_invalid', '/name'])
  })
})
