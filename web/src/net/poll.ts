// Owns the way into the room where sockets are blocked: asks over HTTP as often as the server says, and speaks the same
// frames, so that nothing above it can tell the difference.
import type { EntrantView, RoomView } from '../../../server/protocol/http.ts'
import type { ClientFrame, ServerFrame } from '../../../server/protocol/socket.ts'
import { ask, newKey, type Problem } from './api.ts'

/** Seats are looked at again this often while somebody chooses. */
const SEATS_EVERY_MS = 4_000
/** After an unanswered question. */
const RETRY_MS = 3_000
const LONGEST_RETRY_MS = 30_000
/** The server is there and is not: nothing of what it says now is about the line. */
const DOWN: ReadonlySet<string> = new Set(['unreachable', 'overloaded', 'store_unavailable', 'internal'])
const SPREAD = 0.2

export interface PollHooks {
  frame: (frame: ServerFrame) => void
  /** The latest question was answered, or not. */
  answered: (reached: boolean) => void
}
type Verb = 'join' | 'claim' | 'leave' | 'defer'

const roomPath = (eventId: string, path: string) => `/event/${encodeURIComponent(eventId)}/room${path}`

export class RoomPoll {
  readonly #eventId: string
  readonly #hooks: PollHooks
  #timer: ReturnType<typeof setTimeout> | undefined
  #seats: ReturnType<typeof setInterval> | undefined
  /** Rises with each start: answers to an earlier one are not heard. */
  #round = 0
  /** Unanswered questions in a row. */
  #failures = 0
  #told = new Map<string, string>()
  /** The ticket of the place we have; null while we have none. */
  #ticket: string | null = null

  constructor(eventId: string, hooks: PollHooks) {
    this.#eventId = eventId
    this.#hooks = hooks
  }

  start(): void {
    this.stop()
    this.#told.clear()
    this.#ticket = null
    void this.#look(this.#round)
  }

  stop(): void {
    this.#round += 1
    clearTimeout(this.#timer)
    clearInterval(this.#seats)
    this.#seats = undefined
  }

  send(frame: ClientFrame): boolean {
    switch (frame.type) {
      case 'hello':
        return true
      case 'watch':
        clearInterval(this.#seats)
        this.#seats = setInterval(() => this.#resync(), SEATS_EVERY_MS)
        this.#resync()
        return true
      case 'unwatch':
        clearInterval(this.#seats)
        return true
      default:
        void this.#move(
          frame.type,
          frame.type === 'join' && frame.ticket ? { ticket: frame.ticket } : undefined,
        )
        return true
    }
  }

  #resync(): void {
    this.#hooks.frame({ type: 'resync', version: Date.now() })
  }

  async #move(verb: Verb, body: { ticket: string } | undefined): Promise<void> {
    const round = this.#round
    // Stepping back twice would not be the same as once.
    const key = verb === 'defer' ? {} : { key: newKey() }
    const answer = await ask<EntrantView>(roomPath(this.#eventId, `/${verb}`), {
      method: 'POST',
      body,
      ...key,
    })
    if (round !== this.#round) return
    if (answer.ok) return this.#take(answer.data, verb)
    this.#hooks.frame({ type: 'error', ...errorOf(answer.problem) })
  }

  async #look(round: number): Promise<void> {
    const me = await ask<EntrantView>(roomPath(this.#eventId, '/me'))
    if (round !== this.#round) return
    let waitMs = Math.min(RETRY_MS * 2 ** this.#failures, LONGEST_RETRY_MS)
    this.#failures += 1
    if (me.ok) {
      this.#failures = 0
      this.#take(me.data)
      waitMs = me.data.pollMs
    } else if (me.problem.code === 'unauthenticated') {
      // Anyone may look on.
      const room = await ask<RoomView>(roomPath(this.#eventId, ''))
      if (round !== this.#round) return
      if (room.ok) this.#takeRoom(room.data)
      this.#hooks.answered(room.ok)
    } else this.#hooks.answered(!DOWN.has(me.problem.code))
    this.#timer = setTimeout(() => void this.#look(round), waitMs * (1 + SPREAD * Math.random()))
  }

  #take(view: EntrantView, after?: Verb): void {
    this.#hooks.answered(true)
    this.#takeRoom(view.room)
    const { state, number, place, ticket, epoch, deferred, claimBefore, pass, expiresAt, ended } = view
    if (state === 'outside') {
      const lost = this.#ticket
      this.#ticket = null
      this.#told.clear()
      // A room that does not even know how we went has lost itself: the ticket proves the place.
      if (lost !== null && ended === null) return void this.#move('join', { ticket: lost })
      if (lost !== null || after === 'leave') this.#hooks.frame({ type: 'ended', reason: ended ?? 'left' })
      return
    }
    this.#ticket = ticket ?? this.#ticket ?? ''
    if (number !== null && ticket !== null)
      this.#tell(`${number} ${place} ${epoch}`, {
        type: 'joined',
        number,
        place,
        ticket,
        epoch,
        ...(deferred ? { deferred } : {}),
      })
    if (state === 'called' && claimBefore) this.#tell(claimBefore, { type: 'turn', claimBefore })
    if (state === 'called' && !claimBefore)
      this.#tell('door', { type: 'turn', claimBefore: view.room.serverTime, claimed: true })
    if (pass && expiresAt) this.#tell(expiresAt, { type: 'admitted', pass, expiresAt })
  }

  #takeRoom(view: RoomView): void {
    const {
      enabled: _,
      waiting,
      serving,
      perMinute,
      gone,
      seatsLeft,
      flow,
      leaving,
      step,
      reach,
      ...room
    } = view
    this.#tell(JSON.stringify({ ...room, serverTime: '' }), { type: 'room', ...room })
    this.#hooks.frame({
      type: 'line',
      waiting,
      serving,
      perMinute,
      gone,
      seatsLeft,
      at: room.serverTime,
      ...(flow === undefined ? {} : { flow }),
      ...(leaving === undefined ? {} : { leaving }),
      ...(step === undefined ? {} : { step }),
      ...(reach === undefined ? {} : { reach }),
    })
  }

  /** Says what has changed since it was last said. */
  #tell(what: string, frame: ServerFrame): void {
    if (this.#told.get(frame.type) === what) return
    this.#told.set(frame.type, what)
    this.#hooks.frame(frame)
  }
}

function errorOf({ code, message, text }: Problem) {
  // No answer at all is nothing the server said; its own word for that is nearest.
  return { code: code === 'unreachable' ? ('store_unavailable' as const) : code, message: message || text }
}
