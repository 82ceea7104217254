// Sends seeded valid, nearly valid and hostile requests to every operation of the document: each answer must be documented.
import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test'
import * as profiles from '../../db/profiles.ts'
import { giveRole } from '../../db/accounts.ts'
import { inTransaction } from '../../db/client.ts'
import {
  START_WITHIN_MS,
  startApp,
  type Answer,
  type AppHarness,
  type Person,
} from '../support/app-harness.ts'
import { randomOf, type Random } from '../support/fuzz/random.ts'
import {
  readOperations,
  sampleOf,
  undocumented,
  type Known,
  type Operation,
  type Schema,
} from '../support/openapi.ts'

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_123)
/** Requests an operation gets; each costs some three milliseconds. */
const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 40)
const FUZZ_MS = 600_000
/** End the caller, or start processes. */
const NOT_ASKED = new Set([
  'POST /api/v1/auth/logout',
  'DELETE /api/v1/auth/me',
  'POST /api/v1/dev/buyers',
  'GET /metrics',
])
/** What the inside looks like when it leaks. */
const INSIDE =
  /\n\s+at |node_modules|postgres(?:js|ql)|drizzle|ioredis|ReplyError|TypeError|select .+ from|\/server\/|\/db\//i

let app: AppHarness
let operations: Operation[]
let callers: (string | undefined)[]
let known: Known
beforeAll(async () => {
  app = await startApp({ rateLimit: false })
  operations = (await readOperations(app)).filter(({ name }) => !NOT_ASKED.has(name))
  const admin = await app.person('ADMIN')
  await inTransaction(app.context.ledger.db, (tx) => giveRole(tx, admin.accountId, 'STAFF'))
  const buyer = await app.person()
  callers = [undefined, admin.token, buyer.token, 'no.token.atall']
  known = await makeThings(admin, buyer)
}, START_WITHIN_MS)
afterAll(() => app.close(), START_WITHIN_MS)

async function makeThings(admin: Person, buyer: Person): Promise<Known> {
  const event = await app.event({ organizer: admin })
  const paid = await app.hold(buyer, [event.seatId(0)])
  const { id: bookingId } = paid.body.data
  await app.call('POST', `/payment/${bookingId}/confirm`, {
    token: buyer.token,
    body: { method: 'sandbox_ok' },
  })
  const held = await app.hold(buyer, [event.seatId(3)])
  return {
    eventId: event.eventId,
    seatId: event.seatId(5),
    seatIds: [event.seatId(6)],
    bookingId: held.body.data.id,
    id: held.body.data.id,
    provider: 'sandbox',
    section: 'Stalls',
    tier: 'Standard',
    timeZone: 'Europe/Berlin',
  }
}

const HOSTILE: unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  -1e308,
  '',
  ' ',
  '\u0000',
  '\ud800',
  'é'.repeat(300),
  "'; drop table seats; --",
  '${7*7}{{7*7}}',
  '../../../../etc/passwd',
  '%2e%2e%2f',
  '<script>alert(1)</script>',
  '\r\nset-cookie: a=b',
  '=cmd|calc',
  '0199d0c0-0000-7000-8000-000000000000',
  '0199d0c0-0000-7000-8000-000000000000:99999999999999999999',
  '2031-02-30T25:61:00.000Z',
  '+275760-09-13T00:00:00.001Z',
  '0000-01-01T00:00:00Z',
  'x'.repeat(5_000),
  [],
  {},
  [[[[]]]],
  { __proto__: null, toString: 1 },
  { constructor: { prototype: { admin: true } } },
]
const EXTRA = ['more', '__proto__', 'constructor', 'isAdmin', 'ownerId', 'role', 'price']

/** A sample, with up to three of its parts spoiled. */
function someBody(random: Random, schema: Schema): unknown {
  const body = structuredClone(sampleOf(schema, known))
  for (let i = random.below(4); i > 0; i--) spoil(random, body)
  return random.chance(0.05) ? hostile(random) : body
}

function spoil(random: Random, part: unknown): void {
  if (typeof part !== 'object' || part === null) return
  const fields = Object.keys(part)
  const parts = part as Record<string, unknown>
  const field = fields.length > 0 ? random.pick(fields) : 'more'
  if (random.chance(0.3)) return spoil(random, parts[field])
  if (random.chance(0.2)) delete parts[field]
  else if (random.chance(0.1)) parts[random.pick(EXTRA)] = hostile(random)
  else parts[field] = hostile(random)
}

