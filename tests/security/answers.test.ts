// Holds every kind of answer to what keeps a browser, a proxy and a reader's spreadsheet careful.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import {
  START_WITHIN_MS,
  startApp,
  type AppHarness,
  type EventForSale,
  type Person,
} from '../support/app-harness.ts'
import { PASSWORD } from '../support/auth-app.ts'
import { fillPath, readOperations, sampleOf } from '../support/openapi.ts'
import { hashPassword } from '../../server/auth/passwords.ts'
import { accounts } from '../../db/schema.ts'
import { eq } from 'drizzle-orm'

const WITHIN_MS = 3_000
const HTTPS = 'https://tickets.example.test'

let app: AppHarness
let secure: AppHarness
let event: EventForSale
let buyer: Person
beforeAll(async () => {
  app = await startApp({ rateLimit: false })
  secure = await startApp({ rateLimit: false, publicUrl: HTTPS }, app)
  event = await app.event({
    name: '=HYPERLINK("http://evil.example")',
    sections: [
      { name: '=1+1', tier: { name: '@sum(1)', price: 2_500 }, rows: 1, seatsPerRow: 4 },
      { name: '-2', tier: { name: '+3', price: 2_500 }, rows: 1, seatsPerRow: 4 },
    ],
  })
  buyer = await app.person()
  const passwordHash = await hashPassword(PASSWORD)
  await app.context.ledger.db.update(accounts).set({ passwordHash }).where(eq(accounts.id, buyer.accountId))
  const held = await app.hold(buyer, [event.seatId(0), event.seatId(1), event.seatId(4)])
  await app.call('POST', `/payment/${held.body.data.id}/confirm`, {
    token: buyer.token,
    body: { method: 'sandbox_ok' },
  })
  for (const path of direct()) await app.call('GET', path)
}, START_WITHIN_MS)
afterAll(async () => {
  await secure.close()
  await app.close()
}, START_WITHIN_MS)

const direct = () => [`/event/${event.eventId}/availability`, `/booking?eventId=${event.eventId}`]
const fetchRaw = (server: AppHarness, path: string, init: RequestInit = {}) =>
  fetch(`${server.url}${path}`, { redirect: 'manual', ...init })

/** One address of every kind that is answered. */
const kinds = () => [
  '/',
  '/events/x',
  '/events/x/room',
  '/icon.svg',
  '/sw.js',
  '/manifest.webmanifest',
  '/nothing.png',
  '/../../etc/passwd',
  '/api/docs',
  '/api/docs/json',
  '/api/docs/assets/start.js',
  '/api/docs/assets/nothing.js',
  '/api/v1/event',
  '/api/v1/nothing',
  '/api/v1/auth/me',
  ...direct().map((path) => `/api/v1${path}`),
  '/health/live',
  '/metrics',
  `/ws/event/${event.eventId}`,
  '/ws/event/nothing',
]

describe('every kind of answer', () => {
  test('is taken for what it says, framed by nobody, and tells nobody where it was read', async () => {
    for (const path of kinds()) {
      const { headers } = await fetchRaw(app, path)
      expect([path, headers.get('x-content-type-options')]).toEqual([path, 'nosniff'])
      expect([path, headers.get('x-frame-options')]).toEqual([path, 'DENY'])
      expect([path, headers.get('referrer-policy')]).toEqual([path, 'no-referrer'])
      expect([path, headers.get('cross-origin-opener-policy')]).toEqual([path, 'same-origin'])
      expect([path, headers.get('access-control-allow-origin')]).toEqual([path, null])
      expect([path, headers.get('server'), headers.get('x-powered-by')]).toEqual([path, null, null])
    }
  })

  test('that could be shown has a policy: pages and data run nothing of another site', async () => {
    for (const path of kinds()) {
      const { headers } = await fetchRaw(app, path)
      const type = headers.get('content-type') ?? ''
      if (!/html|json/.test(type) || type.includes('manifest')) continue
      const policy = headers.get('content-security-policy') ?? ''
      expect([path, policy]).toEqual([path, expect.stringMatching(/default-src '(none|self)'/)])
      expect([path, policy]).toEqual([path, expect.stringContaining("frame-ancestors 'none'")])
      expect([path, policy]).toEqual([path, expect.stringContaining("base-uri 'none'")])
      expect([path, policy]).toEqual([path, expect.not.stringMatching(/script-src[^;]*(unsafe|\*|https?:)/)])
    }
  })

  test('of the API stays in no cache, but what is public and says so', async () => {
    for (const path of [
      '/auth/me',
      '/auth/me/export',
      '/booking/mine',
      '/ticket/mine',
      '/auth/sessions',
      '/nothing',
    ]) {
      const { headers } = await app.call('GET', path, { token: buyer.token })
      expect([path, headers.get('cache-control')]).toEqual([path, 'no-store'])
    }
  })

  test('of a ticket as paper may be shown, and is framed by nobody', async () => {
    const mine = await app.call('GET', '/ticket/mine', { token: buyer.token })
    const answer = await fetchRaw(app, `/api/v1/ticket/${mine.body.data.items[0].id}.pdf`, {
      headers: { authorization: `Bearer ${buyer.token}` },
    })
    expect(answer.headers.get('content-type')).toBe('application/pdf')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect(answer.headers.get('content-security-policy')).toBe("frame-ancestors 'none'")
    expect(
      Buffer.from(await answer.arrayBuffer())
        .subarray(0, 5)
        .toString(),
    ).toBe('%PDF-')
  })

  test('behind https asks to be read over https alone; in clear it does not', async () => {
    for (const path of kinds()) {
      const [safe, plain] = [await fetchRaw(secure, path), await fetchRaw(app, path)]
      expect([path, safe.headers.get('strict-transport-security')]).toEqual([
        path,
        expect.stringMatching(/^max-age=\d{8,}; includeSubDomains$/),
      ])
      expect([path, plain.headers.get('strict-transport-security')]).toEqual([path, null])
    }
  })
})

