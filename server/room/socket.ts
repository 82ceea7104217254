// Owns the sockets of one server: who may open one, what each frame does, and how all are closed for a restart.
//
// Mounted on Bun.serve itself. Frames of one socket are handled one after the other; nothing a client sends can throw
// out of a handler.
import type { Server, WebSocketHandler } from 'bun'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import { CLOSE_CODES, LIMITS } from '../protocol/codes.ts'
import { comeBackMs } from './come-back.ts'
import { BACKPRESSURE_BYTES, newSocketData, readFrame, type Socket, type SocketData } from './connection.ts'
import { workThrough } from './frames.ts'
import { EventHub } from './hub.ts'
import { checkSessions } from './session-watch.ts'
import { admitRequest, refuseUpgrade } from './upgrade.ts'

export type { SocketData } from './connection.ts'

const SWEEP_EVERY_MS = 1_000
/** Upgrades looked at together; whoever comes beyond them is refused at once, and comes back later. */
const UPGRADES_AT_ONCE = 2_000
/** Pings keep an idle socket open; one that answers none for this long has gone. */
const IDLE_SECONDS = 60

export interface Sockets {
  /** Answers the request itself when it is refused; undefined once it is a socket. */
  upgrade(request: Request, server: Server<SocketData>): Promise<Response | undefined>
  handlers: WebSocketHandler<SocketData>
  /** Once the server listens: from here on it can broadcast. */
  start(server: Server<SocketData>): void
  /** Tells everybody to come back elsewhere, and lets nobody in any more. */
  drain(): Promise<void>
}

/** How long a socket that was told to come back elsewhere has to hear it. */
const GOODBYE_MS = 3_000
const GOODBYE_POLL_MS = 20

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
  /** Never less than it was: who is told it once need not be told again when others go. */
  let mostSockets = 0
  function spread(): number {
    const now = hubs.values().reduce((all, { sockets }) => all + sockets.size, 0)
    mostSockets = Math.max(mostSockets, now)
    return comeBackMs(mostSockets)
  }
  function hubOf(eventId: string): EventHub {
    let hub = hubs.get(eventId)
    if (!hub) {
      hub = new EventHub(eventId, { room, publish, now: room.clock.now, comeBackMs: spread })
      hubs.set(eventId, hub)
    }
    return hub
  }

  let upgrading = 0
  async function upgrade(request: Request, upgrader: Server<SocketData>): Promise<Response | undefined> {
    upgrading += 1
    try {
      if (upgrading > UPGRADES_AT_ONCE) throw new Refusal('overloaded')
      const { eventId, identity } = await admitRequest(context, request, draining)
      if (!(await room.view(eventId))) throw new Refusal('not_found')
      const address = context.addressOf(request)
      const data = newSocketData(room.server, eventId, identity, Date.now(), address, telemetry.socketRefused)
      data.surplus =
        identity !== null && hubOf(eventId).socketsOf(identity.accountId) >= LIMITS.socketsPerAccountAndEvent
      if (!upgrader.upgrade(request, { data }))
        throw new Refusal('request_invalid', { message: 'This address is a WebSocket.' })
      return undefined
    } catch (fault) {
      return refuseUpgrade(context, request, fault)
    } finally {
      upgrading -= 1
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
      // It loses ticks, the next of which says all that the lost ones did.
      closeOnBackpressureLimit: false,
      perMessageDeflate: false,
      open(socket) {
        telemetry.socketOpened()
        if (draining) return dismiss(socket, Math.random() * spread())
        if (socket.data.surplus) return socket.close(CLOSE_CODES.rate_limited, 'too many sockets')
        const hub = hubOf(socket.data.eventId)
        // The id as it was read holds the whole address it was cut from.
        socket.data.eventId = hub.eventId
        hub.add(socket)
        hub.greet(socket)
      },
      message(socket, message) {
        const frame = readFrame(socket, message, Date.now())
        if (!frame) return
        socket.data.heard = true
        if (socket.data.working) (socket.data.queue ??= []).push(frame)
        else void workThrough(context, hubOf(socket.data.eventId), socket, frame)
      },
      close(socket, code) {
        telemetry.socketClosed(code)
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
      const within = spread()
      for (const socket of all) dismiss(socket, Math.random() * within)
      for (const hub of hubs.values()) hub.abandon()
      // The listener closes whatever is still open without a word: first let each goodbye arrive.
      const until = Date.now() + GOODBYE_MS
      const open = () => [...hubs.values()].some((hub) => hub.sockets.size > 0)
      while (open() && Date.now() < until) await Bun.sleep(GOODBYE_POLL_MS)
      log.info('sockets_drained', { sockets: all.length })
    },
  }
}

/** Their place is not left to the grace: it is we who go. */
function dismiss(socket: Socket, waitMs: number): void {
  socket.data.dismissed = true
  socket.close(CLOSE_CODES.restarting, String(Math.round(waitMs)))
}

function sweepEach(ms: number, sweep: () => void): () => void {
  const timer = setInterval(sweep, ms)
  return () => clearInterval(timer)
}
