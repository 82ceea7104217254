// Holds the edge to its one error shape: whatever is sent, the answer names a code, and says nothing of the inside.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { ERROR_STATUS, LIMITS, REASON, type ErrorCode } from '../../server/protocol/codes.ts'
import {
  START_WITHIN_MS,
  startApp,
  type Answer,
  type AppHarness,
  type EventForSale,
  type Person,
} from '../support/app-harness.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const INSIDE = /select|insert|relation|column|postgres|drizzle|redis|\.ts\b|node_modules|at \w+ \(/i

let app: AppHarness
let event: EventForSale
let buyer: Person

beforeAll(async () => {
  app = await startApp()
  event = await app.event()
  buyer = await app.person()
}, START_WITHIN_MS)
afterAll(() => app.close())

function expectRefused(answer: Answer, code: ErrorCode, path = answer.body.path) {
  const status = ERROR_STATUS[code]
  expect([answer.status, answer.body.code, answer.body.path]).toEqual([status, code, path])
  expect(answer.body).toMatchObject({ statusCode: status, error: REASON[status] })
  expect(answer.body.message.length).toBeGreaterThan(0)
  expect(new Date(answer.body.timestamp).toISOString()).toBe(answer.body.timestamp)
  expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'))
  expect(JSON.stringify(answer.body)).not.toMatch(INSIDE)
}
const post = (raw: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = JSON_TYPE) =>
  app.call('POST', '/booking', { token: buyer.token, raw, headers })

const fill = (bytes: number) => `{"seatId":"${'x'.repeat(bytes - 13)}"}`
/** The code that a body of this size gets when only its chunks say how long it is. */
const chunked = async (bytes: number) => {
  const body = `7b\r\n{"seatId":"${'x'.repeat(112)}\r\n`
  const rest = Math.max(0, bytes - 0x7b)
  const text = await rawRequest(
    `POST /api/v1/booking HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${buyer.token}\r\n` +
      `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n` +
      `${body}${rest.toString(16)}\r\n${'x'.repeat(rest - 2)}"}\r\n0\r\n\r\n`,
  )
  return /"code":"(\w+)"/.exec(text)?.[1]
}

