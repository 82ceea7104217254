// Owns where we stand at one event: the room's phase, our place, our turn, our admission. Screens only draw it.
import type { EndedReason } from '../../../server/protocol/codes.ts'
import { oddsOf, peopleAhead, type Odds } from '../../../server/protocol/forecast.ts'
import type {
  AdmittedFrame,
  DrawFrame,
  JoinedFrame,
  LineFrame,
  NoticeFrame,
  RoomFrame,
  ServerFrame,
} from '../../../server/protocol/socket.ts'
import { plainProblem, type Problem } from '../net/api.ts'
import {
  findPass,
  findPlace,
  findSeen,
  findStart,
  keepPass,
  keepPlace,
  keepSeen,
  keepStart,
  type AdmissionPass,
  type Seen,
} from '../net/keep.ts'
import { serverClock } from '../net/server-clock.ts'
import { EventLink, type LinkState } from '../net/link.ts'
import { LineWait } from './line-wait.svelte.ts'
import type { Promised } from './draw-check.ts'
import { Proof } from './proof.svelte.ts'
import { session } from './session.svelte.ts'

export type Standing = 'outside' | 'waiting' | 'called' | 'admitted' | 'ended'
/** What the seat map wants of the same connection. */
export interface SeatSink {
  version: () => number | undefined
  changes: (version: number, changes: [number, number][]) => void
  resync: (version: number) => void
}

const NOTICES_KEPT = 5
/** How often the place is written down for a page that comes back without a connection. */
const SEEN_EVERY_MS = 5_000
/** The code of the draw is fetched within this long of entering a lobby. */
const DRAW_LOAD_MS = 20_000
const loadDraw = () => import('./draw-check.ts')
const JOINABLE: ReadonlySet<string> = new Set(['lobby', 'open', 'paused', 'sold_out'])

export class Line {
  readonly eventId: string
  connection = $state<LinkState>('closed')
  room = $state.raw<RoomFrame | null>(null)
  standing = $state<Standing>('outside')
  joined = $state.raw<JoinedFrame | null>(null)
  numbers = $state.raw<LineFrame | null>(null)
  /** How many were ahead when we came in. */
  startAhead = $state<number | null>(null)
  claimBefore = $state<string | null>(null)
  /** What this page was shown of the draw before its seed could be known. */
  promised = $state.raw<Promised>({ commitment: null, root: null })
  /** Has claimed and waits at the door for a free pass. */
  claimed = $state(false)
  claiming = $state(false)
  pass = $state.raw<AdmissionPass | null>(null)
  /** Our place as it was last heard of, also by an earlier page. */
  seen = $state.raw<Seen | null>(null)
  ended = $state<EndedReason | null>(null)
  notices = $state.raw<NoticeFrame[]>([])
  problem = $state.raw<Problem | null>(null)

  /** What was last said to everyone; the room repeats it to whoever comes later. */
  readonly said: string | null = $derived(this.notices[0]?.text ?? this.room?.message ?? null)
  readonly ahead: number | null = $derived(
    this.joined?.place != null && this.numbers ? peopleBefore(this.joined, this.numbers) : null,
  )
  /** Null while nobody can say, and while the seats serve everybody here. */
  readonly odds: Odds | null = $derived(
    this.joined?.place != null && this.numbers?.reach
      ? oddsOf(this.joined.place, this.numbers.reach as [number, number])
      : null,
  )
  readonly wait = new LineWait()

  /** The work our device may have to prove before the turn is ours. */
  readonly proof: Proof
  readonly #socket: EventLink
  #wantsPlace = false
  #deferring = false
  /** The place was asked for over the present connection. */
  #asked = false
  #seats: SeatSink | null = null
  /** When it was last written down, by the server's clock in ms. */
  #seenKept = 0

