/** Owns a buyer's connection to the line: by socket, or by HTTP where there is none; both say the same events. */
import type { EntrantView } from '../../server/protocol/http.ts'
import { expandDraw, fromHex, HASH_BYTES, hashNow, placesOf } from '../../server/protocol/draw.ts'
import type { DrawFrame, ServerFrame } from '../../server/protocol/socket.ts'
import { CLOSE_CODES } from '../../server/protocol/codes.ts'
import { retryDelay } from '../../web/src/net/retry-delay.ts'
import type { Answer, Api } from './api.ts'

const JOIN_AGAIN_MS = 10_000
const REFUSED_PAUSE_MS = 1_000
const LEAST_POLL_MS = 250

/** Bun's takes headers, which the browser's, whose type is in force here, does not know. */
const SocketWithHeaders = WebSocket as unknown as new (
  url: string,
  options: Bun.WebSocketOptions,
) => WebSocket

/** What reaches a buyer; the socket's own frames, and the HTTP answers told in the same words. */
export type LineEvent =
  | Extract<ServerFrame, { type: 'joined' | 'turn' | 'admitted' | 'room' | 'ended' | 'error' }>
  | { type: 'lost' }

export interface Line {
  claim(): void
  leave(): void
  close(): void
}

interface Place {
  url: string
  eventId: string
  token: string
  listen(event: LineEvent): void
}

/** Joins, and joins again with the ticket after every lost connection, until closed. */
export function joinBySocket({ url, eventId, token, listen }: Place): Line {
  let socket: WebSocket | undefined
  let ticket: string | undefined
  let joined: Extract<ServerFrame, { type: 'joined' }> | undefined
  let closed = false
  let failures = 0
  let comeBackMs = 0
  let timer: Timer | undefined
  const send = (frame: object) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame))
  }
  const join = () => {
    send({ type: 'join', ...(ticket === undefined ? {} : { ticket }) })
    again(join, JOIN_AGAIN_MS)
  }
  const again = (what: () => void, afterMs: number) => {
    clearTimeout(timer)
    if (!closed) timer = setTimeout(what, afterMs)
  }
  const hear = (frame: ServerFrame) => {
    if (frame.type === 'joined') {
      clearTimeout(timer)
      failures = 0
      ticket = frame.ticket
      joined = frame
    }
    if (frame.type === 'draw' && joined?.place === null) {
      joined = { ...joined, place: drawnPlace(frame, joined.number) }
      listen(joined)
    }
    if (frame.type === 'room') comeBackMs = frame.comeBackMs ?? 0
    if (frame.type === 'error') again(join, REFUSED_PAUSE_MS * (1 + Math.random()))
    if (isForBuyer(frame)) listen(frame)
  }
  const connect = () => {
    const address = `${url.replace(/^http/, 'ws')}/ws/event/${eventId}`
    socket = new SocketWithHeaders(address, { headers: { authorization: `Bearer ${token}` } })
    socket.addEventListener('open', join)
    socket.addEventListener('message', ({ data }) => hear(JSON.parse(String(data)) as ServerFrame))
    socket.addEventListener('close', ({ code, reason }) => {
      if (closed) return
      listen({ type: 'lost' })
      const final = code === CLOSE_CODES.unauthenticated || code === CLOSE_CODES.replaced
      if (final) return listen({ type: 'ended', reason: 'replaced' })
      failures += 1
      again(connect, retryDelay({ code, reason, failures, comeBackMs }))
    })
  }
  connect()
  return {
    claim: () => send({ type: 'claim' }),
    leave: () => send({ type: 'leave' }),
    close: () => {
      closed = true
      clearTimeout(timer)
      socket?.close()
    },
  }
}

const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher('sha256').update(bytes).digest()
/** One draw is the same for the whole crowd. */
let drawn: { seed: string; placeOf: (number: number) => number } | undefined

/** Nobody is told the place: it follows from the seed and the number. */
function drawnPlace({ seed, entrants }: DrawFrame, number: number): number {
  if (drawn?.seed !== seed) {
    const work = expandDraw(fromHex(seed, HASH_BYTES) ?? new Uint8Array(HASH_BYTES), entrants)
    drawn = { seed, placeOf: placesOf(hashNow(work, sha256)) }
  }
  return number < entrants ? drawn.placeOf(number) : number
}

function isForBuyer(frame: ServerFrame): frame is Exclude<LineEvent, { type: 'lost' }> {
  return ['joined', 'turn', 'admitted', 'room', 'ended', 'error'].includes(frame.type)
}

/** The same line asked again and again, as often as the server wishes. */
export function joinByHttp({ eventId, listen }: Omit<Place, 'token' | 'url'>, api: Api): Line {
  const path = `/event/${eventId}/room`
  const open = { now: true }
  let known: EntrantView | undefined
  const tell = (now: EntrantView) => {
    for (const event of eventsBetween(known, now)) listen(event)
    known = now
  }
  const ask = (join: boolean): Promise<Answer<EntrantView>> => {
    return api.call(
      join ? { method: 'POST', path: `${path}/join`, body: {} } : { method: 'GET', path: `${path}/me` },
    )
  }
  const poll = async () => {
    let join = true
    while (open.now) {
      const answer = await ask(join)
      if (!open.now) return
      if (answer.ok) tell(answer.data)
      join = !answer.ok || answer.data.state === 'outside'
      await Bun.sleep(Math.max(answer.ok ? answer.data.pollMs : REFUSED_PAUSE_MS, LEAST_POLL_MS))
    }
  }
  void poll()
  const post = (word: string) => void api.call({ method: 'POST', path: `${path}/${word}`, body: {} })
  return { claim: () => post('claim'), leave: () => post('leave'), close: () => void (open.now = false) }
}

/** What a socket would have said from one answer to the next. */
function eventsBetween(before: EntrantView | undefined, now: EntrantView): LineEvent[] {
  const events: LineEvent[] = [{ type: 'room', ...roomWords(now) }]
  const { number, place, ticket, epoch, claimBefore, pass, expiresAt } = now
  if (number !== null && (number !== before?.number || place !== before.place)) {
    events.push({ type: 'joined', number, place, ticket: ticket ?? '', epoch })
  }
  if (claimBefore !== null && claimBefore !== before?.claimBefore) events.push({ type: 'turn', claimBefore })
  if (pass !== null && expiresAt !== null && pass !== before?.pass) {
    events.push({ type: 'admitted', pass, expiresAt })
  }
  if (now.state === 'outside' && before && before.state !== 'outside') {
    events.push({ type: 'ended', reason: before.state === 'called' ? 'no_show' : 'pass_expired' })
  }
  return events
}

function roomWords({ room, epoch }: EntrantView) {
  const { phase, lobbyAt, onSaleAt, commitment, serverTime } = room
  return { phase, lobbyAt, onSaleAt, commitment, doorSeconds: 0, passSeconds: 0, epoch, serverTime }
}
