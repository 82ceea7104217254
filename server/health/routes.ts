// Answers whether this process lives, whether it can serve, and how it has been doing.
import { Elysia } from 'elysia'
import { timingSafeEqual } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { HoldsView } from '../protocol/http.ts'
import { tellFigures } from './tell-figures.ts'

const PROBE_TIMEOUT_MS = 1_000
/** The name of a scheme is the same in any case; RFC 9110, 11.1. */
const BEARER = /^Bearer +(.*)$/i
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/

export const healthRoutes = (context: Context) =>
  new Elysia({ prefix: '/health' })
    .get('/live', () => reply(200, 'Alive', { status: 'live' }), {
      detail: describe({
        summary: 'Is the process alive',
        tag: 'Operations',
        access: 'anyone',
        success: { status: 200, data: Type.Object({ status: Type.String() }), description: 'It is.' },
      }),
    })
    .get(
      '/ready',
      async () => {
        const missing = (
          await Promise.all([
            probe('postgres', () => context.ledger.sql`select 1`),
            probe('redis', () => context.redis.ping()),
          ])
        ).filter((name) => name !== null)
        if (missing.length > 0)
          throw new Refusal('store_unavailable', {
            message: `Not ready: ${missing.join(' and ')} did not answer.`,
            details: missing.map((name) => ({ path: name, message: 'did not answer' })),
          })
        return reply(200, 'Ready', { status: 'ready' })
      },
      {
        detail: describe({
          summary: 'Can the process serve',
          description: '503 names the stores that do not answer.',
          tag: 'Operations',
          access: 'anyone',
          success: { status: 200, data: Type.Object({ status: Type.String() }), description: 'It can.' },
        }),
      },
    )

/** GET /health/holds: from memory, so that a checkout can show it while the ledger is away. */
export const holdsRoute = (context: Context) =>
  new Elysia().get('/health/holds', () => reply(200, 'Holds', context.holdClock.state()), {
    detail: describe({
      summary: 'Do holds run out at this moment',
      description:
        'While nobody can pay for a reason of ours, holds stand still, and each is given back what it lost, up to `maxSeconds`. Worth asking every few seconds on a page that counts down.',
      tag: 'Operations',
      access: 'anyone',
      success: { status: 200, data: HoldsView, description: 'Whether they stand still, since when and why.' },
    }),
  })

/** Null when the store answers in time, else its name. */
async function probe(name: string, ask: () => PromiseLike<unknown>): Promise<string | null> {
  const answered = (async () => ask())().then(
    () => true,
    () => false,
  )
  return (await Promise.race([answered, Bun.sleep(PROBE_TIMEOUT_MS).then(() => false)])) ? null : name
}

/** GET /metrics: every process' figures in one scrape, for the bearer of METRICS_TOKEN or for loopback alone. */
export const metricsRoutes = (context: Context) =>
  new Elysia().get(
    '/metrics',
    async ({ request, headers, set }) => {
      const refused = refuseScrape(context, request, headers.authorization)
      if (refused) {
        context.telemetry.scrapeRefused(refused.message)
        throw refused
      }
      const { contentType, body } = await tellFigures(await context.figures.readAll())
      set.headers['content-type'] = contentType
      return body
    },
    {
      detail: describe({
        summary: 'Figures of every process, for Prometheus',
        description: 'For the bearer of METRICS_TOKEN; while none is set, for this machine alone.',
        tag: 'Operations',
        access: 'anyone',
        success: { status: 200, contentType: 'text/plain', description: 'The text format of Prometheus.' },
        codes: ['unauthenticated', 'not_found'],
      }),
    },
  )

function refuseScrape(context: Context, request: Request, authorization: string | undefined): Refusal | null {
  const token = context.config.metricsToken
  if (token === null) {
    // Whatever came through a proxy came from outside, wherever the proxy runs.
    const near = LOOPBACK.test(context.addressOf(request)) && !request.headers.has('x-forwarded-for')
    return near ? null : new Refusal('not_found', { message: 'Figures are for this machine alone.' })
  }
  const given = Buffer.from(BEARER.exec(authorization ?? '')?.[1] ?? '')
  const wanted = Buffer.from(token)
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return null
  return new Refusal('unauthenticated', {
    message: authorization
      ? 'The bearer token of this scrape is not the METRICS_TOKEN of this server.'
      : 'A scrape needs the METRICS_TOKEN of this server as its bearer token.',
  })
}