  constructor(eventId: string) {
    this.eventId = eventId
    this.proof = new Proof(eventId)
    this.pass = livePass(eventId)
    this.seen = findSeen(eventId)
    if (this.pass) this.standing = 'admitted'
    this.#socket = new EventLink(eventId, {
      frame: (frame) => this.#hear(frame),
      state: (state) => this.#connected(state),
      greet: () => this.#greeting(),
    })
  }

  open(): void {
    this.#socket.open()
  }

  close(): void {
    this.#socket.close()
  }

  /** Enters the line as soon as it may be entered, and again after every lost connection. */
  join(): void {
    this.#wantsPlace = true
    this.ended = null
    this.problem = null
    if (this.standing === 'ended') this.standing = 'outside'
    this.#socket.open()
    if (this.#mayJoin()) this.#socket.send(this.#joinFrame())
  }

  claim(): void {
    this.claiming = this.#socket.send({ type: 'claim' })
  }

  /** Lets others go first, once; the turn ends here and comes again. */
  defer(): void {
    this.#deferring = this.#socket.send({ type: 'defer' })
  }

  /** Gives the place or the admission up; true when the server was told. */
  leave(): boolean {
    this.#wantsPlace = false
    const told = this.#socket.send({ type: 'leave' })
    this.#forgetStanding('outside')
    return told
  }

  watchSeats(sink: SeatSink): () => void {
    this.#seats = sink
    this.#socket.open()
    this.#socket.send(this.#watchFrame(sink))
    return () => {
      if (this.#seats !== sink) return
      this.#seats = null
      this.#socket.send({ type: 'unwatch' })
    }
  }

  /** The server refused our pass, whatever we believed. */
  losePass(): void {
    this.#forgetStanding('outside')
  }

  #mayJoin(): boolean {
    return this.#wantsPlace && this.room !== null && JOINABLE.has(this.room.phase)
  }

  #greeting() {
    // The place is asked for once `room` has said that it can be; the seats at once.
    return this.#seats ? [this.#watchFrame(this.#seats)] : []
  }

  #joinFrame() {
    const ticket = session.user ? findPlace(session.user.id, this.eventId) : null
    return ticket === null ? { type: 'join' as const } : { type: 'join' as const, ticket }
  }

  #watchFrame(sink: SeatSink) {
    const version = sink.version()
    return version === undefined ? { type: 'watch' as const } : { type: 'watch' as const, version }
  }

  #connected(state: LinkState): void {
    this.connection = state
    if (state !== 'open') this.claiming = false
    // Over every new connection the place is asked for again, once the room has greeted us.
    if (state === 'retrying' || state === 'connecting') this.#asked = false
    if (state === 'signed_out') session.forget()
  }

  #hear(frame: ServerFrame): void {
    switch (frame.type) {
      case 'room':
        return this.#hearRoom(frame)
      case 'joined':
        return this.#hearJoined(frame)
      case 'line':
        this.numbers = frame
        this.#markStart()
        this.wait.estimate(this.ahead, frame)
        this.wait.explain(this.ahead, frame, this.room?.phase === 'paused')
        this.#keepSeen(frame.at)
        return serverClock.sample(Date.parse(frame.at), null)
      case 'turn':
        this.claimBefore = frame.claimBefore
        this.claimed = frame.claimed ?? false
        this.standing = 'called'
        return
      case 'admitted':
        return this.#hearAdmitted(frame)
      case 'seats':
        return this.#seats?.changes(frame.version, frame.changes)
      case 'resync':
        return this.#seats?.resync(frame.version)
      case 'notice':
        if (this.notices.every(({ id }) => id !== frame.id))
          this.notices = [frame, ...this.notices].slice(0, NOTICES_KEPT)
        return
      case 'ended':
        return this.#hearEnded(frame.reason)
      case 'error':
        this.claiming = false
        // Being looked after, and said in its own place.
        if (frame.code === 'challenge_required') return this.proof.owe('always')
        if (frame.code === 'unauthenticated' || frame.code === 'token_expired')
          return void this.#socket.renew()
        return void plainProblem(frame.code).then((problem) => (this.problem = problem))
      case 'draw':
        return void this.#takeDraw(frame)
    }
  }

  /** Everybody hears of the draw at once, so nobody asks for the place: it follows from the number. */
  async #takeDraw(frame: DrawFrame): Promise<void> {
    const { joined } = this
    if (joined?.place !== null || joined.number >= frame.entrants) return
    try {
      const { placeInDraw } = await loadDraw()
      const place = await placeInDraw(frame, joined.number)
      if (this.joined === joined) this.#standAt({ ...joined, place })
    } catch {
      // Nothing to compute it with here: the line knows the place too.
      if (this.joined === joined && this.#mayJoin()) this.#socket.send(this.#joinFrame())
    }
  }

  #standAt(joined: JoinedFrame): void {
    this.joined = joined
    this.#markStart()
    if (this.numbers) this.wait.estimate(this.ahead, this.numbers)
  }

  #hearRoom(frame: RoomFrame): void {
    if (frame.phase === 'lobby') this.promised = { commitment: frame.commitment, root: frame.root ?? null }
    serverClock.sample(Date.parse(frame.serverTime), null)
    const turned = this.room !== null && this.room.epoch !== frame.epoch
    this.room = frame
    if (!this.#mayJoin() || (this.#asked && !turned && this.standing !== 'outside')) return
    this.#asked = true
    this.#socket.send(this.#joinFrame())
  }

  #hearJoined(frame: JoinedFrame): void {
    if (this.joined?.number !== frame.number || this.joined.epoch !== frame.epoch) this.startAhead = null
    if (this.joined?.place !== frame.place) this.wait.beginAnew()
    this.problem = null
    this.#standAt(frame)
    // Fetched while there is time, each browser at its own moment.
    if (frame.place === null) setTimeout(() => void loadDraw().catch(() => {}), Math.random() * DRAW_LOAD_MS)
    if (this.#deferring && frame.deferred) {
      this.standing = 'waiting'
      this.claimBefore = null
    }
    this.#deferring = false
    if (this.standing !== 'called' && this.standing !== 'admitted') this.standing = 'waiting'
    this.proof.owe(this.room?.challenge)
    if (session.user) keepPlace(session.user.id, this.eventId, frame.ticket)
  }

  #keepSeen(at: string): void {
    if (this.ahead === null || this.standing !== 'waiting') return
    this.seen = { ahead: this.ahead, at }
    const now = Date.parse(at)
    if (now - this.#seenKept < SEEN_EVERY_MS) return
    this.#seenKept = now
    keepSeen(this.eventId, this.seen)
  }

  /** Remembers how many were ahead when we came in, once a place. */
  #markStart(): void {
    const { joined, ahead } = this
    if (!joined || ahead === null || this.startAhead !== null) return
    const place = `${this.eventId}:${joined.epoch}:${joined.number}`
    this.startAhead = findStart(place) ?? ahead
    keepStart(this.eventId, place, this.startAhead)
  }

  #hearAdmitted({ pass, expiresAt }: AdmittedFrame): void {
    this.pass = { pass, expiresAt }
    keepPass(this.eventId, this.pass)
    this.claiming = false
    this.standing = 'admitted'
  }

  #hearEnded(reason: EndedReason): void {
    // "replaced" moves the place to another tab: it is still ours, so it is not thrown away.
    if (reason === 'replaced') return this.#socket.close('replaced')
    this.#wantsPlace = false
    this.#forgetStanding('ended')
    this.ended = reason
  }

  #forgetStanding(standing: Standing): void {
    this.standing = standing
    this.seen = null
    keepSeen(this.eventId, null)
    this.joined = null
    this.claimBefore = null
    this.claiming = false
    this.pass = null
    keepPass(this.eventId, null)
    if (session.user) keepPlace(session.user.id, this.eventId, null)
  }
}

/** Whoever stepped back may stand behind places that nobody has yet. */
function peopleBefore({ place, deferred }: JoinedFrame, numbers: LineFrame): number {
  const ahead = peopleAhead(place ?? 0, numbers)
  return deferred ? Math.min(ahead, Math.max(1, numbers.waiting - 1)) : ahead
}

function livePass(eventId: string): AdmissionPass | null {
  const pass = findPass(eventId)
  return pass && Date.parse(pass.expiresAt) > serverClock.now() ? pass : null
}
