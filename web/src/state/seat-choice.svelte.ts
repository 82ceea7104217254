// Owns the choice of seats: what is chosen, what may be, what somebody else was faster with, and holding it.
import type { HeldView } from '../../../server/protocol/http.ts'
import { plural } from '../format.ts'
import { newKey, type Problem } from '../net/api.ts'
import { holdSeats } from '../net/calls.ts'
import { keepChoice, takeChoice } from '../net/keep.ts'
import type { SeatMap } from './seat-map.svelte.ts'

/** Tries to get other places of an area without numbers when the first were just taken. */
const GENERAL_TRIES = 3

export class SeatChoice {
  chosen = $state.raw<readonly number[]>([])
  holding = $state(false)
  problem = $state.raw<Problem | null>(null)
  /** The last thing worth saying aloud. */
  said = $state('')
  /** What went against the person's wish: shown as well as said, until their next move. */
  warned = $state('')
  readonly #seats: SeatMap
  #intent = { key: newKey(), of: '' }

  constructor(seats: SeatMap) {
    this.#seats = seats
  }

  /** Takes up what was chosen before signing in, and follows the map's changes; returns how to stop. */
  start(): () => void {
    const kept = takeChoice(this.#seats.eventId)
    return this.#seats.onChange(() => {
      // The first news is the map itself: only now is it known what may be chosen.
      if (kept.length > 0) this.chosen = kept.splice(0).slice(0, this.most)
      this.#dropLost()
    })
  }

  /** Keeps the choice for when this person comes back, signed in. */
  keep(): void {
    keepChoice(this.#seats.eventId, this.chosen)
  }

  /** A chosen seat that somebody else took is no longer chosen, and the person is told which. */
  #dropLost(): void {
    const lost = this.chosen.filter((n) => !this.#seats.isFree(n))
    if (lost.length === 0 || this.holding) return
    this.chosen = this.chosen.filter((n) => this.#seats.isFree(n))
    this.warned = `Just taken by somebody else: ${lost.map((n) => this.#seats.nameOf(n)).join('; ')}.`
  }

  get total(): number {
    return this.chosen.reduce((sum, n) => sum + this.#seats.priceOf(n), 0)
  }

  get most(): number {
    return this.#seats.event?.maxSeatsPerBooking ?? 1
  }

  isChosen(n: number): boolean {
    return this.chosen.includes(n)
  }

  /** Chooses a free seat, or gives up a chosen one; says aloud what came of it. */
  toggle(n: number): void {
    if (this.holding) return
    this.said = ''
    this.warned = ''
    this.problem = null
    if (this.isChosen(n)) {
      this.chosen = this.chosen.filter((other) => other !== n)
      this.said = `Taken out: ${this.#seats.nameOf(n)}.`
    } else if (!this.#seats.isFree(n)) this.warned = `${this.#seats.nameOf(n)} is not free.`
    else if (this.chosen.length >= this.most)
      this.warned = `One booking may have ${plural(this.most, 'seat')}. Take one out to choose another.`
    else {
      this.chosen = [...this.chosen, n]
      this.said = `Chosen: ${this.#seats.nameOf(n)}.`
    }
  }

  /** Chosen places of an area without numbers. */
  countIn(sectionIndex: number): number {
    return this.chosen.filter((n) => this.#seats.sectionOf(n) === sectionIndex).length
  }

  /** Sets how many places of an area without numbers are wanted; which ones is our choice. */
  want(sectionIndex: number, count: number): void {
    this.warned = ''
    this.problem = null
    const others = this.chosen.filter((n) => this.#seats.sectionOf(n) !== sectionIndex)
    const kept = this.chosen.filter((n) => this.#seats.sectionOf(n) === sectionIndex).slice(0, count)
    const allowed = Math.min(count, this.most - others.length)
    const more = this.#anyFree(sectionIndex, allowed - kept.length, new Set(kept))
    this.chosen = [...others, ...kept, ...more]
    if (allowed < count) this.warned = `One booking may have ${plural(this.most, 'seat')}.`
  }

  /** Free places from a random point on, so that buyers do not all reach for the same ones. */
  #anyFree(sectionIndex: number, count: number, except: ReadonlySet<number>): number[] {
    const section = this.#seats.map?.sections[sectionIndex]
    if (!section || count <= 0) return []
    const from = Math.floor(Math.random() * section.seats)
    const found: number[] = []
    for (let i = 0; i < section.seats && found.length < count; i += 1) {
      const n = section.first + ((from + i) % section.seats)
      if (this.#seats.isFree(n) && !except.has(n)) found.push(n)
    }
    return found
  }

  /** Holds what is chosen. Null when it was refused: `problem` says why, and lost seats are dropped. */
  async hold(): Promise<HeldView | null> {
    if (this.holding || this.chosen.length === 0) return null
    this.holding = true
    this.problem = null
    this.warned = ''
    const held = await this.#tryHold(GENERAL_TRIES)
    this.holding = false
    if (held) this.chosen = []
    else this.#dropLost()
    return held
  }

  async #tryHold(tries: number): Promise<HeldView | null> {
    const seatIds = this.chosen.map((n) => `${this.#seats.eventId}:${n}`)
    const of = seatIds.toSorted().join()
    // The same seats again are the same wish (a second press, a lost answer); others are a new one.
    if (this.#intent.of !== of) this.#intent = { key: newKey(), of }
    const answer = await holdSeats(this.#seats.eventId, seatIds, this.#intent.key)
    if (answer.ok) return answer.data
    // A refusal is final for its key: the next press is a new wish.
    if (answer.problem.code !== 'unreachable') this.#intent = { key: newKey(), of: '' }
    const lost = answer.problem.seatIds.map((id) => Number(id.slice(id.lastIndexOf(':') + 1)))
    if (answer.problem.code === 'seat_taken' && lost.length > 0) {
      this.#seats.markTaken(lost)
      if (tries > 1 && this.#swapGeneral(lost)) return this.#tryHold(tries - 1)
    }
    this.problem = answer.problem
    return null
  }

  /** Replaces lost places of areas without numbers by others there; false when a numbered seat is lost. */
  #swapGeneral(lost: readonly number[]): boolean {
    const isGeneral = (n: number) => this.#seats.map?.sections[this.#seats.sectionOf(n)]?.kind === 'general'
    if (!lost.every(isGeneral)) return false
    const kept = this.chosen.filter((n) => !lost.includes(n))
    const taken = new Set(kept)
    for (const n of lost) {
      const [other] = this.#anyFree(this.#seats.sectionOf(n), 1, taken)
      if (other === undefined) return false
      taken.add(other)
    }
    this.chosen = [...taken]
    return true
  }
}
