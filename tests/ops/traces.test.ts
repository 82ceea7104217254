// Holds that a trace follows a sale from the caller's own span to the mail, and that nothing of it is loaded unasked.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { startServerProcesses, type ServerProcesses } from '../support/server-processes.ts'
import { startApp, type AppHarness } from '../support/app-harness.ts'
import { eventually } from '../support/socket-client.ts'

const ROOT = join(import.meta.dir, '../..')
const START_MS = 60_000
const WITHIN_MS = 20_000
const JWT_SECRET = 'a secret of the tests, long enough for HS256'
const TRACE = { hold: 'a'.repeat(32), pay: 'b'.repeat(32) }
const CALLER = 'c'.repeat(16)
const SERVER_KIND = 2
const CONSUMER_KIND = 5

interface Told {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[]
}
interface Sent {
  resourceSpans: { scopeSpans: { spans: Told[] }[] }[]
}

const spans: Told[] = []
const collector = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    if (new URL(request.url).pathname !== '/v1/traces') return new Response('', { status: 404 })
    const { resourceSpans } = (await request.json()) as Sent
    spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
    return Response.json({})
  },
})

let app: AppHarness
let servers: ServerProcesses
let worker: Bun.Subprocess
beforeAll(async () => {
  app = await startApp()
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}/` }
  servers = await startServerProcesses(1, { stores: app.stores, jwtSecret: JWT_SECRET, env })
  worker = Bun.spawn([process.execPath, join(ROOT, 'worker/main.ts')], {
    env: {
      ...process.env,
      ...env,
      DATABASE_URL: app.stores.databaseUrl,
      REDIS_URL: app.stores.redisUrl,
      // Nobody takes the mail; that it was tried is enough.
      SMTP_URL: 'smtp://127.0.0.1:1',
      EMBEDDED: 'postgres,redis',
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'ignore', 'ignore'],
  })
}, START_MS)
afterAll(async () => {
  worker?.kill('SIGKILL')
  await worker?.exited
  await servers?.close()
  await app?.close()
  await collector.stop(true)
}, START_MS)

const named = () => spans.filter(({ name }) => name === 'GET /api/v1/event/:eventId')
const inTrace = (traceId: string) => spans.filter((span) => span.traceId === traceId)
const find = (traceId: string, name: string) => inTrace(traceId).find((span) => span.name === name)

test(
  'a hold and a payment show their stages in the trace of the caller, and the mail is part of the payment',
  async () => {
    const event = await app.event()
    const buyer = await app.person()
    const post = async (path: string, traceId: string, body: object) => {
      const answer = await fetch(`${servers.url}/api/v1${path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${buyer.token}`,
          'content-type': 'application/json',
          traceparent: `00-${traceId}-${CALLER}-01`,
        },
        body: JSON.stringify(body),
      })
      return (await answer.json()) as { statusCode: number; data: { id: string } }
    }
    const held = await post('/booking', TRACE.hold, { seatId: event.seatId(0) })
    expect(held.statusCode).toBe(201)
    const paid = await post(`/payment/${held.data.id}/confirm`, TRACE.pay, { method: 'sandbox_ok' })
    expect(paid.statusCode).toBe(200)
    await eventually('the mail was tried', () => find(TRACE.pay, 'email send-email') !== undefined, WITHIN_MS)
    const request = find(TRACE.hold, 'POST /api/v1/booking/')
    expect(request).toMatchObject({ kind: SERVER_KIND, parentSpanId: CALLER })
    const told = Object.fromEntries(request!.attributes.map(({ key, value }) => [key, value]))
    expect(told['http.route']?.stringValue).toBe('/api/v1/booking/')
    expect(Number(told['http.response.status_code']?.intValue)).toBe(201)
    const stages = inTrace(TRACE.hold).filter((span) => span.parentSpanId === request!.spanId)
    expect(stages.map(({ name }) => name).toSorted()).toEqual(['hold: commit', 'hold: gate', 'hold: settle'])
    const pay = find(TRACE.pay, 'POST /api/v1/payment/:bookingId/confirm')!
    const steps = inTrace(TRACE.pay).filter((span) => span.parentSpanId === pay.spanId)
    expect(steps.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['confirm: charge', 'confirm: commit', 'confirm: settle', 'email send-email']),
    )
    expect(find(TRACE.pay, 'email send-email')!.kind).toBe(CONSUMER_KIND)
  },
  START_MS,
)

test(
  'a malformed traceparent begins a trace of its own, and a refusal is told like any answer',
  async () => {
    for (const parent of ['nonsense', `00-${'0'.repeat(32)}-${CALLER}-01`])
      await fetch(`${servers.url}/api/v1/event/nothing`, { headers: { traceparent: parent } })
    await eventually('both are told', () => named().length === 2, WITHIN_MS)
    expect(named().every(({ parentSpanId }) => !parentSpanId)).toBe(true)
    expect(named().map(({ traceId }) => traceId)).not.toContain('0'.repeat(32))
  },
  START_MS,
)

/** The interfaces are there anyway: prom-client brings them. */
test(
  'a process nobody traces loads nothing of it',
  async () => {
    const script = `
    const { createContext } = await import('./server/context.ts')
    const { readConfig } = await import('./server/config.ts')
    const read = readConfig({ DATABASE_URL: 'postgres://127.0.0.1:1/x', REDIS_URL: 'redis://127.0.0.1:1', JWT_SECRET: 'x'.repeat(40) })
    createContext(read.config)
    await import('./worker/context.ts')
    const loaded = Object.keys(require.cache)
    console.log(loaded.length > 100, loaded.filter((path) => /@opentelemetry.(?!api.)/.test(path)).length)
    process.exit(0)`
    const ran = Bun.spawnSync([process.execPath, '-e', script], { cwd: ROOT })
    expect(`${ran.stdout}`.split('\n')).toContain('true 0')
  },
  START_MS,
)
