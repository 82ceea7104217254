// Holds what is answered before the pipeline to what its route answers: the same words, headers, figures and refusals.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { REVALIDATE } from '../../server/events/bytes.ts'
import {
  START_WITHIN_MS,
  startApp,
  type Answer,
  type AppHarness,
  type EventForSale,
  type Person,
} from '../support/app-harness.ts'

let app: AppHarness
let event: EventForSale
let buyer: Person
beforeAll(async () => {
  app = await startApp()
  event = await app.event()
  buyer = await app.person()
  // From now on both are in memory.
  for (const path of directReads()) await app.call('GET', path)
}, START_WITHIN_MS)
afterAll(() => app.close())

const directReads = () => [`/event/${event.eventId}/availability`, `/booking?eventId=${event.eventId}`]
/** A question that says nothing, but is not the plain one. */
const throughTheRoute = (path: string) => `${path}${path.includes('?') ? '&limit=50' : '?'}`

async function counted(route: string): Promise<number> {
  const { body } = await app.call('GET', '/metrics')
  const line = String(body)
    .split('\n')
    .find((each) => each.startsWith('http_requests_total{') && each.includes(`route="${route}"`))
  return Number(line?.split(' ').at(-1) ?? 0)
}

describe('a read from memory', () => {
  test('says what the route says, under the same tag', async () => {
    for (const path of directReads()) {
      const [direct, routed] = [await app.call('GET', path), await app.call('GET', throughTheRoute(path))]
      expect([direct.status, direct.body]).toEqual([routed.status, routed.body])
      for (const name of ['etag', 'cache-control', 'vary', 'content-type', 'x-frame-options'])
        expect([name, direct.headers.get(name)]).toEqual([name, routed.headers.get(name)])
      expect(direct.headers.get('cache-control')).toBe(REVALIDATE)
    }
  })

  test('carries the id it was given and the time, is known by its tag, and has a head', async () => {
    for (const path of directReads()) {
      const plain = { 'accept-encoding': 'identity' }
      const first = await app.call('GET', path, { headers: { ...plain, 'x-request-id': 'given-by.me' } })
      expect(first.headers.get('x-request-id')).toBe('given-by.me')
      expect(Math.abs(Number(first.headers.get('x-server-time')) - Date.now())).toBeLessThan(60_000)
      const etag = first.headers.get('etag')!
      const known = await app.call('GET', path, { headers: { 'if-none-match': `"other", W/${etag}` } })
      expect([known.status, known.body]).toEqual([304, ''])
      const head = await fetch(`${app.url}/api/v1${path}`, { method: 'HEAD', headers: plain })
      expect([head.status, head.headers.get('etag')]).toEqual([200, etag])
      expect(Number(head.headers.get('content-length'))).toBe(JSON.stringify(first.body).length)
    }
  })

  test('changes with the seats', async () => {
    const [availability, list] = await Promise.all(directReads().map((path) => app.call('GET', path)))
    expect((await app.hold(buyer, [event.seatId(3)])).status).toBe(201)
    const deadline = Date.now() + 5_000
    for (;;) {
      const now = await Promise.all(directReads().map((path) => app.call('GET', path)))
      const changed = now.every(
        ({ headers }, i) => headers.get('etag') !== [availability, list][i]!.headers.get('etag'),
      )
      if (changed) return expect(now[1]!.body.data.items.map(({ n }: { n: number }) => n)).not.toContain(3)
      if (Date.now() > deadline) throw new Error('the answers did not change')
      await Bun.sleep(20)
    }
  })

  test('is counted under the name of its route', async () => {
    const route = '/api/v1/event/:eventId/availability'
    const before = await counted(route)
    await app.call('GET', directReads()[0]!)
    await app.call('GET', throughTheRoute(directReads()[0]!))
    expect(await counted(route)).toBe(before + 2)
  })

  test('does not exist for a draft, nor for an event of nobody', async () => {
    const draft = await app.event({ published: false })
    const { token } = draft.organizer
    expect((await app.call('GET', `/event/${draft.eventId}/availability`, { token })).status).toBe(200)
    for (const id of [draft.eventId, Bun.randomUUIDv7()])
      expect((await app.call('GET', `/event/${id}/availability`)).body.code).toBe('not_found')
  })
})

/** With a charset the request goes through the pipeline. */
const ways = ['application/json', 'application/json; charset=utf-8']
const hold = (kind: string, body: unknown, token?: string, headers = {}) =>
  app.call('POST', '/booking', {
    token,
    raw: JSON.stringify(body),
    headers: { 'content-type': kind, ...headers },
  })
const shape = ({ status, body }: Answer) => {
  const { timestamp: _at, requestId: _id, ...rest } = body
  return [status, rest]
}

describe('a write with a plain body', () => {
  test('is refused as the route refuses it', async () => {
    const { eventId, seatId } = await app.event()
    const other = await app.person()
    expect((await app.hold(other, [seatId(1)])).status).toBe(201)
    const { token } = buyer
    const wishes: [string, unknown, string | undefined][] = [
      ['unauthenticated', { seatId: seatId(0) }, undefined],
      ['unauthenticated', { seatId: seatId(0) }, 'no token'],
      ['seat_taken', { seatId: seatId(1) }, token],
      ['seat_taken', { seatIds: [seatId(0), seatId(1)] }, token],
      ['request_invalid', { seatIds: [seatId(0), seatId(0)] }, token],
      ['request_invalid', { seatId: seatId(0), seatIds: [seatId(0)] }, token],
      ['request_invalid', { seatIds: [] }, token],
      ['not_found', { seatId: `${eventId}:999` }, token],
      ['not_found', { seatId: 'nothing' }, token],
    ]
    for (const [code, body, who] of wishes) {
      const [direct, routed] = [await hold(ways[0]!, body, who), await hold(ways[1]!, body, who)]
      expect([code, shape(direct)]).toEqual([routed.body.code, shape(routed)])
      expect(direct.body.requestId).toBe(direct.headers.get('x-request-id'))
      expect(direct.headers.get('x-content-type-options')).toBe('nosniff')
    }
  })

  test('repeated either way gets the first answer', async () => {
    const { seatId } = await app.event()
    const key = { 'idempotency-key': 'once and for all' }
    const first = await hold(ways[0]!, { seatId: seatId(0) }, buyer.token, key)
    expect(first.status).toBe(201)
    for (const kind of ways) {
      const again = await hold(kind, { seatId: seatId(0) }, buyer.token, key)
      expect([again.status, again.body]).toEqual([201, first.body])
      expect(again.headers.get('idempotency-replayed')).toBe('true')
    }
  })

  test('is not possible for an ended session', async () => {
    const { seatId } = await app.event()
    const who = await app.person()
    expect((await hold(ways[0]!, { seatId: seatId(0) }, who.token)).status).toBe(201)
    await app.call('POST', '/auth/logout', { token: who.token })
    for (const kind of ways)
      expect((await hold(kind, { seatId: seatId(1) }, who.token)).body.code).toBe('unauthenticated')
  })
})
