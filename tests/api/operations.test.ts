// Holds what whoever runs Onsale asks of it: alive, ready, figures, and a docs page that needs no internet.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eventually } from '../support/socket-client.ts'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'

const TOKEN = 'a-token-for-prometheus'

let app: AppHarness
let guarded: AppHarness
beforeAll(async () => {
  app = await startApp()
  guarded = await startApp({ metricsToken: TOKEN, embedded: new Set(), trustProxy: 1 })
}, START_WITHIN_MS)
afterAll(() => Promise.all([app.close(), guarded.close()]))

/** The sum of a metric's lines whose labels contain every given part. */
async function figure(name: string, ...labels: string[]): Promise<number> {
  const { body } = await app.call('GET', '/metrics')
  return String(body)
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => labels.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

/** What a scrape of the server with a METRICS_TOKEN is told. */
const scrape = async (authorization?: string) => {
  const { status, body } = await guarded.call('GET', '/metrics', {
    headers: authorization ? { authorization } : {},
  })
  return [status, body.message ?? 'figures']
}

describe('health', () => {
  test('is answered at the root and under the API', async () => {
    for (const path of ['/health/live', '/health/ready', '/api/v1/health/live', '/api/v1/health/ready']) {
      const answer = await app.call('GET', path)
      expect([path, answer.status, answer.body.statusCode]).toEqual([path, 200, 200])
    }
  })

  test('is never rate limited', async () => {
    const answers = await Promise.all(Array.from({ length: 300 }, () => app.call('GET', '/health/live')))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
  })

  test('ready names the store that is away, and live does not mind', async () => {
    const alone = await startApp({ redisUrl: 'redis://127.0.0.1:1' })
    try {
      const ready = await alone.call('GET', '/health/ready')
      expect([ready.status, ready.body.code]).toEqual([503, 'store_unavailable'])
      expect(ready.body.message).toContain('redis')
      expect(ready.body.message).not.toContain('postgres')
      expect((await alone.call('GET', '/health/live')).status).toBe(200)
    } finally {
      await alone.close()
    }
  })
})

describe('metrics', () => {
  test('have every name of the contract that a server can know', async () => {
    const { status, headers, body } = await app.call('GET', '/metrics')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toStartWith('text/plain')
    const names = [
      'http_requests_total',
      'http_request_duration_seconds',
      'tickets_sold_total',
      'bookings_total',
      'seat_conflicts_total',
      'room_waiting',
      'room_active',
      'room_admitted_total',
      'room_no_show_total',
      'room_wait_seconds',
      'ws_connections',
      'ws_broadcast_seconds',
      'process_cpu_seconds_total',
    ]
    expect(names.filter((name) => !String(body).includes(`# TYPE ${name} `))).toEqual([])
  })

  test('count every answer by its route, refusals included, and no ids', async () => {
    const id = Bun.randomUUIDv7()
    const seen = await figure('http_requests_total', 'method="GET"', 'status="404"')
    await app.call('GET', `/event/${id}`)
    await app.call('GET', '/nowhere/at/all')
    expect(await figure('http_requests_total', 'method="GET"', 'status="404"')).toBe(seen + 2)
    expect(await figure('http_requests_total', 'route="/api/v1/event/:eventId"', 'status="404"')).toBe(1)
    expect(String((await app.call('GET', '/metrics')).body)).not.toContain(id)
  })

  test('count the refusals that never reach a route, and those of sockets', async () => {
    const event = await app.event({ room: {} })
    const [buyer] = await app.people(1)
    const { token } = buyer!
    const at = (...labels: string[]) => figure('http_requests_total', ...labels)
    const booking = 'route="/api/v1/booking"'
    const before = await Promise.all([
      at('status="413"'),
      at(booking, 'status="403"'),
      at('route="/ws/event/:eventId"', 'status="403"'),
      at('route="/ws/event/:eventId"', 'status="101"'),
      at('method="OTHER"'),
      at('route="window"'),
      figure('ws_refusals_total', 'code="request_invalid"'),
      at('status="429"'),
    ])
    await app.call('POST', '/booking', {
      token,
      raw: 'x'.repeat(70_000),
      headers: { 'content-type': 'application/json' },
    })
    await app.hold(buyer!, [event.seatId(0)])
    await app.call('GET', `/ws/event/${event.eventId}`, { headers: { origin: 'http://elsewhere.test' } })
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/ws/event/${event.eventId}`)
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    socket.send('{"type":"nonsense"}')
    await eventually('the frame was refused', async () => (await figure('ws_refusals_total')) > before[6]!)
    socket.close()
    await app.call('PROPFIND', '/event')
    await fetch(`${app.url}/favicon.ico`)
    const asked = await Promise.all(Array.from({ length: 220 }, () => app.call('GET', '/auth/me', { token })))
    const refused = asked.filter(({ status }) => status === 429).length
    expect(refused).toBeGreaterThan(0)
    const after = await Promise.all([
      at('status="413"'),
      at(booking, 'status="403"'),
      at('route="/ws/event/:eventId"', 'status="403"'),
      at('route="/ws/event/:eventId"', 'status="101"'),
      at('method="OTHER"'),
      at('route="window"'),
      figure('ws_refusals_total', 'code="request_invalid"'),
      at('status="429"'),
    ])
    expect(after.map((count, index) => count - before[index]!)).toEqual([1, 1, 1, 1, 1, 1, 1, refused])
    await eventually('the close counts', async () => (await figure('ws_closed_total')) > 0)
  })

  test('tell of a sale: held, refused and sold', async () => {
    const event = await app.event()
    const [buyer, other] = await app.people(2)
    const before = [
      await figure('bookings_total', 'outcome="held"'),
      await figure('seat_conflicts_total'),
      await figure('tickets_sold_total'),
    ]
    const held = await app.hold(buyer!, [0, 1].map(event.seatId))
    await app.hold(other!, [event.seatId(1)])
    const { token } = buyer!
    await app.call('POST', `/payment/${held.body.data.id}/confirm`, { token, body: { method: 'sandbox_ok' } })
    const after = [
      await figure('bookings_total', 'outcome="held"'),
      await figure('seat_conflicts_total'),
      await figure('tickets_sold_total'),
    ]
    expect(after.map((count, index) => count - before[index]!)).toEqual([1, 1, 2])
    expect(await figure('bookings_total', 'outcome="confirmed"')).toBeGreaterThan(0)
  })

  test('are for the bearer of METRICS_TOKEN alone, once it is set', async () => {
    expect(await scrape()).toEqual([
      401,
      'A scrape needs the METRICS_TOKEN of this server as its bearer token.',
    ])
    expect(await scrape('Bearer wrong')).toEqual([
      401,
      'The bearer token of this scrape is not the METRICS_TOKEN of this server.',
    ])
    for (const other of [TOKEN, `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, 'Bearer '])
      expect((await scrape(other))[0]).toBe(401)
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      expect(await scrape(`${scheme} ${TOKEN}`)).toEqual([200, 'figures'])
  })

  test('without a token, what came through a proxy gets none', async () => {
    const answer = await app.call('GET', '/metrics', { headers: { 'x-forwarded-for': '127.0.0.1' } })
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
  })
})

