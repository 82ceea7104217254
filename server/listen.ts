// Owns the door of one process: what goes to a socket, to the web client, to the docs page and to the API.
//
// Sockets are upgraded here and not by Elysia, whose per-route socket limits are ignored, whose beforeHandle runs
// twice an upgrade, and which finds a path at the wrong place when the Host is very short (ADR 7).
import { DATA_POLICY, SECURITY_HEADERS, TRANSPORT_SECURITY, writeHeaders } from './answer-headers.ts'
import { createApp } from './app.ts'
import { takeBody } from './body.ts'
import { callOf, pathOf } from './call.ts'
import type { Context } from './context.ts'
import { docsPage } from './docs.ts'
import { createDeadlines, deadlineOf } from './deadlines.ts'
import { createDirectReads } from './direct-reads.ts'
import { createDirectWrites } from './direct-writes.ts'
import { errorAnswer, Refusal, toRefusal } from './errors.ts'
import { faultFields } from './log.ts'
import { publishDocument } from './openapi.ts'
import { createDoor } from './overload.ts'
import { ERROR_STATUS, LIMITS } from './protocol/codes.ts'
import { requireCallersRate } from './rate-limit.ts'
import { createSockets, type SocketData } from './room/socket.ts'
import { SOCKET_DOCS_PATH, socketDocs } from './socket-docs.ts'
import { createPlainRoom } from './plain-room.ts'
import { webClient } from './web-client.ts'

const SOCKET_PATH = '/ws/event/'
/** Names of what is no route of the API, in its figures. */
const NAMED = {
  socket: '/ws/event/:eventId',
  docs: '/api/docs',
  plainRoom: '/events/:eventId/room',
  window: 'window',
} as const
const SWITCHING_PROTOCOLS = 101
const API_PATH = '/api/'
const DOCS_PATH = '/api/docs'
/** Elysia looks for the path from this offset on; a URL whose path begins earlier would be read wrong. */
const PATH_OFFSET_MIN = 11
/** The longest answer takes this long; a client that sends nothing is cut. */
const HTTP_IDLE_SECONDS = 30
const DRAIN_MS = 8_000
/** Past this Bun itself hangs up, without a word; up to it the refusal is ours, with its code. */
const BODY_BYTES_HARD_MAX = 64 * LIMITS.bodyBytes

export interface Listener {
  url: string
  /** Takes no more, tells sockets to come back elsewhere, finishes what is under way; bounded in time. */
  stop(): Promise<void>
}

