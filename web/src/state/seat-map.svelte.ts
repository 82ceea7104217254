// Owns the map of one event: its geometry, and the live status of every seat on it.
import type { EventView, MapView } from '../../../server/protocol/http.ts'
import { expandMap, seatName as nameOnMap } from '../../../server/protocol/seat-map.ts'
import type { Problem } from '../net/api.ts'
import { getAvailability, getEvent, getMap } from '../net/calls.ts'
import { seatName } from '../seat-name.ts'
import type { Line } from './line.svelte.ts'
import { RESERVED, SeatStatus } from './seat-status.ts'

/** Changes that arrive while a snapshot is fetched; more than this and another snapshot is asked for. */
const HELD_BACK_MAX = 1_000

type Changes = [number, number][]
type Heard = (seats: readonly number[] | 'all') => void

export class SeatMap {
  map = $state.raw<MapView | null>(null)
  event = $state.raw<EventView | null>(null)
  problem = $state.raw<Problem | null>(null)
  /** x of seat n at 2n, y at 2n + 1, in seat pitches. */
  positions: Float32Array = new Float32Array()
  readonly eventId: string
  readonly #line: Line
  /** Grows with every change of a status: what shows a status in a template reads this with it. */
  #revision = $state(0)
  #status: SeatStatus | null = null
  #heldBack: { version: number; changes: Changes }[] | null = null
  #hearers = new Set<Heard>()

  constructor(eventId: string, line: Line) {
    this.eventId = eventId
    this.#line = line
  }

  /** Loads the map and follows its changes; returns how to stop. */
  start(): () => void {
    let stop: (() => void) | null = null
    let stopped = false
    void this.#load().then(() => {
      if (!stopped && this.#status) stop = this.#follow()
    })
    return () => {
      stopped = true
      stop?.()
    }
  }

  async #load(): Promise<void> {
    const [event, map, availability] = await Promise.all([
      getEvent(this.eventId),
      getMap(this.eventId),
      getAvailability(this.eventId),
    ])
    const failed = [event, map, availability].find((answer) => !answer.ok)
    if (failed && !failed.ok) this.problem = failed.problem
    if (!event.ok || !map.ok || !availability.ok) return
    this.problem = null
    this.#status = new SeatStatus(map.data)
    this.#status.load(availability.data)
    this.positions = expandMap(map.data)
    this.event = event.data
    this.map = map.data
    this.#changed('all')
  }

  #follow(): () => void {
    return this.#line.watchSeats({
      version: () => this.#status?.version,
      changes: (version, changes) => this.#hear(version, changes),
      resync: () => void this.#resync(),
    })
  }

  #hear(version: number, changes: Changes): void {
    if (this.#heldBack) {
      if (this.#heldBack.length < HELD_BACK_MAX) this.#heldBack.push({ version, changes })
      return
    }
    const seats = this.#status?.apply(version, changes) ?? []
    if (seats.length > 0) this.#changed(seats)
  }

  async #resync(): Promise<void> {
    if (this.#heldBack) return
    this.#heldBack = []
    const answer = await getAvailability(this.eventId)
    const later = this.#heldBack
    this.#heldBack = null
    if (!answer.ok) {
      this.problem = answer.problem
      return
    }
    this.problem = null
    this.#status?.load(answer.data)
    for (const { version, changes } of later) this.#status?.apply(version, changes)
    if (later.length === HELD_BACK_MAX) void this.#resync()
    this.#changed('all')
  }

  #changed(seats: readonly number[] | 'all'): void {
    this.#revision += 1
    for (const hear of this.#hearers) hear(seats)
  }

  /** Tells which seats are different, or that all may be. */
  onChange(hear: Heard): () => void {
    this.#hearers.add(hear)
    return () => this.#hearers.delete(hear)
  }

  /** 0 AVAILABLE, 1 RESERVED, 2 SOLD, 3 BLOCKED; for drawing, not for templates. */
  codeOf(n: number): number {
    return this.#status?.codes[n] ?? 0
  }

  isFree(n: number): boolean {
    void this.#revision
    return this.#status?.isFree(n) ?? false
  }

  freeInSection(index: number): number {
    void this.#revision
    return this.#status?.free[index] ?? 0
  }

  freeIn(first: number, count: number): number {
    void this.#revision
    return this.#status?.freeIn(first, count) ?? 0
  }

  sectionOf(n: number): number {
    return this.#status?.sectionOf(n) ?? 0
  }

  nameOf(n: number): string {
    const name = this.map && nameOnMap(this.map, n)
    return name ? seatName({ section: name.section.name, row: name.row, number: name.number }) : ''
  }

  /** The number on a seat; '' in an area without numbers. */
  numberOf(n: number): string {
    return (this.map && nameOnMap(this.map, n)?.number) ?? ''
  }

  priceOf(n: number): number {
    const { map } = this
    const section = map?.sections[this.sectionOf(n)]
    return (section && map?.tiers[section.tier]?.price.amount) ?? 0
  }

  /** A refusal told us, ahead of the stream, that these are gone. */
  markTaken(seats: readonly number[]): void {
    for (const n of seats) this.#status?.set(n, RESERVED)
    this.#changed(seats)
  }
}
