// Owns where we stand at one event: the room's phase, our place, our turn, our admission. Screens only draw it.
import type { EndedReason } from '../../../server/protocol/codes.ts'
import type {
  AdmittedFrame,
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
  findStart,
  keepPass,
  keepPlace,
  keepStart,
  type AdmissionPass,
} from '../net/keep.ts'
import { serverClock } from '../net/server-clock.ts'
import { EventSocket, type Connection } from '../net/socket.ts'
import { peopleAhead, waitRange, type WaitRange } from './line-estimate.ts'
import { session } from './session.svelte.ts'

export type Standing = 'outside' | 'waiting' | 'called' | 'admitted' | 'ended'
/** What the seat map wants of the same connection. */
export interface SeatSink {
  version: () => number | undefined
  changes: (version: number, changes: [number, number][]) => void
  resync: (version: number) => void
}

const NOTICES_KEPT = 5
const JOINABLE: ReadonlySet<string> = new Set(['lobby', 'open', 'paused', 'sold_out'])

export class Line {
  readonly eventId: string
  connection = $state<Connection>('closed')
  room = $state.raw<RoomFrame | null>(null)
  standing = $state<Standing>('outside')
  joined = $state.raw<JoinedFrame | null>(null)
  numbers = $state.raw<LineFrame | null>(null)
  /** How many were ahead when we came in. */
  startAhead = $state<number | null>(null)
  claimBefore = $state<string | null>(null)
  claiming = $state(false)
  pass = $state.raw<AdmissionPass | null>(null)
  ended = $state<EndedReason | null>(null)
  notices = $state.raw<NoticeFrame[]>([])
  problem = $state.raw<Problem | null>(null)

  readonly ahead: number | null = $derived(
    this.joined?.place != null && this.numbers ? peopleAhead(this.joined.place, this.numbers) : null,
  )
  readonly wait: WaitRange | null = $derived(
    this.ahead !== null && this.numbers ? waitRange(this.ahead, this.numbers.perMinute) : null,
  )

  readonly #socket: EventSocket
  #wantsPlace = false
  /** The place was asked for over the present connection. */
  #asked = false
  #seats: SeatSink | null = null

  constructor(eventId: string) {
    this.eventId = eventId
    this.pass = livePass(eventId)
    if (this.pass) this.standing = 'admitted'
    this.#socket = new EventSocket(eventId, {
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

  #connected(state: Connection): void {
    this.connection = state
    if (state !== 'open') this.claiming = false
    // After a lost connection the place is asked for again, once the room has greeted us.
    if (state === 'retrying') this.#asked = false
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
        return serverClock.sample(Date.parse(frame.at), null)
      case 'turn':
        this.claimBefore = frame.claimBefore
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
        if (frame.code === 'unauthenticated' || frame.code === 'token_expired')
          return void this.#socket.renew()
        this.problem = plainProblem(frame.code)
        return
      case 'draw':
        // The place follows from the draw; the line tells us ours when we ask again.
        if (this.#mayJoin()) this.#socket.send(this.#joinFrame())
    }
  }

  #hearRoom(frame: RoomFrame): void {
    serverClock.sample(Date.parse(frame.serverTime), null)
    const turned = this.room !== null && this.room.epoch !== frame.epoch
    this.room = frame
    if (!this.#mayJoin() || (this.#asked && !turned && this.standing !== 'outside')) return
    this.#asked = true
    this.#socket.send(this.#joinFrame())
  }

  #hearJoined(frame: JoinedFrame): void {
    if (this.joined?.number !== frame.number || this.joined.epoch !== frame.epoch) this.startAhead = null
    this.joined = frame
    this.problem = null
    this.#markStart()
    if (this.standing !== 'called' && this.standing !== 'admitted') this.standing = 'waiting'
    if (session.user) keepPlace(session.user.id, this.eventId, frame.ticket)
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
    this.joined = null
    this.claimBefore = null
    this.claiming = false
    this.pass = null
    keepPass(this.eventId, null)
    if (session.user) keepPlace(session.user.id, this.eventId, null)
  }
}

function livePass(eventId: string): AdmissionPass | null {
  const pass = findPass(eventId)
  return pass && Date.parse(pass.expiresAt) > serverClock.now() ? pass : null
}
