// Owns what one socket is: its few fields, what it may send and how fast, and how a frame is written to it.
import type { ServerWebSocket } from 'bun'
import { Compile } from 'typebox/compile'
import { messageOf, type Refusal } from '../errors.ts'
import { CLOSE_CODES, LIMITS, type ErrorCode } from '../protocol/codes.ts'
import { ClientFrame, type ServerFrame } from '../protocol/socket.ts'
import type { EntrantState } from './entrant.ts'

const SECOND_MS = 1_000
/** Frames above the limit are refused; a socket that sends this many times the limit is closed. */
const FLOOD_FACTOR = 3
/** Frames of one socket that wait for the one before them. */
const QUEUE_MAX = 2 * LIMITS.framesPerSecond

/** Which `line` broadcasts a socket gets: the nearer the front, the more often. */
export const TIERS = ['near', 'mid', 'far'] as const
export type Tier = (typeof TIERS)[number]

/** Everything kept a socket: no closure, no timer. */
export interface SocketData {
  eventId: string
  /** A name no other socket of any server has: the server's, a dot, and a count. */
  connection: string
  accountId: string | null
  sessionId: string | null
  /** Where it came from. */
  address: string
  /** This account has too many sockets already; closed as soon as it is open. */
  surplus: boolean
  openedAt: number
  /** When the session is looked at again, ms. */
  sessionCheckAt: number
  /** Has sent something we understood. */
  heard: boolean
  second: number
  framesThisSecond: number
  /** Null while there are none, which is nearly always. */
  badFramesAt: number[] | null
  /** Frames that wait for the one being worked on; null while there are none. */
  queue: ClientFrame[] | null
  working: boolean
  stopSeats: (() => void) | null
  /** Where its account stands as far as this socket was told; `outside` also for a socket that never joined. */
  state: EntrantState
  number: number
  place: number
  epoch: number
  tier: Tier
  /** For `called`: the claimBefore it was told, ms. */
  claimBefore: number
  /** When to ask Redis again where it stands, ms; Infinity while waiting. */
  checkAt: number
  /** How often it was told that its place ended. */
  endings: number
  /** Closed by us; its place is not left to the grace. */
  dismissed: boolean
  /** Counts what it was refused; the server's own, the same for every socket. */
  refused: (code: ErrorCode) => void
}
export type Socket = ServerWebSocket<SocketData>

let socketsOpened = 0

export function newSocketData(
  server: string,
  eventId: string,
  identity: { accountId: string; sessionId: string } | null,
  now: number,
  address: string,
  refused: SocketData['refused'] = () => {},
): SocketData {
  return {
    eventId,
    connection: `${server}.${(socketsOpened++).toString(36)}`,
    accountId: identity?.accountId ?? null,
    sessionId: identity?.sessionId ?? null,
    address,
    surplus: false,
    openedAt: now,
    sessionCheckAt: 0,
    heard: false,
    second: 0,
    framesThisSecond: 0,
    badFramesAt: null,
    queue: null,
    working: false,
    stopSeats: null,
    state: 'outside',
    number: 0,
    place: 0,
    epoch: 0,
    tier: 'far',
    claimBefore: 0,
    checkAt: Infinity,
    endings: 0,
    dismissed: false,
    refused,
  }
}

/** Unread bytes a socket may pile up: some hundred frames. Beyond it loses what is told to all by topic. */
export const BACKPRESSURE_BYTES = 64 * 1_024
/** What Bun answers for a frame it did not take. */
const DROPPED = 0

export const send = (socket: Socket, frame: ServerFrame): void => sendText(socket, JSON.stringify(frame))

/** A frame nobody repeats: whoever reads too slowly to get it is cut off, and finds its state when it comes back. */
export function sendText(socket: Socket, text: string): void {
  if (socket.send(text) === DROPPED) socket.terminate()
}

/** Reads so slowly that what was just published to it was dropped. */
export const isBehind = (socket: Socket): boolean => socket.getBufferedAmount() > BACKPRESSURE_BYTES

export function sendError(socket: Socket, code: ErrorCode, message = messageOf(code)): void {
  socket.data.refused(code)
  send(socket, { type: 'error', code, message })
}

export const sendRefusal = (socket: Socket, { code, message }: Refusal) => sendError(socket, code, message)

const checkFrame = Compile(ClientFrame)

/** The frame a message holds; null when it was refused, the socket told so and perhaps closed. */
export function readFrame(socket: Socket, message: string | Buffer, now: number): ClientFrame | null {
  const { data } = socket
  const second = Math.floor(now / SECOND_MS)
  if (data.second !== second) {
    data.second = second
    data.framesThisSecond = 0
  }
  data.framesThisSecond += 1
  if (data.framesThisSecond > LIMITS.framesPerSecond) {
    if (data.framesThisSecond === LIMITS.framesPerSecond + 1) sendError(socket, 'rate_limited')
    if (data.framesThisSecond > LIMITS.framesPerSecond * FLOOD_FACTOR) socket.close(CLOSE_CODES.rate_limited)
    return null
  }
  const frame = typeof message === 'string' ? parseFrame(message) : null
  if (frame === null) refuseFrame(socket, now)
  else if (data.queue && data.queue.length >= QUEUE_MAX) {
    socket.close(CLOSE_CODES.rate_limited)
    return null
  }
  return frame
}

function parseFrame(text: string): ClientFrame | null {
  try {
    const value: unknown = JSON.parse(text)
    return checkFrame.Check(value) ? value : null
  } catch {
    return null
  }
}

function refuseFrame(socket: Socket, now: number): void {
  const { data } = socket
  sendError(socket, 'request_invalid', 'This frame is not one of the protocol.')
  const recent = data.badFramesAt?.filter((at) => now - at < LIMITS.badFrameWindowMs) ?? []
  data.badFramesAt = [...recent, now]
  if (data.badFramesAt.length >= LIMITS.badFramesBeforeClose) socket.close(CLOSE_CODES.policy)
}
