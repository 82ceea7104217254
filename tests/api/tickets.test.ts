// Holds tickets to the contract: one a paid seat, its buyer's alone, ended by a refund, readable from paper.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { PDFDocument } from 'pdf-lib'
import {
  START_WITHIN_MS,
  startApp,
  type AppHarness,
  type EventForSale,
  type Person,
} from '../support/app-harness.ts'

interface Ticket {
  id: string
  bookingId: string
  code: string
  status: string
}

let app: AppHarness
let event: EventForSale
let buyer: Person
let other: Person
let bookingId: string

beforeAll(async () => {
  app = await startApp()
  event = await app.event({
    name: 'Ночь струн, 夜, Fête',
    sections: [
      { name: 'Stalls', tier: { name: 'Standard', price: 2_500 }, rows: 2, seatsPerRow: 10 },
      { name: 'Floor', tier: { name: 'Standing', price: 1_500 }, capacity: 5 },
    ],
  })
  ;[buyer, other] = (await app.people(2)) as [Person, Person]
  bookingId = await paid(buyer, [0, 1, 20])
}, START_WITHIN_MS)
afterAll(() => app.close())

async function paid({ token, ...person }: Person, seats: number[]): Promise<string> {
  const { body } = await app.hold({ token, ...person }, seats.map(event.seatId))
  await app.call('POST', `/payment/${body.data.id}/confirm`, { token, body: { method: 'sandbox_ok' } })
  return body.data.id
}
const mine = async ({ token }: Person, query = ''): Promise<{ items: Ticket[]; nextCursor: string | null }> =>
  (await app.call('GET', `/ticket/mine${query}`, { token })).body.data