/** What of the hostile values can stand in a URL or a header. */
/** One of its own: what is spoiled further must not spoil the list. */
const hostile = (random: Random) => structuredClone(random.pick(HOSTILE))
const hostileText = (random: Random) => {
  const value = hostile(random)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function somePath(random: Random, { path, parameters }: Operation): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    const real = known[name] ?? known['id']
    return encode(random.chance(0.75) ? String(real) : hostileText(random)) || 'x'
  })
  const query = parameters
    .filter(({ in: place, required }) => place === 'query' && random.chance(required ? 0.9 : 0.4))
    .map(({ name, schema }) => {
      const value = random.chance(0.6) ? sampleOf(schema, known, name) : hostileText(random)
      return `${encode(name)}=${encode(String(value))}`
    })
  if (random.chance(0.03)) query.push('more=1', 'limit=1', 'limit=2')
  return filled + (query.length > 0 ? `?${query.join('&')}` : '')
}
const encode = (text: string) => encodeURIComponent(text.toWellFormed())

interface Request {
  method: string
  path: string
  token: string | undefined
  headers: Record<string, string>
  body: string | undefined
}

function someRequest(random: Random, operation: Operation): Request {
  const { method, body } = operation
  const headers: Record<string, string> = {}
  let text: string | undefined
  if (method !== 'GET' && (body || random.chance(0.3))) {
    text = JSON.stringify(body ? someBody(random, body) : hostile(random))
    if (random.chance(0.05)) text = text?.slice(0, random.below(text.length + 1))
    if (random.chance(0.02)) text = `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`
    if (random.chance(0.01)) text = JSON.stringify('x'.repeat(70_000))
    headers['content-type'] = random.chance(0.95)
      ? 'application/json'
      : random.pick(['text/plain', 'a/b', ''])
  }
  for (const { name, in: place } of operation.parameters)
    if (place === 'header' && random.chance(0.2))
      headers[name.toLowerCase()] = random.pick(['', 'k', 'x'.repeat(200), 'a.b.c', '\t'])
  if (random.chance(0.05))
    headers['cookie'] = random.pick(['accessToken=x', '__proto__=1', 'accessToken={', ';;='])
  return { method, path: somePath(random, operation), token: random.pick(callers), headers, body: text }
}

async function send({ method, path, token, headers, body }: Request): Promise<Answer> {
  return app.call(method, path, { token, headers, ...(body === undefined ? {} : { raw: body }) })
}

/** What is wrong with an answer; null when nothing is. */
function faultOf(operation: Operation, answer: Answer): string | null {
  const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
  if (answer.status === 500) return `500: ${text.slice(0, 200)}`
  if (answer.status >= 400 && INSIDE.test(text.replace(/"path":"[^"]*"/, '')))
    return `tells of the inside: ${text.slice(0, 300)}`
  if (answer.status === 304) return null
  return undocumented(operation, answer)
}

interface Fuzzed {
  asked: number
  statuses: Map<number, number>
  findings: Map<string, string>
}

async function fuzz(seed: number, asked: Operation[], rounds = ROUNDS): Promise<Fuzzed> {
  const random = randomOf(seed)
  const result: Fuzzed = { asked: 0, statuses: new Map(), findings: new Map() }
  for (const operation of asked)
    for (let round = 0; round < rounds; round++) {
      const request = someRequest(random, operation)
      const answer = await send(request)
      result.asked++
      result.statuses.set(answer.status, (result.statuses.get(answer.status) ?? 0) + 1)
      const fault = faultOf(operation, answer)
      if (fault)
        result.findings.set(
          `${operation.name} ${answer.status}`,
          `${fault} ← ${JSON.stringify(request).slice(0, 500)}`,
        )
    }
  return result
}

describe('requests of every kind', () => {
  test(
    `are answered as the document says, by every operation (seed ${SEED})`,
    async () => {
      const { asked, statuses, findings } = await fuzz(SEED, operations)
      const counts = [...statuses].toSorted(([a], [b]) => a - b).map(([status, n]) => `${status}: ${n}`)
      console.info(`API fuzz: ${asked} requests to ${operations.length} operations; ${counts.join(', ')}`)
      expect(Object.fromEntries(findings)).toEqual({})
      // It got further than the door.
      expect(statuses.get(200) ?? 0).toBeGreaterThan(asked / 20)
    },
    FUZZ_MS,
  )

  test('find a fault that is there, and an answer that is not documented', async () => {
    const me = operations.filter(({ name }) => name === 'GET /api/v1/auth/me')
    const hole = spyOn(profiles, 'findProfile').mockImplementation(() => {
      throw new TypeError('a planted hole')
    })
    const quiet = spyOn(app.context.log, 'error').mockImplementation(() => {})
    const thrown = await fuzz(SEED, me, 20)
    hole.mockRestore()
    quiet.mockRestore()
    expect([...thrown.findings.values()].join('\n')).toContain('500')
    const without = me.map((operation) => ({ ...operation, responses: { 200: operation.responses['200']! } }))
    const undeclared = await fuzz(SEED, without, 20)
    expect([...undeclared.findings.keys()]).toContain('GET /api/v1/auth/me 401')
    expect((await fuzz(SEED, me, 20)).findings.size).toBe(0)
  })
})
