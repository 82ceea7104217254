// Owns the map of one event: its geometry, and the live status of every seat on it.
import type { AvailabilityView, EventView, MapView } from '../../../server/protocol/http.ts'
import { expandAccess, expandMap, seatName as nameOnMap } from '../../../server/protocol/seat-map.ts'
import type { Answer, Problem } from '../net/api.ts'
import { getAvailability, getEvent, getMap } from '../net/calls.ts'
import { seatName } from '../seat-name.ts'
import type { Line } from './line.svelte.ts'
import { hallOf, type Hall } from './seat-blocks.ts'
import { RESERVED, SeatStatus } from './seat-status.ts'

/** Changes that arrive while a snapshot is fetched; more than this and another snapshot is asked for. */
const HELD_BACK_MAX = 1_000
/** After a map or a snapshot could not be had it is asked for again, ever more rarely. */
const FIRST_RETRY_MS = 2_000
const LONGEST_RETRY_MS = 30_000
const SPREAD = 0.3

type Changes = [number, number][]
type Heard = (seats: readonly number[] | 'all') => void

export class SeatMap {
  map = $state.raw<MapView | null>(null)
  event = $state.raw<EventView | null>(null)
  /** Why there is no map to show yet. */
  problem = $state.raw<Problem | null>(null)
  /** The latest changes could not be fetched: what is shown may be a little old. */
  behind = $state(false)
  /** x of seat n at 2n, y at 2n + 1, in seat pitches. */
  positions: Float32Array = new Float32Array()
  /** Rows of neighbours. */
  hall: Hall | null = null
  readonly eventId: string
  readonly #line: Line
  /** Grows with every change of a status: what shows a status in a template reads this with it. */
  #revision = $state(0)
  #status: SeatStatus | null = null
  /** Index into SEAT_ACCESS, a seat. */
  #access: Uint8Array = new Uint8Array()
  #heldBack: { version: number; changes: Changes }[] | null = null
  #hearers = new Set<Heard>()
  #failures = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #unfollow: (() => void) | null = null
  #stopped = true

  constructor(eventId: string, line: Line) {
    this.eventId = eventId
    this.#line = line
  }

  /** Loads the map and follows its changes; returns how to stop. */
  start(): () => void {
    this.#stopped = false
    void this.load()
    return () => {
      this.#stopped = true
      clearTimeout(this.#retry)
      this.#unfollow?.()
      this.#unfollow = null
    }
  }

  /** Loads everything anew, and tries again by itself when that fails. */
  async load(): Promise<void> {
    clearTimeout(this.#retry)
    const [event, map, availability] = await Promise.all([
      getEvent(this.eventId),
      getMap(this.eventId),
      getAvailability(this.eventId),
    ])
    if (this.#stopped) return
    if (!event.ok || !map.ok || !availability.ok) return this.#failed([event, map, availability])
    this.#take(event.data, map.data, availability.data)
    this.#unfollow ??= this.#follow()
  }

  #failed(answers: readonly Answer<unknown>[]): void {
    const failed = answers.find((answer) => !answer.ok)
    if (!failed || failed.ok) return
    if (this.map) this.behind = true
    else this.problem = failed.problem
    if (failed.problem.code !== 'not_found') this.#retryLater(() => this.load())
  }

  #take(event: EventView, map: MapView, availability: AvailabilityView): void {
    this.#failures = 0
    this.problem = null
    this.behind = false
    this.#status = new SeatStatus(map)
    this.#status.load(availability)
    this.#access = map.access ? expandAccess(map) : new Uint8Array()
    this.positions = expandMap(map)
    this.hall = hallOf(map, this.positions)
    this.event = event
    this.map = map
    this.#changed('all')
  }

  #retryLater(again: () => Promise<void>): void {
    const grown = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LONGEST_RETRY_MS)
    this.#failures += 1
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => void again(), grown * (1 - SPREAD + Math.random() * 2 * SPREAD))
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
    const start = performance.now()
    const seats = this.#status?.apply(version, changes) ?? []
    if (seats.length > 0) this.#changed(seats)
    // For traces and benchmarks; the latest alone is kept.
    performance.clearMeasures('seats:applied')
    performance.measure('seats:applied', { start, detail: seats.length })
  }

  async #resync(): Promise<void> {
    if (this.#heldBack) return
    this.#heldBack = []
    const answer = await getAvailability(this.eventId)
    const later = this.#heldBack
    this.#heldBack = null
    if (this.#stopped) return
    if (!answer.ok) {
      this.behind = true
      return this.#retryLater(() => this.#resync())
    }
    // Seats were added or taken away: another map.
    if (answer.data.total !== this.map?.total) return void this.load()
    this.#failures = 0
    this.behind = false
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

  /** As codeOf, for templates: follows the changes. */
  statusOf(n: number): number {
    void this.#revision
    return this.codeOf(n)
  }

  /** 0 for anybody, 1 for a wheelchair, 2 for whoever comes along. */
  accessOf(n: number): number {
    return this.#access[n] ?? 0
  }

  get hasAccess(): boolean {
    return this.map?.access !== undefined
  }

  isFree(n: number): boolean {
    void this.#revision
    return this.#status?.isFree(n) ?? false
  }

  freeInSection(index: number): number {
    void this.#revision
    return this.#status?.free[index] ?? 0
  }

  /** All free seats. */
  get free(): number {
    void this.#revision
    return this.#status?.free.reduce((sum, free) => sum + free, 0) ?? 0
  }

  freeIn(first: number, count: number): number {
    void this.#revision
    return this.#status?.freeIn(first, count) ?? 0
  }

  sectionOf(n: number): number {
    return this.#status?.sectionOf(n) ?? 0
  }

  /** False for places of an area without numbers. */
  isNumbered(n: number): boolean {
    return this.map?.sections[this.sectionOf(n)]?.kind === 'seated'
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

  /** A refusal or a hold of ours told us, ahead of the stream, that these are no longer free. */
  markTaken(seats: readonly number[]): void {
    for (const n of seats) this.#status?.set(n, RESERVED)
    this.#changed(seats)
  }
}
