// Owns one user's connection to the line: joins, hears its place, claims its turn, and comes back when it was cut off.
import { clearTimeout, setTimeout } from 'k6/timers'
import { WebSocket } from 'k6/websockets'
import { Counter, Trend } from 'k6/metrics'
import { CLOSE_CODES } from '../../server/protocol/codes.ts'
import type { ServerFrame } from '../../server/protocol/socket.ts'
import { retryDelay } from '../../web/src/net/retry-delay.ts'
import { ADDRESS, ask, newKey } from './api.ts'
import { pause } from './pause.ts'
import { size } from './size.ts'
import { tally } from './tally.ts'

export { pause }

export const joinMs = new Trend('join_ms', true)
export const waitMs = new Trend('wait_ms', true)
export const claimMs = new Trend('claim_ms', true)
export const placed = tally('placed')
export const admitted = tally('admitted')
/** Of the line's word: a place that moved, someone called before those ahead, `serving` going back. */
const lineFaults: Counter = tally('line_faults')
/** Sockets that ended without our asking, beyond what a scenario cuts itself. */
const cutOff = tally('sockets_cut_off')
/** Of these: told to come back, as a server does that is about to end. */
const sentAway = tally('sockets_sent_away')
const refusedFrames = tally('refused_frames')

const FAULTS_TOLD = 3
/** After a refused frame. */
const RETRY_MS = 1_000
/** A join that nothing is said of is sent again. */
const JOIN_AGAIN_MS = 10_000
/** `-e MOMENTS=1` says a line for each admission: when it was heard of, in ms. */
const MOMENTS = size('MOMENTS', 0) > 0
const NORMAL_CLOSURE = 1_000
/** k6 has the name of this state in its types alone. */
const OPEN = 1

type Frame<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>
/** What k6 tells of an ending; its types leave it out. `code` is absent when nobody said one. */
interface Ending {
  code?: number
  reason: string
}
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
  /** Called, and not yet let in. */
  #called = false
  #epoch = -1
  #failures = 0
  #comeBackMs = 0
  #retry = 0
  readonly #eventId: string
  readonly #token: string | undefined
  #joins: boolean

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

  /** Gives the place or the pass up, so that the next may come; over HTTP when there is no socket just now. */
  leave(): void {
    // Whoever comes back after this stands in no line.
    this.#joins = false
    if (this.isOpen) return this.send({ type: 'leave' })
    const path = `/event/${this.#eventId}/room/leave`
    void ask({ method: 'POST', path, name: 'leave', token: this.#token, body: {}, key: newKey('leave') })
  }

  /** Cuts the socket as a lost network does; it comes back by itself `afterMs` later with its ticket. */
  cut(afterMs: number): void {
    const lost = this.#socket
    this.#socket = undefined
    lost?.close(NORMAL_CLOSURE)
    this.#again(() => this.#connect(), afterMs)
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
    socket.addEventListener('close', (event) => this.#lost(socket, event as unknown as Ending))
  }

  #enter(): void {
    const { ticket } = this.joined ?? {}
    if (this.#joins) {
      this.send({ type: 'join', ...(ticket === undefined ? {} : { ticket }) })
      this.#again(() => this.#enter(), JOIN_AGAIN_MS)
    }
    this.#look()
  }

  /** What was refused, as whoever is refused presses once more. */
  #repeat(): void {
    this.#enter()
    if (this.#called) this.send({ type: 'claim' })
  }

  #again(what: () => void, afterMs: number): void {
    clearTimeout(this.#retry)
    if (!this.#left) this.#retry = setTimeout(what, afterMs)
  }

  #lost(socket: WebSocket, { code = 0, reason }: Ending): void {
    if (this.#left || socket !== this.#socket) return
    cutOff.add(1)
    if (code === CLOSE_CODES.restarting) sentAway.add(1)
    this.#failures += 1
    const lost = { code, reason, failures: this.#failures, comeBackMs: this.#comeBackMs }
    this.#again(() => this.#connect(), retryDelay(lost))
    this.#look()
  }

  #hear(frame: ServerFrame): void {
    this.heard[frame.type] = (this.heard[frame.type] ?? 0) + 1
    this.#failures = 0
    if (frame.type === 'room') this.#stand(frame)
    if (frame.type === 'joined') this.#place(frame)
    if (frame.type === 'line') this.#follow(frame.serving)
    if (frame.type === 'turn' && !frame.claimed) {
      this.#called = true
      this.#claimedAt ||= Date.now()
      this.send({ type: 'claim' })
    }
    if (frame.type === 'admitted') this.#admit(frame)
    if (frame.type === 'ended') {
      this.ended = true
      this.#called = false
      this.pass = undefined
    }
    if (frame.type === 'error') {
      refusedFrames.add(1, { code: frame.code })
      this.#again(() => this.#repeat(), RETRY_MS * (1 + Math.random()))
    }
    this.#look()
  }

  #stand({ phase, epoch, comeBackMs }: Frame<'room'>): void {
    this.phase = phase
    this.#comeBackMs = comeBackMs ?? this.#comeBackMs
    this.#begin(epoch)
  }

  /** A line that was built again counts anew. */
  #begin(epoch: number): void {
    if (epoch <= this.#epoch) return
    this.#epoch = epoch
    this.#serving = -1
  }

  #place(frame: Frame<'joined'>): void {
    const before = this.joined
    this.joined = frame
    clearTimeout(this.#retry)
    this.#begin(frame.epoch)
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
    this.#called = false
    if (this.pass === undefined) {
      admitted.add(1)
      if (MOMENTS) console.log(`admitted ${Date.now()}`)
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