describe('bodies that are not what they should be', () => {
  test.each([
    ['half an object', '{"seatId":'],
    ['nothing', ''],
    ['a word', 'seat'],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['a number', '7'],
    ['null', 'null'],
    ['a very deep list', '['.repeat(30_000)],
    ['a deep list that ends', `{"seatIds":${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
    ['a wrong type', '{"seatId":7}'],
    ['a huge number', '{"seatIds":[1e999]}'],
    ['an unknown field', '{"seatId":"x","admin":true}'],
    ['a prototype', '{"__proto__":{"seatId":"x"}}'],
    ['a prototype beside a field', '{"seatId":"x","__proto__":{"admin":true}}'],
    ['a constructor', '{"seatId":"x","constructor":{"prototype":{"admin":true}}}'],
    ['a hundred and one seats', JSON.stringify({ seatIds: Array.from({ length: 101 }, (_, n) => `x:${n}`) })],
  ])('%s is request_invalid', async (_name, raw) => {
    expectRefused(await post(raw), 'request_invalid', '/api/v1/booking')
    expect(Object.hasOwn(Object.prototype, 'admin')).toBe(false)
  })

  test('bytes that are no UTF-8 are request_invalid', async () => {
    expectRefused(await post(new Uint8Array([0x7b, 0xff, 0xfe, 0x7d])), 'request_invalid')
  })

  test('each wrong field is named by its path, never with what was sent', async () => {
    const answer = await post('{"seatIds":["ok", 5],"hunter2":"hunter2-value"}')
    expectRefused(answer, 'request_invalid')
    const paths = answer.body.details.map(({ path }: { path: string }) => path)
    expect(paths).toContain('/seatIds/1')
    expect(JSON.stringify(answer.body)).not.toContain('hunter2-value')
  })

  test.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['application/jsonp'],
    [''],
  ])('sent as %p is request_invalid: a form of another site could send it', async (kind) => {
    expectRefused(await post(`{"seatId":"${event.seatId(0)}"}`, { 'content-type': kind }), 'request_invalid')
  })

  test('where no body is taken its fields are unknown ones, and an empty one says nothing', async () => {
    const { eventId, organizer } = event
    const routes: [method: string, path: string][] = [
      ['POST', `/event/${eventId}/publish`],
      ['POST', `/event/${eventId}/room/resume`],
      ['DELETE', `/booking/${Bun.randomUUIDv7()}`],
    ]
    for (const [method, path] of routes) {
      const ask = (body: unknown, token?: string) =>
        app.call(method, path, { body, ...(token ? { token } : {}) })
      const refused = await ask({ when: 'now' }, organizer.token)
      expectRefused(refused, 'request_invalid', `/api/v1${path}`)
      expect(refused.body.details).toEqual([{ path: '/when', message: 'Unexpected property' }])
      expect((await ask({}, organizer.token)).body.code).not.toBe('request_invalid')
      expect((await ask({ when: 'now' })).body.code).toBe('unauthenticated')
    }
  })

  test('more than 64 KiB is body_too_large, and the limit itself is not', async () => {
    expectRefused(await post(fill(LIMITS.bodyBytes + 1)), 'body_too_large')
    expectRefused(await post(fill(LIMITS.bodyBytes)), 'request_invalid')
  })

  test('a body that does not say its length is held to the same limit', async () => {
    expect(await chunked(LIMITS.bodyBytes + 1)).toBe('body_too_large')
    expect(await chunked(1_000)).toBe('request_invalid')
  })

  test('text that no database can keep is request_invalid, wherever it stands', async () => {
    const { token } = event.organizer
    const bad = ['nul\u0000inside', 'half a pair \ud800']
    for (const text of bad) {
      const refund = { token, body: { reason: text } }
      expectRefused(
        await app.call('POST', `/payment/${Bun.randomUUIDv7()}/refund`, refund),
        'request_invalid',
      )
      const wishes = { name: text, location: 'x', startsAt: '2030-01-01T00:00:00Z' }
      const made = { token, body: { ...wishes, currency: 'EUR', timeZone: 'Europe/Berlin' } }
      expectRefused(await app.call('POST', '/event', made), 'request_invalid')
    }
    expectRefused(await app.call('GET', `/event/${event.eventId}/seats?section=%00`), 'request_invalid')
  })

  test('a moment that no calendar has is request_invalid, wherever it stands', async () => {
    const room = { enabled: false, activeMax: 1, doorSeconds: 0, passSeconds: 60, graceSeconds: 60 }
    const { eventId } = event
    const { token } = await app.person('ADMIN')
    for (const at of [
      '0000-01-01T00:00:00Z',
      '+010000-01-01T00:00:00Z',
      '2099-02-30T00:00:00Z',
      '2099-06-01',
    ]) {
      const asked: [method: string, path: string, body?: object][] = [
        ['PUT', `/event/${eventId}/room`, { ...room, lobbyAt: at }],
        ['POST', `/event/${eventId}/room/priority/invitations`, { count: 1, expiresAt: at }],
        ['GET', `/ticket/admissions?eventId=${eventId}&since=${encodeURIComponent(at)}`],
      ]
      for (const [method, path, body] of asked) {
        const answer = await app.call(method, path, { token, ...(body ? { body } : {}) })
        expectRefused(answer, 'request_invalid', `/api/v1${path.split('?')[0]}`)
      }
    }
  })

  test('a field named as the language names its own is request_invalid, and no fault', async () => {
    for (const email of ['{"toString":1}', '{"valueOf":1,"toString":2}', '{"__proto__":{"a":1}}', '"x"']) {
      const raw = `{"email":${email},"password":{"toString":1}}`
      const headers = { 'content-type': 'application/json' }
      expectRefused(await app.call('POST', '/auth/login', { raw, headers }), 'request_invalid')
    }
  })
})

describe('addresses', () => {
  test('what does not exist is not_found in the same shape', async () => {
    for (const path of [
      '/nothing',
      '/booking/1/2/3',
      '/booking/mine/x',
      '/event/%00',
      '/event/..%2f..%2fetc',
    ])
      expectRefused(await app.call('GET', path, { token: buyer.token }), 'not_found')
    expectRefused(await app.call('PUT', '/booking', { token: buyer.token }), 'not_found')
    expectRefused(await app.call('GET', '/api/v2/booking'), 'not_found')
  })

  test('a very short Host is refused, and does not shift the path', async () => {
    for (const host of ['a', 'ab'])
      expect(
        await rawRequest(`GET /api/v1/health/live HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
      ).toMatch(/^HTTP\/1\.1 400 [^]*request_invalid/)
  })

  test('a request that is no HTTP gets no answer of ours and hurts nobody', async () => {
    await rawRequest('\x16\x03\x01 hello\r\n\r\n')
    await rawRequest('GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n')
    expect((await app.call('GET', '/health/live')).status).toBe(200)
  })
})

