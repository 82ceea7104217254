// Holds seats kept for who needs them to their promises: marked, shown, chosen on request, released by the organiser.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { NewSection } from '../../db/seats.ts'
import { expandAccess } from '../../server/protocol/seat-map.ts'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'

let app: AppHarness
let buyer: Person

beforeAll(async () => {
  app = await startApp({ rateLimit: false })
  buyer = await app.person()
}, START_WITHIN_MS)
afterAll(() => app.close())

/** Rows A and B of six, numbered 5 3 1 2 4 6 from the left: n 7 and 8 are seats 3 and 1 of row B. */
const STALLS: NewSection = {
  name: 'Stalls',
  tier: { name: 'Standard', price: 2_500 },
  rows: 2,
  seatsPerRow: 6,
  numbering: 'odd-even',
  access: [{ row: 'B', accessible: ['3'], companion: ['1'] }],
}
const marked = () => app.event({ sections: [STALLS] })
const list = async (eventId: string, query = '') =>
  (await app.call('GET', `/event/${eventId}/seats?${query}`)).body.data.items as {
    n: number
    access: string
  }[]
const best = (body: object) => app.call('POST', '/booking/best', { token: buyer.token, body })
const numbers = (answer: { body: { data: { seats: { n: number }[] } } }) =>
  answer.body.data.seats.map(({ n }) => n)

describe('seats kept for who needs them', () => {
  test('are made by row and number, and shown in the list and on the map', async () => {
    const { eventId } = await marked()
    const kept = (await list(eventId)).filter(({ access }) => access !== 'standard')
    expect(kept.map(({ n, access }) => [n, access])).toEqual([
      [7, 'accessible'],
      [8, 'companion'],
    ])
    expect((await list(eventId, 'access=companion')).map(({ n }) => n)).toEqual([8])
    const { data: map } = (await app.call('GET', `/event/${eventId}/map`)).body
    expect(map.access).toEqual({ accessible: [[7, 1]], companion: [[8, 1]] })
    expect([...expandAccess(map)]).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0])
  })

  test('may be asked for again without making anything; another marking is another layout', async () => {
    const { eventId, organizer } = await marked()
    const create = (section: object) =>
      app.call('POST', `/event/${eventId}/seats`, { token: organizer.token, body: { sections: [section] } })
    expect((await create(STALLS)).body.data.created).toBe(0)
    const other = await create({ ...STALLS, access: [{ row: 'B', accessible: ['5'] }] })
    expect([other.status, other.body.details[0].path]).toEqual([400, '/sections/0/name'])
  })

  test.each([
    [{ row: 'Z', accessible: ['1'] }, '/sections/0/access/0/row'],
    [{ row: 'A', accessible: ['7'] }, '/sections/0/access/0'],
    [{ row: 'A', accessible: ['0'] }, '/sections/0/access/0'],
    [{ row: 'A', accessible: ['one'] }, '/sections/0/access/0'],
    [{ row: 'A', accessible: ['1'], companion: ['1'] }, '/sections/0/access/0'],
  ])('%j names no seat, or one twice, and is refused', async (mark, path) => {
    const { eventId, organizer } = await app.event()
    const body = { sections: [{ ...STALLS, name: 'Circle', access: [mark] }] }
    const answer = await app.call('POST', `/event/${eventId}/seats`, { token: organizer.token, body })
    expect([answer.status, answer.body.details[0].path]).toEqual([400, path])
  })

  test('are the best for who asks for one, with who comes along, and for nobody else', async () => {
    const { eventId } = await marked()
    const wanted = await best({ eventId, quantity: 2, accessible: true })
    expect([wanted.status, numbers(wanted)]).toEqual([201, [7, 8]])
    const none = await best({ eventId, quantity: 1, accessible: true })
    expect([none.status, none.body.code]).toEqual([409, 'sold_out'])
  })

  test('are left when all others are gone, until the organiser releases them', async () => {
    const { eventId, organizer, seatId } = await marked()
    for (const seats of [
      [0, 1, 2, 3, 4, 5],
      [6, 9, 10, 11],
    ]) {
      const [one] = await app.people(1)
      expect((await app.hold(one!, seats.map(seatId))).status).toBe(201)
    }
    const kept = await best({ eventId, quantity: 1 })
    expect([kept.body.code, kept.body.message]).toEqual([
      'sold_out',
      'Only accessible seats and those of companions are left. They are kept for people who need them.',
    ])
    const patch = (body: object) =>
      app.call('PATCH', `/event/${eventId}/seats`, {
        token: organizer.token,
        body: { reason: 'two days to go', ...body },
      })
    const seatIds = [seatId(7), seatId(8)]
    const before = (await app.call('GET', `/event/${eventId}`)).body.data.mapVersion
    expect((await patch({ seatIds, access: 'standard' })).body.data.changed).toBe(2)
    expect((await patch({ seatIds, access: 'standard' })).body.data.changed).toBe(0)
    expect((await app.call('GET', `/event/${eventId}`)).body.data.mapVersion).toBe(before + 1)
    expect((await app.call('GET', `/event/${eventId}/map`)).body.data).not.toHaveProperty('access')
    expect(numbers(await best({ eventId, quantity: 2 }))).toEqual([7, 8])
  })

  test('may be picked by whoever says by that to need one, and keep their kind when sold', async () => {
    const { eventId, organizer, seatId } = await marked()
    expect((await app.hold(buyer, [seatId(7)])).status).toBe(201)
    const patch = (body: object) =>
      app.call('PATCH', `/event/${eventId}/seats`, {
        token: organizer.token,
        body: { reason: 'mistake', ...body },
      })
    // Whom a seat is kept for may change at any time; whether it is on sale may not.
    expect((await patch({ seatIds: [seatId(7)], access: 'companion' })).body.data.changed).toBe(1)
    expect((await patch({ seatIds: [seatId(7)], access: 'standard', status: 'BLOCKED' })).body.code).toBe(
      'seat_taken',
    )
    expect((await list(eventId, 'access=companion')).map(({ n }) => n)).toEqual([7, 8])
    expect((await patch({ seatIds: [seatId(7)] })).body.code).toBe('request_invalid')
  })

  test('are never places of a general area, which have no neighbours', async () => {
    const floor = { name: 'Floor', tier: { name: 'Standing', price: 1_000 }, capacity: 4 }
    const { eventId, organizer, seatId } = await app.event({ sections: [floor] })
    const body = { seatIds: [seatId(0)], access: 'accessible', reason: 'platform' }
    const answer = await app.call('PATCH', `/event/${eventId}/seats`, { token: organizer.token, body })
    expect([answer.status, answer.body.details[0].path]).toEqual([400, '/seatIds'])
    const sections = [{ ...floor, name: 'Pit', access: [{ row: 'A', accessible: ['1'] }] }]
    const made = await app.call('POST', `/event/${eventId}/seats`, {
      token: organizer.token,
      body: { sections },
    })
    expect(made.status).toBe(400)
  })
})