const pagesAt = async (path: string, { token }: Person) => {
  const answer = await fetch(`${app.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/pdf'])
  return (await PDFDocument.load(await answer.arrayBuffer())).getPageCount()
}

test('a paid seat is a ticket with its place, its event and a code nobody can guess', async () => {
  const { items } = await mine(buyer)
  expect(items).toHaveLength(3)
  const codes = items.map(({ code }) => code)
  expect(new Set(codes).size).toBe(3)
  for (const code of codes) expect(Buffer.from(code, 'base64url')).toHaveLength(16)
  const floor = items.find((ticket) => 'section' in ticket && ticket.section === 'Floor')
  expect(floor).toMatchObject({
    bookingId,
    eventId: event.eventId,
    eventName: 'Ночь струн, 夜, Fête',
    location: 'Old hall',
    timeZone: 'Europe/Berlin',
    row: null,
    number: null,
    status: 'VALID',
  })
})

test('the list comes page by page, each ticket once, and is its buyer’s alone', async () => {
  const first = await mine(buyer, '?limit=2')
  const second = await mine(buyer, `?limit=2&cursor=${first.nextCursor}`)
  const seen = [...first.items, ...second.items].map(({ id }) => id)
  expect([seen.length, new Set(seen).size, second.nextCursor]).toEqual([3, 3, null])
  expect((await mine(other)).items).toEqual([])
  const foreign = await app.call('GET', '/ticket/mine?cursor=x', { token: buyer.token })
  expect(foreign.body.code).toBe('request_invalid')
  expect((await app.call('GET', '/ticket/mine')).status).toBe(401)
})

test('an unpaid booking has no ticket and no paper', async () => {
  const person = await app.person()
  const { body } = await app.hold(person, [event.seatId(10)])
  expect((await mine(person)).items).toEqual([])
  const paper = await app.call('GET', `/booking/${body.data.id}/tickets.pdf`, { token: person.token })
  expect([paper.status, paper.body.code]).toEqual([404, 'not_found'])
})

test('on paper: a page a ticket, whatever letters the event has', async () => {
  const { items } = await mine(buyer)
  expect(await pagesAt(`/booking/${bookingId}/tickets.pdf`, buyer)).toBe(3)
  expect(await pagesAt(`/ticket/${items[0]!.id}.pdf`, buyer)).toBe(1)
})

test('paper is for its buyer alone, and only for what exists', async () => {
  const { items } = await mine(buyer)
  const paths = [`/ticket/${items[0]!.id}.pdf`, `/booking/${bookingId}/tickets.pdf`]
  for (const path of paths) {
    const answer = await app.call('GET', path, { token: other.token })
    expect([path, answer.status, answer.body.code]).toEqual([path, 404, 'not_found'])
  }
  for (const path of [`/ticket/${items[0]!.id}`, '/ticket/x.pdf', `/ticket/${Bun.randomUUIDv7()}.pdf`]) {
    const answer = await app.call('GET', path, { token: buyer.token })
    expect([path, answer.status, answer.body.code]).toEqual([path, 404, 'not_found'])
  }
})

test('a refund of one seat ends its ticket and its paper, and no other', async () => {
  const person = await app.person()
  const id = await paid(person, [5, 6])
  const refund = { token: event.organizer.token, body: { seatIds: [event.seatId(5)], reason: 'Ill' } }
  expect((await app.call('POST', `/payment/${id}/refund`, refund)).status).toBe(200)
  const { items } = await mine(person)
  expect(items.map(({ status }) => status).toSorted()).toEqual(['REFUNDED', 'VALID'])
  expect(await pagesAt(`/booking/${id}/tickets.pdf`, person)).toBe(1)
  const ended = items.find(({ status }) => status === 'REFUNDED')!
  const paper = await app.call('GET', `/ticket/${ended.id}.pdf`, { token: person.token })
  expect(paper.status).toBe(404)
})

describe('at the door', () => {
  const scan = async (body: object, person = staff) =>
    (await app.call('POST', '/ticket/scan', { token: person.token, body })).body.data
  let staff: Person
  const refusal = async (body: object) =>
    (await app.call('POST', '/ticket/scan', { token: staff.token, body })).body.code
  beforeAll(async () => {
    staff = await app.person('STAFF')
  })

  test('of many doors that scan one code at once, one is told to open', async () => {
    const person = await app.person()
    await paid(person, [15])
    const { code } = (await mine(person)).items[0]!
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => scan({ code, gate: `Gate ${i}` })))
    const opened = answers.filter(({ result }) => result === 'admitted')
    expect(opened).toHaveLength(1)
    for (const answer of answers.filter(({ result }) => result !== 'admitted')) {
      expect(answer.result).toBe('already_used')
      // Whoever is refused is told where the ticket was used, and when.
      expect([answer.ticket.gate, answer.ticket.usedAt]).toEqual([
        opened[0].ticket.gate,
        opened[0].ticket.usedAt,
      ])
    }
  })

  test('a made-up code, another event’s door and a refunded ticket stay outside', async () => {
    const person = await app.person()
    const id = await paid(person, [16])
    const { code } = (await mine(person)).items[0]!
    expect(await scan({ code: 'made-up' })).toEqual({ result: 'invalid', ticket: null })
    const elsewhere = await app.event()
    expect(await scan({ code, eventId: elsewhere.eventId })).toEqual({ result: 'wrong_event', ticket: null })
    const refund = { token: event.organizer.token, body: { reason: 'Ill' } }
    expect((await app.call('POST', `/payment/${id}/refund`, refund)).status).toBe(200)
    expect((await scan({ code, eventId: event.eventId })).result).toBe('refunded')
  })

  test('the right door opens for a ticket that a wrong one refused', async () => {
    const person = await app.person()
    await paid(person, [17])
    const { code } = (await mine(person)).items[0]!
    await scan({ code, eventId: (await app.event()).eventId })
    const { result, ticket } = await scan({ code, eventId: event.eventId })
    expect([result, ticket.row, ticket.number]).toEqual(['admitted', 'B', '8'])
  })

  test('counts whom it let in since a moment, at this door and at all', async () => {
    const person = await app.person()
    await paid(person, [18, 19])
    const codes = (await mine(person)).items.map(({ code }) => code)
    const since = new Date().toISOString()
    await scan({ code: codes[0]!, gate: 'North' })
    await scan({ code: codes[1]!, gate: 'South' })
    await scan({ code: codes[1]!, gate: 'North' })
    const count = async (query: string) =>
      (await app.call('GET', `/ticket/admissions?${query}`, { token: staff.token })).body.data
    expect(await count(`eventId=${event.eventId}&since=${since}&gate=North`)).toEqual({
      admitted: 2,
      atGate: 1,
    })
    expect(await count(`eventId=${event.eventId}&since=${since}`)).toEqual({ admitted: 2, atGate: 0 })
    const later = new Date(Date.now() + 1_000).toISOString()
    expect(await count(`eventId=${event.eventId}&since=${later}`)).toEqual({ admitted: 0, atGate: 0 })
  })

  test('a code without end, an unknown field or a malformed event is refused in words', async () => {
    expect(await refusal({ code: 'x'.repeat(65) })).toBe('request_invalid')
    expect(await refusal({ code: 'x', door: 'B' })).toBe('request_invalid')
    expect(await refusal({ code: 'x', eventId: 'y' })).toBe('not_found')
    expect(await refusal({})).toBe('request_invalid')
  })
})
