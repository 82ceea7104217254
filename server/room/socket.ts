// Owns the sockets of one server: who may open one, what each frame does, and how all are closed for a restart.
//
// Mounted on Bun.serve itself. Frames of one socket are handled one after the other; nothing a client sends can throw
// out of a handler.
import type { Server, WebSocketHandler } from 'bun'
import { identify, identifyToken, type Identity } from '../auth/access.ts'
import { isOwnOrigin } from '../auth/origin.ts'
import type { Context } from '../context.ts'
import { errorAnswer, Refusal, toRefusal } from '../errors.ts'
import { faultFields } from '../log.ts'
import { CLOSE_CODES, LIMITS } from '../protocol/codes.ts'
import type { ClientFrame } from '../protocol/socket.ts'
import { limit } from '../rate-limit.ts'
import {
  newSocketData,
  readFrame,
  sendError,
  sendRefusal,
  type Socket,
  type SocketData,
} from './connection.ts'
import { EventHub } from './hub.ts'
import { checkSessions } from './session-watch.ts'

export type { SocketData } from './connection.ts'

const PATH = /^\/ws\/event\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i
const SWEEP_EVERY_MS = 1_000
/** Pings keep an idle socket open; one that answers none for this long has gone. */
const IDLE_SECONDS = 60
/** Unread bytes a socket may pile up before it is closed: some hundred frames. */
const BACKPRESSURE_BYTES = 64 * 1024
/** Sockets come back spread over this long a sockets that must come back, so that no server meets them all at once. */
const RETURN_MS_PER_SOCKET = 2
const RETURN_MS_MIN = 500
const RETURN_MS_MAX = 30_000

export interface Sockets {
  /** Answers the request itself when it is refused; undefined once it is a socket. */
  upgrade(request: Request, server: Server<SocketData>): Promise<Response | undefined>
  handlers: WebSocketHandler<SocketData>
  /** Once the server listens: from here on it can broadcast. */
  start(server: Server<SocketData>): void
  /** Tells everybody to come back elsewhere, and lets nobody in any more. */
  drain(): Promise<void>
}

export function createSockets(context: Context): Sockets {
  const hubs = new Map<string, EventHub>()
  let server: Server<SocketData> | null = null
  let draining = false
  const { room, telemetry, log } = context

  const publish = (topic: string, text: string) => {
    const started = performance.now()
    server?.publish(topic, text)
    telemetry.broadcastSent((performance.now() - started) / 1_000)
  }
  function hubOf(eventId: string): EventHub {
    let hub = hubs.get(eventId)
    if (!hub) hubs.set(eventId, (hub = new EventHub(eventId, { room, publish, now: room.clock.now })))
    return hub
  }

  async function upgrade(request: Request, upgrader: Server<SocketData>): Promise<Response | undefined> {
    try {
      const { eventId, identity } = await admitRequest(context, request, draining)
      if (!(await room.view(eventId))) throw new Refusal('not_found')
      const data = newSocketData(eventId, identity, Date.now())
      data.surplus =
        identity !== null && hubOf(eventId).socketsOf(identity.accountId) >= LIMITS.socketsPerAccountAndEvent
      if (!upgrader.upgrade(request, { data }))
        throw new Refusal('request_invalid', { message: 'This address is a WebSocket.' })
      return undefined
    } catch (fault) {
      return refuse(context, request, fault)
    }
  }

  const stopSweeping = sweepEach(SWEEP_EVERY_MS, () => {
    for (const [eventId, hub] of hubs) {
      if (hub.sockets.size === 0) {
        hub.close()
        hubs.delete(eventId)
        continue
      }
      hub.check()
      checkSessions(context, hub.sockets, Date.now())
    }
  })

  return {
    upgrade,
    handlers: {
      maxPayloadLength: LIMITS.frameBytes,
      idleTimeout: IDLE_SECONDS,
      sendPings: true,
      backpressureLimit: BACKPRESSURE_BYTES,
      closeOnBackpressureLimit: true,
      perMessageDeflate: false,
      open(socket) {
        telemetry.socketOpened()
        if (draining) return dismiss(socket, RETURN_MS_MIN)
        if (socket.data.surplus) return socket.close(CLOSE_CODES.rate_limited, 'too many sockets')
        const hub = hubOf(socket.data.eventId)
        hub.add(socket)
        hub.greet(socket)
      },
      message(socket, message) {
        const frame = readFrame(socket, message, Date.now())
        if (!frame) return
        socket.data.heard = true
        socket.data.queue.push(frame)
        if (!socket.data.working) void work(context, hubOf(socket.data.eventId), socket)
      },
      close(socket) {
        telemetry.socketClosed()
        socket.data.stopSeats?.()
        socket.data.stopSeats = null
        hubs.get(socket.data.eventId)?.remove(socket)
      },
    },
    start(listening) {
      server = listening
    },
    async drain() {
      draining = true
      stopSweeping()
      const all = [...hubs.values()].flatMap((hub) => [...hub.sockets])
      const spread = Math.min(RETURN_MS_MAX, Math.max(RETURN_MS_MIN, all.length * RETURN_MS_PER_SOCKET))
      for (const socket of all) dismiss(socket, Math.random() * spread)
      for (const hub of hubs.values()) hub.close()
      log.info('sockets_drained', { sockets: all.length })
    },
  }
}