const signIn = (server: AppHarness) =>
  server.call('POST', '/auth/login', { body: { email: buyer.email, password: PASSWORD } })

describe('cookies', () => {
  test('are the browser’s alone: HttpOnly, SameSite, and Secure behind https', async () => {
    for (const [server, isSecure] of [
      [secure, true],
      [app, false],
    ] as const) {
      const answer = await signIn(server)
      const lines = answer.headers.getSetCookie()
      expect(lines).toHaveLength(2)
      for (const line of lines) {
        expect(line).toMatch(/; HttpOnly/i)
        expect(line).toMatch(/; SameSite=Lax/i)
        expect(/; Secure/i.test(line)).toBe(isSecure)
        expect(line).not.toMatch(/; Domain=/i)
        expect(Buffer.byteLength(line)).toBeLessThan(4_096)
      }
      expect(lines.find((line) => line.startsWith('refreshToken'))).toContain('Path=/api/v1/auth')
    }
  })

  test('write nothing from another site, whatever the operation', async () => {
    const writes = (await readOperations(app)).filter(
      ({ method, access }) => method !== 'GET' && access !== 'anyone',
    )
    expect(writes.length).toBeGreaterThan(35)
    // Who may everything: what is refused is refused for where it comes from.
    const admin = await app.person('ADMIN')
    const known = {
      ...Object.fromEntries(
        ['eventId', 'id', 'bookingId', 'roleId', 'permissionId'].map((name) => [name, event.eventId]),
      ),
      provider: 'sandbox',
    }
    for (const operation of writes)
      for (const origin of ['https://evil.example', 'null', undefined]) {
        const { status, body } = await app.call(operation.method, fillPath(operation, known), {
          headers: { cookie: `accessToken=${admin.token}`, ...(origin ? { origin } : {}) },
          ...(operation.body ? { body: sampleOf(operation.body, known) } : {}),
        })
        expect([operation.name, origin, status, body.code]).toEqual([
          operation.name,
          origin,
          403,
          'origin_refused',
        ])
      }
  })
})