describe('request ids', () => {
  test('one that is given comes back, in the answer and in the error', async () => {
    const answer = await app.call('GET', '/nothing', { headers: { 'x-request-id': 'given-by.me:1' } })
    expect(answer.headers.get('x-request-id')).toBe('given-by.me:1')
    expect(answer.body.requestId).toBe('given-by.me:1')
    const fine = await app.call('GET', '/health/live', { headers: { 'x-request-id': 'given-by.me:2' } })
    expect(fine.headers.get('x-request-id')).toBe('given-by.me:2')
  })

  test('one that could break a log is replaced', async () => {
    for (const given of ['two words', 'x'.repeat(101), '{"json":1}', '<b>']) {
      const answer = await app.call('GET', '/nothing', { headers: { 'x-request-id': given } })
      expect(answer.body.requestId).toMatch(/^[0-9a-f-]{36}$/)
    }
  })

  test('pages and refused upgrades have one as well', async () => {
    const pages = ['/', '/events/some/room', '/no-such-file.js', '/api/docs', '/api/docs/assets/start.js']
    for (const path of [...pages, '/api/docs/socket', '/ws/event/nothing']) {
      const given = await fetch(`${app.url}${path}`, { headers: { 'x-request-id': 'given-by.me:3' } })
      expect([path, given.headers.get('x-request-id')]).toEqual([path, 'given-by.me:3'])
      expect((await fetch(`${app.url}${path}`)).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    }
  })

  test('refused before any route, a request has an id too', async () => {
    expect((await post('x', { 'content-type': 'text/plain' })).headers.get('x-request-id')).toBeTruthy()
  })
})

test('a write by cookie needs our own Origin', async () => {
  const cookie = { cookie: `accessToken=${buyer.token}` }
  const body = { seatId: event.seatId(1) }
  for (const origin of [undefined, 'https://evil.example', 'null'])
    expectRefused(
      await app.call('POST', '/booking', { body, headers: { ...cookie, ...(origin ? { origin } : {}) } }),
      'origin_refused',
    )
  const own = { ...cookie, origin: app.context.config.publicUrl }
  expect((await app.call('POST', '/booking', { body, headers: own })).status).toBe(201)
  expect((await app.call('GET', '/booking/mine', { headers: cookie })).status).toBe(200)
})

test('a forced fault is a 500 that says nothing of the inside', async () => {
  const broken = await startApp()
  try {
    const person = await broken.person()
    expect((await broken.call('GET', '/booking/mine', { token: person.token })).status).toBe(200)
    await broken.context.ledger.sql`alter table bookings rename to bookings_gone`
    const answer = await broken.call('GET', '/booking/mine', { token: person.token })
    expectRefused(answer, 'internal', '/api/v1/booking/mine')
    expect(answer.body.details).toBeUndefined()
  } finally {
    await broken.close()
  }
})

test('Postgres away is 503 with Retry-After, and readiness names it', async () => {
  const alone = await startApp()
  try {
    const person = await alone.person()
    await alone.context.ledger.close()
    const answer = await alone.call('GET', '/booking/mine', { token: person.token })
    expectRefused(answer, 'store_unavailable')
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    const ready = await alone.call('GET', '/health/ready')
    expect(ready.status).toBe(503)
    expect(ready.body.message).toContain('postgres')
    expect((await alone.call('GET', '/health/live')).status).toBe(200)
  } finally {
    await alone.close()
  }
})

/** What the server says to bytes that no HTTP client would send, until it closes or falls silent. */
async function rawRequest(text: string): Promise<string> {
  const SILENT_MS = 500
  const { promise, resolve } = Promise.withResolvers<void>()
  let said = ''
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: app.context.config.port,
    socket: {
      data: (_socket, data) => void (said += data.toString()),
      close: () => resolve(),
      error: () => resolve(),
    },
  })
  socket.write(text)
  await Promise.race([promise, Bun.sleep(SILENT_MS)])
  socket.end()
  return said
}
