// Decides which way into the room is used: the socket, or asking over HTTP for as long as no socket can be opened.
import type { ClientFrame, ServerFrame } from '../../../server/protocol/socket.ts'
import type { RoomPoll } from './poll.ts'
import { EventSocket, type Connection, type SocketHooks } from './socket.ts'

/** `polling`: connected all the same, over HTTP. */
export type LinkState = Connection | 'polling'
export interface LinkHooks extends Omit<SocketHooks, 'state'> {
  state: (state: LinkState) => void
}

/** Sockets that did not open, in a row, until they count as blocked; one that stood before is given more time. */
const BLOCKED_AFTER = 2
const BLOCKED_AFTER_STANDING = 6
/** A handshake that hangs this long, or a socket that opens and says nothing, is blocked by something in between. */
const HANGS_MS = 6_000

export class EventLink {
  readonly #socket: EventSocket
  /** Its code is loaded when it is needed: few networks block sockets. */
  #poll: RoomPoll | null = null
  readonly #eventId: string
  readonly #hooks: LinkHooks
  #unopened = 0
  #stood = false
  #polling = false
  #hanging: ReturnType<typeof setTimeout> | undefined

  constructor(eventId: string, hooks: LinkHooks) {
    this.#eventId = eventId
    this.#hooks = hooks
    this.#socket = new EventSocket(eventId, {
      frame: (frame) => this.#spoke(frame),
      greet: hooks.greet,
      state: (state) => this.#socketIs(state),
    })
  }

  open(): void {
    this.#socket.open()
  }

  close(state?: Connection): void {
    this.#socket.close(state)
  }

  renew(): Promise<void> {
    return this.#socket.renew()
  }

  send(frame: ClientFrame): boolean {
    return this.#polling ? (this.#poll?.send(frame) ?? false) : this.#socket.send(frame)
  }

  #socketIs(state: Connection): void {
    clearTimeout(this.#hanging)
    if (state === 'open') {
      // Only a word shows that somebody is there.
      if (!this.#stood || this.#polling) this.#hanging = setTimeout(() => this.#startPolling(), HANGS_MS)
    } else if (state === 'connecting') {
      this.#hanging = setTimeout(() => this.#startPolling(), HANGS_MS)
    } else if (state === 'retrying') {
      this.#unopened += 1
      if (this.#unopened >= (this.#stood ? BLOCKED_AFTER_STANDING : BLOCKED_AFTER)) this.#startPolling()
    } else this.#stopPolling()
    if (!this.#polling) this.#hooks.state(state)
  }

  #spoke(frame: ServerFrame): void {
    clearTimeout(this.#hanging)
    this.#unopened = 0
    this.#stood = true
    if (this.#polling) {
      this.#stopPolling()
      this.#hooks.state('open')
    }
    this.#hooks.frame(frame)
  }

  /** The socket goes on trying meanwhile, ever more rarely, and takes over when it stands. */
  #startPolling(): void {
    if (this.#polling) return
    this.#polling = true
    void this.#poller().then(
      (poll) => {
        if (!this.#polling) return
        poll.start()
        for (const frame of this.#hooks.greet()) poll.send(frame)
      },
      // Not to be had just now: the socket's next failure tries again.
      () => (this.#polling = false),
    )
  }

  async #poller(): Promise<RoomPoll> {
    if (this.#poll) return this.#poll
    const { RoomPoll } = await import('./poll.ts')
    return (this.#poll ??= new RoomPoll(this.#eventId, {
      frame: this.#hooks.frame,
      answered: (reached) => this.#hooks.state(reached ? 'polling' : 'retrying'),
    }))
  }

  #stopPolling(): void {
    if (!this.#polling) return
    this.#polling = false
    this.#poll?.stop()
    // What was asked for over HTTP is asked for again over the socket.
    this.#hooks.state('retrying')
  }
}