export async function listen(context: Context): Promise<Listener> {
  const app = createApp(context)
  const sockets = createSockets(context)
  const web = await webClient(context.config.publicUrl)
  const socketDocument = socketDocs(context.config.publicUrl)

  const door = createDoor({ tokens: context.tokens, turnedAway: context.holdClock.turnedAway })
  const deadlines = createDeadlines()
  const direct = createDirectReads(context)
  const writes = createDirectWrites(context)

  const count = (request: Request, status: number) => {
    const { route, at } = callOf(request)
    context.telemetry.answered(request.method, route, status, (performance.now() - at) / 1_000)
  }
  const refuse = (request: Request, refusal: Refusal) => {
    const answer = refusedAnswer(request, refusal)
    count(request, answer.status)
    return answer
  }
  /** An answer the API did not make: given the careful headers and the request's id, and counted like any other. */
  const beside = async <T extends Response | undefined>(
    request: Request,
    name: keyof typeof NAMED,
    answer: T | Promise<T>,
  ): Promise<T> => {
    const given = await careful(answer)
    const call = callOf(request)
    call.route = NAMED[name]
    given?.headers.set('x-request-id', call.requestId)
    count(request, given?.status ?? SWITCHING_PROTOCOLS)
    return given
  }

  /** One span a request, from the caller's own when it names one; named when the route is known. */
  const traced = (
    request: Request,
    answer: () => Response | Promise<Response>,
  ): Response | Promise<Response> => {
    const { tracing } = context
    if (tracing === null) return answer()
    const parent = request.headers.get('traceparent')
    return tracing.span({ name: request.method, kind: 'server', parent }, async (span) => {
      const given = await answer()
      const { route, requestId } = callOf(request)
      span.rename(`${request.method} ${route}`)
      span.tell({
        'http.request.method': request.method,
        'http.route': route,
        'http.response.status_code': given.status,
        'request.id': requestId,
      })
      if (given.status >= ERROR_STATUS.internal) span.fail()
      return given
    })
  }

  /** From memory, at once; null when the routes are to be asked. */
  const answerDirectly = (request: Request, path: string): Response | Promise<Response> | null => {
    const found = direct.find(request, path)
    if (!found) return null
    const send = () => {
      const answer = direct.send(request, found)
      count(request, answer.status)
      return answer
    }
    if (!context.config.rateLimit) return send()
    return requireCallersRate(context, request).then(send, (fault: unknown) =>
      refuse(request, toRefusal(fault)),
    )
  }

  const produce = async (request: Request, path: string): Promise<Response> => {
    try {
      const body = takeBody(request)
      const taken = body instanceof Promise ? await body : body
      if (taken instanceof Refusal) return refusedAnswer(request, taken)
      const write = writes.find(taken, path)
      const made = write ? await writes.answer(taken, write) : taken
      return made instanceof Request ? await app.fetch(made) : made
    } catch (fault) {
      // Elysia throws nothing: this is a direct write's.
      const refusal = toRefusal(fault)
      const { requestId } = callOf(request)
      if (refusal.code === 'internal')
        context.log.error('request_failed', { requestId, path, ...faultFields(fault) })
      return refusedAnswer(request, refusal)
    }
  }

  const answerApi = async (request: Request, path: string): Promise<Response> => {
    const leave = isWatching(path) ? () => {} : door.enter(request, path)
    if (leave instanceof Refusal) return refuse(request, leave)
    try {
      const answer = await deadlines.within(deadlineOf(request.method, path), produce(request, path), () =>
        refusedAnswer(request, new Refusal('overloaded')),
      )
      count(request, answer.status)
      return answer
    } finally {
      // Also when the work goes on: what hangs must not keep the door shut. The queues behind it have limits of their own.
      leave()
    }
  }

  const answerDocument = async (request: Request, path: string) =>
    publishDocument(await answerApi(request, path))

  const plainRoom = createPlainRoom({ ask: answerApi, publicUrl: context.config.publicUrl })

  const route = (request: Request): Response | undefined | Promise<Response | undefined> => {
    const { url } = request
    const pathStart = url.indexOf('/', url.indexOf('//') + 2)
    if (pathStart < PATH_OFFSET_MIN)
      return refuse(request, new Refusal('request_invalid', { message: 'The Host header is not valid.' }))
    const path = pathOf(request)
    if (path.startsWith(API_PATH)) {
      if (path === DOCS_PATH || path.startsWith(`${DOCS_PATH}/assets/`))
        return beside(request, 'docs', docsPage(path))
      if (path === SOCKET_DOCS_PATH || path === `${SOCKET_DOCS_PATH}.json`)
        return beside(request, 'docs', socketDocument(request, path))
      if (path === `${DOCS_PATH}/json`) return answerDocument(request, path)
      return traced(request, () => answerDirectly(request, path) ?? answerApi(request, path))
    }
    if (path.startsWith(SOCKET_PATH)) return beside(request, 'socket', sockets.upgrade(request, server))
    if (path === '/metrics' || path.startsWith('/health/') || path.startsWith('/dev/'))
      return answerApi(request, path)
    const plain = plainRoom(request, path)
    return plain ? beside(request, 'plainRoom', plain) : beside(request, 'window', web(request, path))
  }

  const isSecure = context.config.publicUrl.startsWith('https:')

  const server = Bun.serve<SocketData>({
    port: context.config.port,
    hostname: context.config.bind,
    // Without this a second server on the port would silently take half of the traffic.
    reusePort: context.config.servers > 1,
    idleTimeout: HTTP_IDLE_SECONDS,
    maxRequestBodySize: BODY_BYTES_HARD_MAX,
    websocket: sockets.handlers,
    fetch(request) {
      context.came(request, server)
      return isSecure ? onlySecurely(route(request)) : route(request)
    },
    error: () => {
      context.telemetry.answered('OTHER', 'unmatched', ERROR_STATUS.internal, 0)
      return refuseUnknown()
    },
  })
  sockets.start(server)

  return {
    url: context.config.publicUrl,
    async stop() {
      door.stop()
      // No longer listening, before anybody is told to come back: who does must reach another process.
      const stopped = server.stop()
      await sockets.drain()
      await Promise.race([stopped, Bun.sleep(DRAIN_MS)])
      await server.stop(true)
      deadlines.stop()
    },
  }
}

/** Probes and scrapes tell of an overload; they must not end with it. */
const isWatching = (path: string) => path === '/metrics' || path.includes('/health/')

function refusedAnswer(request: Request, refusal: Refusal): Response {
  const call = callOf(request)
  const answer = errorAnswer(refusal, { path: pathOf(request), requestId: call.requestId })
  const headers: Record<string, string> = {}
  writeHeaders(headers, call)
  if (refusal.retryAfterSeconds !== undefined)
    headers['retry-after'] = String(Math.ceil(refusal.retryAfterSeconds))
  return Response.json(answer, { status: answer.statusCode, headers })
}

/** What the API did not make gets the headers that keep a browser careful here. */
async function careful<T extends Response | undefined>(answer: T | Promise<T>): Promise<T> {
  const response = await answer
  if (!response) return response
  const { headers } = response
  for (const [name, value] of Object.entries(SECURITY_HEADERS))
    if (!headers.has(name)) headers.set(name, value)
  const isData = headers.get('content-type')?.startsWith('application/json') ?? false
  if (isData && !headers.has('content-security-policy')) headers.set('content-security-policy', DATA_POLICY)
  return response
}

async function onlySecurely(answer: Response | undefined | Promise<Response | undefined>) {
  const response = await answer
  response?.headers.set('strict-transport-security', TRANSPORT_SECURITY)
  return response
}

function refuseUnknown(): Response {
  const answer = errorAnswer(new Refusal('internal'), { path: '', requestId: Bun.randomUUIDv7() })
  return Response.json(answer, { status: answer.statusCode, headers: SECURITY_HEADERS })
}