/** Their place is not left to the grace: it is we who go. */
function dismiss(socket: Socket, comeBackMs: number): void {
  socket.data.dismissed = true
  socket.close(CLOSE_CODES.restarting, String(Math.round(comeBackMs)))
}

/** Who asks for which event. Throws a Refusal; says nothing of whether a refused event exists. */
async function admitRequest(
  context: Context,
  request: Request,
  draining: boolean,
): Promise<{ eventId: string; identity: Identity | null }> {
  const { headers } = request
  const eventId = PATH.exec(new URL(request.url).pathname)?.[1]
  if (!eventId) throw new Refusal('not_found')
  if (!HOST.test(headers.get('host') ?? ''))
    throw new Refusal('request_invalid', { message: 'The Host header is not valid.' })
  if (draining) throw new Refusal('overloaded')
  // A page of another site may open sockets with our cookies attached; a client without pages sends no Origin.
  if (headers.get('origin') !== null && !isOwnOrigin(context.config, headers))
    throw new Refusal('origin_refused')
  const identity = await identify(context, request)
  if (identity?.viaCookie && !isOwnOrigin(context.config, headers)) throw new Refusal('origin_refused')
  return { eventId, identity }
}

function refuse(context: Context, request: Request, fault: unknown): Response {
  const refusal = toRefusal(fault)
  if (refusal.code === 'internal') context.log.error('upgrade_failed', faultFields(fault))
  const requestId = Bun.randomUUIDv7()
  const answer = errorAnswer(refusal, { path: new URL(request.url).pathname, requestId })
  return Response.json(answer, {
    status: answer.statusCode,
    headers: {
      'x-request-id': requestId,
      ...(refusal.retryAfterSeconds ? { 'retry-after': String(refusal.retryAfterSeconds) } : {}),
    },
  })
}

/** Works through a socket's frames in order. */
async function work(context: Context, hub: EventHub, socket: Socket): Promise<void> {
  const { data } = socket
  data.working = true
  for (let frame = data.queue.shift(); frame; frame = data.queue.shift()) {
    try {
      if (hub.sockets.has(socket)) await handle(context, hub, socket, frame)
    } catch (fault) {
      const refusal = toRefusal(fault)
      if (refusal.code === 'internal')
        context.log.error('frame_failed', { type: frame.type, ...faultFields(fault) })
      sendRefusal(socket, refusal)
    }
  }
  data.working = false
}

async function handle(context: Context, hub: EventHub, socket: Socket, frame: ClientFrame): Promise<void> {
  const { data } = socket
  const { eventId } = data
  const { room } = context
  switch (frame.type) {
    case 'hello':
      return hello(context, hub, socket, frame.token)
    case 'watch':
      data.stopSeats?.()
      data.stopSeats = context.availability.watch(
        eventId,
        frame.version,
        (_frame, text) => void socket.send(text),
      )
      return
    case 'unwatch':
      data.stopSeats?.()
      data.stopSeats = null
      return
  }
  const { accountId } = data
  if (accountId === null) return sendError(socket, 'unauthenticated')
  const limited = await limit(context, { name: 'room', key: accountId })
  if (!limited.ok) return sendError(socket, 'rate_limited')
  switch (frame.type) {
    case 'join': {
      const { ticket = '' } = frame
      const move = await room.join(eventId, accountId, { ticket, socket: data.connection })
      if (move.ok) return hub.joined(socket, move.entrant)
      return sendError(socket, move.refusal, move.message)
    }
    case 'claim': {
      const move = await room.claim(eventId, accountId)
      if (!move.ok) return sendError(socket, move.refusal, move.message)
      if (move.entrant.state === 'waiting')
        return sendError(socket, 'request_invalid', 'It is not your turn yet.')
      if (move.entrant.state === 'outside' && data.state === 'outside')
        return sendError(socket, 'request_invalid', 'You are not in the line.')
      return hub.settle(socket, move.entrant)
    }
    case 'leave': {
      const { endings } = data
      await room.leave(eventId, accountId)
      hub.end(socket, 'left')
      // A socket that never joined may give up the place another one took.
      if (data.endings === endings) hub.sayEnded(socket, 'left')
      return
    }
    case 'defer': {
      const move = await room.defer(eventId, accountId)
      return move.ok ? hub.joined(socket, move.entrant) : sendError(socket, move.refusal, move.message)
    }
  }
}

async function hello(
  context: Context,
  hub: EventHub,
  socket: Socket,
  token: string | undefined,
): Promise<void> {
  const { data } = socket
  if (token !== undefined) {
    const identity = await identifyToken(context, token)
    const other = data.accountId !== null && data.accountId !== identity?.accountId
    if (!identity || other) {
      sendError(socket, 'unauthenticated')
      return socket.close(CLOSE_CODES.unauthenticated)
    }
    if (data.accountId === null) {
      if (hub.socketsOf(identity.accountId) >= LIMITS.socketsPerAccountAndEvent)
        return socket.close(CLOSE_CODES.rate_limited, 'too many sockets')
      data.accountId = identity.accountId
      hub.identified(socket)
    }
    data.sessionId = identity.sessionId
  }
  hub.greet(socket)
}

function sweepEach(ms: number, sweep: () => void): () => void {
  const timer = setInterval(sweep, ms)
  return () => clearInterval(timer)
}
