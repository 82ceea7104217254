/** Owns people in line who behave as the browser does: they come back as told, with their ticket, and remember everything. */
import { CLOSE_CODES } from '../../server/protocol/codes.ts'
import type { ServerFrame } from '../../server/protocol/socket.ts'
import { retryDelay } from '../../web/src/net/retry-delay.ts'

/** A refused join is sent again within so long. */
const ASK_AGAIN_MS = 2_000
/** Sockets opened at once. */
const AT_ONCE = 100

const SocketWithHeaders = WebSocket as unknown as new (
  url: string,
  options: Bun.WebSocketOptions,
) => WebSocket

export interface Survivor {
  /** As first told. */
  number: number | null
  /** As last told. */
  lastNumber: number | null
  epoch: number
  /** Of the last `joined`, performance.now(). */
  joinedAt: number
  /** Of the last lost connection, performance.now(); 0 = never lost. */
  lostAt: number
  /** The code of the last close; 0 = never closed. */
  closedWith: number
  open: boolean
  called: boolean
  admitted: boolean
  /** Reasons of every `ended`. */
  ended: string[]
  send(frame: object): void
  close(): void
}

/** Opens a socket a token and joins, at most AT_ONCE at a time; resolves when all have their number. */
export async function openSurvivors(url: string, eventId: string, tokens: string[]): Promise<Survivor[]> {
  const address = `${url.replace(/^http/, 'ws')}/ws/event/${eventId}`
  const all: Survivor[] = []
  for (let at = 0; at < tokens.length; at += AT_ONCE) {
    const joined = tokens.slice(at, at + AT_ONCE).map((token) => {
      const first = Promise.withResolvers<void>()
      all.push(survive(address, token, first.resolve))
      return first.promise
    })
    await Promise.all(joined)
  }
  return all
}

function survive(address: string, token: string, firstJoined: () => void): Survivor {
  let socket: WebSocket | null = null
  let ticket: string | undefined
  let [failures, comeBackMs] = [0, 0]
  let closed = false
  const me: Survivor = {
    number: null,
    lastNumber: null,
    epoch: 0,
    joinedAt: 0,
    lostAt: 0,
    closedWith: 0,
    open: false,
    called: false,
    admitted: false,
    ended: [],
    send: (frame) => socket?.send(JSON.stringify(frame)),
    close: () => {
      closed = true
      socket?.close()
    },
  }
  const join = () => {
    if (socket?.readyState === WebSocket.OPEN) me.send({ type: 'join', ...(ticket ? { ticket } : {}) })
  }
  const hear = (frame: ServerFrame) => {
    failures = 0
    if (frame.type === 'room') comeBackMs = frame.comeBackMs ?? 0
    if (frame.type === 'error') setTimeout(join, ASK_AGAIN_MS * Math.random())
    if (frame.type === 'turn') me.called = true
    if (frame.type === 'turn') me.send({ type: 'claim' })
    if (frame.type === 'admitted') me.admitted = true
    if (frame.type === 'ended') me.ended.push(frame.reason)
    if (frame.type !== 'joined') return
    ticket = frame.ticket
    me.number ??= frame.number
    me.lastNumber = frame.number
    me.epoch = frame.epoch
    me.joinedAt = performance.now()
    firstJoined()
  }
  const connect = () => {
    if (closed) return
    socket = new SocketWithHeaders(address, { headers: { authorization: `Bearer ${token}` } })
    socket.addEventListener('open', () => {
      me.open = true
      join()
    })
    socket.addEventListener('message', ({ data }) => hear(JSON.parse(String(data)) as ServerFrame))
    socket.addEventListener('close', ({ code, reason }) => {
      if (me.open) me.lostAt = performance.now()
      if (!closed) me.closedWith = code
      me.open = false
      if (closed || code === CLOSE_CODES.replaced || code === CLOSE_CODES.unauthenticated) return
      failures += 1
      setTimeout(connect, retryDelay({ code, reason, failures, comeBackMs }))
    })
  }
  connect()
  return me
}