/** The first line and all of what comes back for these bytes. */
async function sendBytes(...parts: string[]): Promise<string> {
  const { hostname, port } = new URL(app.url)
  const { promise, resolve } = Promise.withResolvers<string>()
  let heard = ''
  const socket = connect(Number(port), hostname)
    .on('data', (bytes) => (heard += bytes.toString('latin1')))
    .on('error', () => {})
    .on('close', () => resolve(heard))
  for (const part of parts) socket.write(part)
  const timer = setTimeout(() => socket.destroy(), WITHIN_MS / 3)
  const all = await promise
  clearTimeout(timer)
  return all
}
const statusesIn = (text: string) =>
  [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map((match) => Number(match[1]))

describe('requests that mean two things', () => {
  const body = '{"email":"a@onsale.test"}'
  const head =
    'POST /api/v1/auth/verify/resend HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
  const smuggled = 'GET /api/v1/auth/me HTTP/1.1\r\nHost: localhost\r\n\r\n'

  test('two lengths, or a length and chunks, never become two requests with one answer each', async () => {
    const doubtful = {
      'two lengths that differ': `${head}Content-Length: ${body.length}\r\nContent-Length: ${body.length + smuggled.length}\r\n\r\n${body}${smuggled}`,
      'a length and chunks': `${head}Content-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
      'chunks said oddly': `${head}Transfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\n1\r\nZ\r\nQ`,
      'a space before the colon': `${head}Content-Length : ${body.length}\r\n\r\n${body}${smuggled}`,
      'a length that is no number': `${head}Content-Length: +${body.length}\r\n\r\n${body}`,
      'a negative length': `${head}Content-Length: -1\r\n\r\n${body}`,
    }
    for (const [what, bytes] of Object.entries(doubtful)) {
      const heard = statusesIn(await sendBytes(bytes))
      expect([what, heard.filter((status) => status < 400)]).toEqual([what, []])
      expect([what, heard.length]).toEqual([what, Math.min(heard.length, 1)])
    }
  })

  test('headers without end are cut off, and nobody beside notices', async () => {
    const heard = await sendBytes(
      `GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Big: ${'x'.repeat(200_000)}\r\n\r\n`,
    )
    expect(statusesIn(heard).filter((status) => status < 400)).toEqual([])
    const many = Array.from({ length: 2_000 }, (_, i) => `X-${i}: 1`).join('\r\n')
    const tooMany = await sendBytes(`GET /health/live HTTP/1.1\r\nHost: localhost\r\n${many}\r\n\r\n`)
    expect(statusesIn(tooMany).filter((status) => status < 400)).toEqual([])
    expect((await app.call('GET', '/health/live')).status).toBe(200)
  })

  test('two tokens, or a Host that is not ours, open nothing and lead nowhere', async () => {
    const two = await sendBytes(
      `GET /api/v1/auth/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nAuthorization: Bearer ${buyer.token}\r\nConnection: close\r\n\r\n`,
    )
    expect(statusesIn(two)).not.toContain(200)
    const registered = await app.call('POST', '/auth/register', {
      body: { email: 'host@onsale.test', password: PASSWORD, fullName: 'A B' },
      headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' },
    })
    expect(registered.status).toBe(201)
    expect(JSON.stringify(registered.body)).not.toContain('evil')
    const [mail] = await app.context.ledger.sql`select payload from outbox order by id desc limit 1`
    expect(JSON.stringify(mail)).not.toContain('evil')
  })
})

describe('files', () => {
  test('outside the client are not to be had by any spelling of their path', async () => {
    const paths = [
      '/../package.json',
      '/..%2fpackage.json',
      '/%2e%2e/package.json',
      '/assets/..%2f..%2f..%2fpackage.json',
      '/assets/....//....//package.json',
      '/api/docs/assets/../../../package.json',
      '/api/docs/assets/..%2f..%2fpackage.json',
      '/api/docs/assets/package.json',
      '/.env',
      '/.git/config',
      '/en/index.html',
      '//etc/passwd',
      '/etc/passwd%00.png',
      '/package.json',
    ]
    for (const path of paths) {
      const heard = await sendBytes(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
      expect([path, /"dependencies"|root:|\[core\]|JWT_SECRET/.test(heard)]).toEqual([path, false])
    }
  })
})

describe('what an organiser opens in a spreadsheet', () => {
  test('is text, whatever the sections, tiers and labels are called', async () => {
    const { body } = await app.call('GET', `/event/${event.eventId}/sales.csv`, {
      token: event.organizer.token,
    })
    const cells = String(body)
      .trim()
      .split('\r\n')
      .slice(1)
      .flatMap((line) => line.split(','))
    expect(cells.length).toBeGreaterThan(10)
    expect(cells.filter((cell) => /^"?[=+@\t\r-]/.test(cell))).toEqual([])
    expect(String(body)).toContain("'=1+1")
  })
})

/** Enough for one of them to be undisturbed on a busy machine. */
const ROUNDS = 6

async function timed(path: string, body: object): Promise<{ ms: number; said: string }> {
  const from = performance.now()
  const answer = await app.call('POST', path, { body })
  return {
    ms: performance.now() - from,
    said: `${answer.status} ${JSON.stringify({ ...answer.body, data: undefined, timestamp: 0, requestId: 0 })}`,
  }
}

describe('whether an address has an account', () => {
  /** `most`: times as long as the other. A hash left out shows at once; a mail not staged is some milliseconds. */
  for (const [path, most, bodyOf] of [
    ['/auth/login', 2, (email: string) => ({ email, password: 'not the password' })],
    ['/auth/register', 2, (email: string) => ({ email, password: PASSWORD, fullName: 'A B' })],
    ['/auth/password/forgot', 1.25, (email: string) => ({ email })],
    ['/auth/verify/resend', 1.25, (email: string) => ({ email })],
  ] as const)
    test(`is told by ${path} neither in words nor in time`, async () => {
      const known: number[] = []
      const unknown: number[] = []
      const words = new Set<string>()
      for (let round = 0; round < ROUNDS; round++)
        for (const [email, times] of [
          [buyer.email, known],
          [`nobody-${round}-${path.length}@onsale.test`, unknown],
        ] as const) {
          const { ms, said } = await timed(path, bodyOf(email))
          times.push(ms)
          words.add(said)
        }
      const ratio = Math.min(...known) / Math.min(...unknown)
      console.info(
        `${path}: ${Math.min(...known).toFixed(1)} ms known, ${Math.min(...unknown).toFixed(1)} ms unknown, ratio ${ratio.toFixed(2)}`,
      )
      expect(words.size).toBe(1)
      expect(ratio).toBeGreaterThan(1 / most)
      expect(ratio).toBeLessThan(most)
    })
})
