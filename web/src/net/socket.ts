// Owns the connection to one event's line and seats: opening, noticing silence, and coming back without a storm.
import { CLOSE_CODES, LIMITS } from '../../../server/protocol/codes.ts'
import type { ClientFrame, ServerFrame } from '../../../server/protocol/socket.ts'
import { refreshSession } from './refresh.ts'
import { FIRST_RETRY_MS, retryDelay } from './retry-delay.ts'

/** connecting: never open yet · open · retrying: lost, coming back · replaced: another tab has it · closed: by us */
export type Connection = 'connecting' | 'open' | 'retrying' | 'replaced' | 'closed' | 'signed_out'

/** Silence after which we ask whether anyone is there, and how long we then wait for a word. */
const SILENCE_MS = 30_000
const ANSWER_MS = 10_000
const WATCHDOG_MS = 5_000

export interface SocketHooks {
  frame: (frame: ServerFrame) => void
  state: (state: Connection) => void
  /** Frames to send whenever the connection stands, after `hello`. */
  greet: () => ClientFrame[]
}

export class EventSocket {
  readonly #address: string
  readonly #hooks: SocketHooks
  #socket: WebSocket | null = null
  /** Ends what we hear of the present socket: one given up must not speak into the next. */
  #hearing: AbortController | null = null
  #retry: ReturnType<typeof setTimeout> | undefined
  #watchdog: ReturnType<typeof setInterval> | undefined
  #failures = 0
  /** As the server said while it could. */
  #comeBackMs = 0
  #heardAt = 0
  #askedAt = 0
  #ended = true
  #renewing = false

  constructor(eventId: string, hooks: SocketHooks) {
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:'
    this.#address = `${scheme}//${location.host}/ws/event/${encodeURIComponent(eventId)}`
    this.#hooks = hooks
  }

  open(): void {
    if (!this.#ended) return
    this.#ended = false
    addEventListener('online', this.#comeBack)
    document.addEventListener('visibilitychange', this.#comeBack)
    this.#watchdog = setInterval(() => this.#watch(), WATCHDOG_MS)
    this.#hooks.state('connecting')
    this.#connect()
  }

  close(state: Connection = 'closed'): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#retry)
    clearInterval(this.#watchdog)
    removeEventListener('online', this.#comeBack)
    document.removeEventListener('visibilitychange', this.#comeBack)
    this.#drop()
    this.#hooks.state(state)
  }

  /** The server does not know us any more: renews the session and comes back with it. */
  async renew(): Promise<void> {
    if (this.#ended || this.#renewing) return
    this.#renewing = true
    this.#drop()
    this.#hooks.state('retrying')
    await this.#lost(CLOSE_CODES.unauthenticated, '')
    this.#renewing = false
  }

  /** Sends now, or not at all: what must survive a lost connection belongs into `greet`. */
  send(frame: ClientFrame): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false
    this.#socket.send(JSON.stringify(frame))
    return true
  }

  #connect(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    const socket = new WebSocket(this.#address)
    const hearing = new AbortController()
    const { signal } = hearing
    this.#socket = socket
    this.#hearing = hearing
    socket.addEventListener('open', () => this.#opened(), { signal })
    socket.addEventListener('message', ({ data }) => this.#heard(data), { signal })
    socket.addEventListener(
      'close',
      ({ code, reason }) => {
        this.#socket = null
        void this.#lost(code, reason)
      },
      { signal },
    )
  }

  #opened(): void {
    this.#heardAt = Date.now()
    this.#askedAt = 0
    this.send({ type: 'hello' })
    for (const frame of this.#hooks.greet().slice(0, LIMITS.framesPerSecond - 1)) this.send(frame)
    this.#hooks.state('open')
  }

  #heard(data: unknown): void {
    this.#heardAt = Date.now()
    this.#askedAt = 0
    // A word from the server, not the mere opening, shows that it is well: a refusing one closes right after.
    this.#failures = 0
    const frame = parseFrame(data)
    if (frame?.type === 'room' && frame.comeBackMs) this.#comeBackMs = frame.comeBackMs
    if (frame) this.#hooks.frame(frame)
  }

  async #lost(code: number, reason: string): Promise<void> {
    if (code === CLOSE_CODES.replaced) return this.close('replaced')
    this.#hooks.state('retrying')
    if (code === CLOSE_CODES.unauthenticated && !(await refreshSession())) return this.close('signed_out')
    if (this.#ended) return
    this.#failures += 1
    const delay = retryDelay({ code, reason, failures: this.#failures, comeBackMs: this.#comeBackMs })
    this.#retry = setTimeout(() => this.#connect(), delay)
  }

  /** The network or the person is back: do not sit out a long pause, but do not all come at the same moment. */
  #comeBack = (): void => {
    if (document.hidden || this.#retry === undefined) return
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#connect(), Math.random() * FIRST_RETRY_MS * 2)
  }

  /** A connection can die without a word, most of all on a phone. */
  #watch(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return
    const now = Date.now()
    if (this.#askedAt > 0 && now - this.#askedAt > ANSWER_MS) {
      this.#drop()
      void this.#lost(0, '')
    } else if (this.#askedAt === 0 && now - this.#heardAt > SILENCE_MS) {
      this.#askedAt = now
      this.send({ type: 'hello' })
    }
  }

  #drop(): void {
    const socket = this.#socket
    this.#socket = null
    this.#hearing?.abort()
    socket?.close()
  }
}

function parseFrame(data: unknown): ServerFrame | null {
  try {
    const frame: unknown = JSON.parse(String(data))
    return frame !== null && typeof frame === 'object' && 'type' in frame ? (frame as ServerFrame) : null
  } catch {
    return null
  }
}
