// Owns one user's connection to the line: joins, hears its place, claims its turn, and comes back when it was cut off.
import { clearTimeout, setTimeout } from 'k6/timers'
import { WebSocket } from 'k6/websockets'
import { Counter, Trend } from 'k6/metrics'
import type { ServerFrame } from '../../server/protocol/socket.ts'
import { ADDRESS } from './api.ts'
import { tally } from './tally.ts'

export const joinMs = new Trend('join_ms', true)
export const waitMs = new Trend('wait_ms', true)
export const claimMs = new Trend('claim_ms', true)
export const placed = tally('placed')
export const admitted = tally('admitted')
/** Of the line's word: a place that moved, someone called before those ahead, `serving` going back. */
export const lineFaults: Counter = tally('line_faults')
/** Sockets that ended without our asking, beyond what a scenario cuts itself. */
export const cutOff = tally('sockets_cut_off')
export const refusedFrames = tally('refused_frames')

const FAULTS_TOLD = 3
const RETRY_MS = 1_000
const NORMAL_CLOSURE = 1_000
/** k6 has the name of this state in its types alone. */
const OPEN = 1

type Frame<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>
interface Waiting {
  holds: () => boolean
  resolve: (held: boolean) => void
  timer: number
}

let told = 0

export class Entrant {
  joined: Frame<'joined'> | undefined
  phase: Frame<'room'>['phase'] | undefined
  pass: string | undefined
  /** Frames of each type heard so far. */
  readonly heard: Partial<Record<ServerFrame['type'], number>> = {}
  ended = false
  #socket: WebSocket | undefined
  #serving = -1
  #waiting: Waiting[] = []
  #left = false
  #cameAt = 0
  #joinedAt = 0
  #claimedAt = 0
  #retry = 0
  readonly #eventId: string
  readonly #token: string | undefined
  readonly #joins: boolean

  /** With `joins` false it only listens, as whoever looks at an event page does. */
  constructor(eventId: string, token: string | undefined, joins = true) {
    this.#eventId = eventId
    this.#token = token
    this.#joins = joins
    this.#connect()
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === OPEN
  }

  /** True as soon as `holds` is, false after `withinMs`. Looked at after every frame and every change of the socket. */
  until(holds: () => boolean, withinMs: number): Promise<boolean> {
    if (holds()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const waiting: Waiting = { holds, resolve, timer: 0 }
      waiting.timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting)
        resolve(holds())
      }, withinMs)
      this.#waiting.push(waiting)
    })
  }

  send(frame: object): void {
    if (this.isOpen) this.#socket?.send(JSON.stringify(frame))
  }

  /** Gives the place or the pass up, so that the next may come. */
  leave(): void {
    this.send({ type: 'leave' })
  }

  /** Cuts the socket as a lost network does; it comes back by itself `afterMs` later with its ticket. */
  cut(afterMs: number): void {
    const lost = this.#socket
    this.#socket = undefined
    lost?.close(NORMAL_CLOSURE)
    this.#retry = setTimeout(() => this.#connect(), afterMs)
  }

  close(): void {
    this.#left = true
    clearTimeout(this.#retry)
    this.#socket?.close(NORMAL_CLOSURE)
    this.#look()
  }

  #connect(): void {
    if (this.#left) return
    this.#cameAt = Date.now()
    const headers: Record<string, string> =
      this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }
    const address = `${ADDRESS.replace(/^http/, 'ws')}/ws/event/${this.#eventId}`
    const socket = new WebSocket(address, null, { headers, tags: { name: 'line' } })
    this.#socket = socket
    socket.onopen = () => this.#enter()
    socket.onmessage = (event) => this.#hear(JSON.parse(String(event?.data)) as ServerFrame)
    socket.onclose = () => this.#lost(socket)
  }

  #enter(): void {
    const ticket = this.joined?.ticket
    if (this.#joins) this.send({ type: 'join', ...(ticket === undefined ? {} : { ticket }) })
    this.#look()
  }

  #lost(socket: WebSocket): void {
    if (this.#left || socket !== this.#socket) return
    cutOff.add(1)
    this.#retry = setTimeout(() => this.#connect(), RETRY_MS * (1 + Math.random()))
    this.#look()
  }

  #hear(frame: ServerFrame): void {
    this.heard[frame.type] = (this.heard[frame.type] ?? 0) + 1
    if (frame.type === 'room') this.phase = frame.phase
    if (frame.type === 'joined') this.#place(frame)
    if (frame.type === 'line') this.#follow(frame.serving)
    if (frame.type === 'turn' && !frame.claimed) {
      this.#claimedAt ||= Date.now()
      this.send({ type: 'claim' })
    }
    if (frame.type === 'admitted') this.#admit(frame)
    if (frame.type === 'ended') {
      this.ended = true
      this.pass = undefined
    }
    if (frame.type === 'error') {
      refusedFrames.add(1, { code: frame.code })
      this.#retry = setTimeout(() => this.#enter(), RETRY_MS * (1 + Math.random()))
    }
    this.#look()
  }

  #place(frame: Frame<'joined'>): void {
    const before = this.joined
    this.joined = frame
    if (before === undefined) {
      this.#joinedAt = Date.now()
      joinMs.add(this.#joinedAt - this.#cameAt)
      placed.add(1)
    } else if (before.epoch === frame.epoch && before.number !== frame.number)
      fault(`number ${before.number} became ${frame.number}`)
  }

  #follow(serving: number): void {
    if (serving < this.#serving && this.joined) fault(`serving went back from ${this.#serving} to ${serving}`)
    this.#serving = serving
  }

  #admit({ pass }: Frame<'admitted'>): void {
    if (this.pass === undefined) {
      admitted.add(1)
      waitMs.add(Date.now() - this.#joinedAt)
      if (this.#claimedAt > 0) claimMs.add(Date.now() - this.#claimedAt)
    }
    this.pass = pass
  }

  #look(): void {
    const ready = this.#waiting.filter(({ holds }) => holds())
    if (ready.length === 0) return
    this.#waiting = this.#waiting.filter((one) => !ready.includes(one))
    for (const { timer, resolve } of ready) {
      clearTimeout(timer)
      resolve(true)
    }
  }
}

function fault(sentence: string): void {
  lineFaults.add(1)
  told += 1
  if (told <= FAULTS_TOLD) console.warn(`The line broke its word: ${sentence}`)
}

export const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms))
