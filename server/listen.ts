// Owns the door of one process: what goes to a socket, to the web client, to the docs page and to the API.
//
// Sockets are upgraded here and not by Elysia, whose per-route socket limits are ignored, whose beforeHandle runs
// twice an upgrade, and which finds a path at the wrong place when the Host is very short (ADR 7).
import type { Server } from 'bun'
import { createApp } from './app.ts'
import { takeBody } from './body.ts'
import type { Context } from './context.ts'
import { docsPage } from './docs.ts'
import { errorAnswer, Refusal } from './errors.ts'
import { publishDocument } from './openapi.ts'
import { createDoor } from './overload.ts'
import { LIMITS } from './protocol/codes.ts'
import { createSockets, type SocketData } from './room/socket.ts'
import { SOCKET_DOCS_PATH, socketDocs } from './socket-docs.ts'
import { webClient } from './web-client.ts'

const SOCKET_PATH = '/ws/event/'
const DOCS_PATH = '/api/docs'
/** Elysia looks for the path from this offset on; a URL whose path begins earlier would be read wrong. */
const PATH_OFFSET_MIN = 11
/** The longest answer takes this long; a client that sends nothing is cut. */
const HTTP_IDLE_SECONDS = 30
const DRAIN_MS = 8_000
/** Past this Bun itself hangs up, without a word; up to it the refusal is ours, with its code. */
const BODY_BYTES_HARD_MAX = 64 * LIMITS.bodyBytes

const SECURITY_HEADERS: [string, string][] = [
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'no-referrer'],
  ['x-frame-options', 'DENY'],
  ['cross-origin-opener-policy', 'same-origin'],
]

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

  const door = createDoor(context)

  const answerApi = async (request: Request, server: Server<SocketData>, path: string): Promise<Response> => {
    const taken = await takeBody(request)
    if (taken instanceof Refusal) return refuse(request, taken)
    const leave = isWatching(path) ? () => {} : door.enter(taken, path)
    if (leave instanceof Refusal) return refuse(request, leave)
    if (taken !== request) context.came(taken, addressOf(request, server))
    try {
      return await app.fetch(taken)
    } finally {
      leave()
    }
  }

  const route = async (request: Request, server: Server<SocketData>): Promise<Response | undefined> => {
    const pathStart = request.url.indexOf('/', request.url.indexOf('//') + 2)
    if (pathStart < PATH_OFFSET_MIN)
      return refuse(request, new Refusal('request_invalid', { message: 'The Host header is not valid.' }))
    const path = request.url.slice(pathStart).split('?', 1)[0] ?? '/'
    if (path.startsWith(SOCKET_PATH)) return sockets.upgrade(request, server)
    if (
      path.startsWith('/api/') ||
      path === '/metrics' ||
      path.startsWith('/health/') ||
      path.startsWith('/dev/')
    ) {
      if (path === DOCS_PATH || path.startsWith(`${DOCS_PATH}/assets/`)) return docsPage(path)
      if (path === SOCKET_DOCS_PATH || path === `${SOCKET_DOCS_PATH}.json`)
        return socketDocument(request, path)
      const answer = await answerApi(request, server, path)
      return path === `${DOCS_PATH}/json` ? publishDocument(answer) : answer
    }
    return web(request, path)
  }

  const server = Bun.serve<SocketData>({
    port: context.config.port,
    hostname: context.config.bind,
    // Without this a second server on the port would silently take half of the traffic.
    reusePort: context.config.servers > 1,
    idleTimeout: HTTP_IDLE_SECONDS,
    maxRequestBodySize: BODY_BYTES_HARD_MAX,
    websocket: sockets.handlers,
    async fetch(request) {
      context.came(request, addressOf(request, server))
      const response = await route(request, server)
      if (response)
        for (const [name, value] of SECURITY_HEADERS)
          if (!response.headers.has(name)) response.headers.set(name, value)
      return response
    },
    error: () => refuseUnknown(),
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
    },
  }
}

/** Probes and scrapes tell of an overload; they must not end with it. */
const isWatching = (path: string) => path === '/metrics' || path.includes('/health/')

const addressOf = (request: Request, server: Server<SocketData>) =>
  server.requestIP(request)?.address ?? 'unknown'

function refuse(request: Request, refusal: Refusal): Response {
  const requestId = Bun.randomUUIDv7()
  const answer = errorAnswer(refusal, {
    path: request.url.replace(/^[a-z]+:\/\/[^/]*/, '').split('?', 1)[0] ?? '/',
    requestId,
  })
  const { retryAfterSeconds } = refusal
  const retry = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  return Response.json(answer, {
    status: answer.statusCode,
    headers: { 'x-request-id': requestId, 'cache-control': 'no-store', ...retry },
  })
}

function refuseUnknown(): Response {
  const answer = errorAnswer(new Refusal('internal'), { path: '', requestId: Bun.randomUUIDv7() })
  return Response.json(answer, { status: answer.statusCode })
}
