// Owns the seats an organiser has marked, and taking them off sale or putting them back.
import { m } from '#messages'
import { formatCount } from '../format.ts'
import type { Problem } from '../net/api.ts'
import { patchSeats } from '../net/organiser-calls.ts'
import { SeatChoice } from './seat-choice.svelte.ts'
import type { SeatMap } from './seat-map.svelte.ts'
import { AVAILABLE, BLOCKED } from './seat-status.ts'

/** The map draws every marked seat anew in each frame. */
const MARKS_MAX = 5_000
/** As many seat ids as the body of one request has room for, with some to spare. */
const SEATS_PER_REQUEST = 1_000

/** A choice of seats whose limits are an organiser's: any number, free or blocked ones, held and sold ones never. */
export class SeatMarks extends SeatChoice {
  reason = $state('')
  busy = $state(false)
  refused = $state.raw<Problem | null>(null)
  readonly #seats: SeatMap
  #set: ReadonlySet<number> = new Set()

  constructor(seats: SeatMap) {
    super(seats)
    this.#seats = seats
  }

  /** Marked seats that can be taken off sale, and those that can be put back; changing as the sale goes on. */
  get free(): number[] {
    return this.chosen.filter((n) => this.#seats.isFree(n))
  }
  get blocked(): number[] {
    return this.chosen.filter((n) => !this.#seats.isFree(n) && this.#seats.codeOf(n) === BLOCKED)
  }

  override isChosen(n: number): boolean {
    return this.chosen.length > 0 && this.#set.has(n)
  }

  override toggle(n: number): void {
    if (this.busy) return
    if (this.isChosen(n)) this.unmark([n])
    else if (!this.canMark(n)) this.said = m.mark_cannot({ seat: this.#seats.nameOf(n) })
    else this.mark([n])
  }

  canMark(n: number): boolean {
    const code = this.#seats.codeOf(n)
    return code === AVAILABLE || code === BLOCKED
  }

  mark(seats: readonly number[]): void {
    const more = seats.filter((n) => this.canMark(n) && !this.#set.has(n))
    const room = MARKS_MAX - this.chosen.length
    this.#choose([...this.chosen, ...more.slice(0, room)])
    if (more.length > room) this.said += ` ${m.mark_most()}`
  }

  unmark(seats: readonly number[]): void {
    const gone = new Set(seats)
    this.#choose(this.chosen.filter((n) => !gone.has(n)))
  }

  #choose(seats: readonly number[]): void {
    this.#set = new Set(seats)
    this.chosen = seats
    this.said = m.mark_count({ count: seats.length, shown: formatCount(seats.length) })
  }

  /** Takes the free marked seats off sale, or puts the blocked ones back. Batches are small enough for one request. */
  async settle(status: 'BLOCKED' | 'AVAILABLE'): Promise<void> {
    if (this.busy) return
    this.busy = true
    this.refused = null
    const wanted = status === 'BLOCKED' ? this.free : this.blocked
    let done = 0
    for (let at = 0; at < wanted.length && !this.refused; at += SEATS_PER_REQUEST) {
      const batch = wanted.slice(at, at + SEATS_PER_REQUEST)
      const seatIds = batch.map((n) => `${this.#seats.eventId}:${n}`)
      const answer = await patchSeats(this.#seats.eventId, { seatIds, status, reason: this.reason.trim() })
      if (answer.ok) {
        done += batch.length
        this.unmark(batch)
      } else this.#refuse(answer.problem)
    }
    this.busy = false
    if (done > 0)
      this.said = (status === 'BLOCKED' ? m.mark_taken : m.mark_put)({
        count: done,
        shown: formatCount(done),
      })
  }

  #refuse(problem: Problem): void {
    this.refused = problem
    const lost = problem.seatIds.map((id) => Number(id.slice(id.lastIndexOf(':') + 1)))
    if (lost.length > 0) this.unmark(lost)
  }
}