describe('what only development has', () => {
  test('buyers are made on embedded stores', async () => {
    const { status, body } = await app.call('POST', '/api/v1/dev/buyers', { body: { count: 3 } })
    expect(status).toBe(201)
    expect(body.data).toHaveLength(3)
    const me = await app.call('GET', '/auth/me', { token: body.data[0].accessToken })
    expect([me.status, me.body.data.email]).toEqual([200, body.data[0].email])
    const many = await app.call('POST', '/api/v1/dev/buyers', { body: { count: 5_001 } })
    expect(many.body.code).toBe('request_invalid')
  })

  test('on external stores it does not exist, nor in the document', async () => {
    for (const [method, path] of [
      ['POST', '/api/v1/dev/buyers'],
      ['GET', '/dev/mailbox'],
      ['GET', '/api/v1/dev/mailbox'],
    ] as const) {
      const answer = await guarded.call(method, path, method === 'POST' ? { body: { count: 1 } } : {})
      expect([path, answer.status]).toEqual([path, 404])
    }
    const { body } = await guarded.call('GET', '/api/docs/json')
    expect(Object.keys(body.paths).filter((path) => path.includes('/dev/'))).toEqual([])
  })
})

describe('every answer', () => {
  test('carries the headers that keep a browser careful', async () => {
    for (const path of ['/health/live', '/nothing', '/api/docs', '/api/docs/assets/start.js']) {
      const { headers } = await app.call('GET', path)
      expect([path, headers.get('x-content-type-options')]).toEqual([path, 'nosniff'])
      expect([path, headers.get('x-frame-options')]).toEqual([path, 'DENY'])
    }
  })
})
