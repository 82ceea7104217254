// Owns the choice of seats: what is chosen, what may be, what somebody else was faster with, what is offered instead,
// and holding it.
import type { HeldView } from '../../../server/protocol/http.ts'
import { formatCount } from '../format.ts'
import { newKey, type Answer, type Problem } from '../net/api.ts'
import { holdBest, holdSeats, listMyBookings, releaseBooking } from '../net/calls.ts'
import { keepChoice, takeChoice } from '../net/keep.ts'
import { m } from '#messages'
import { leftAlone, shiftByOne } from './seat-blocks.ts'
import type { SeatMap } from './seat-map.svelte.ts'
import { anyFree, likeThose, partyAround, tierToAskFor } from './seat-proposals.ts'
import { SeatWish } from './seat-wish.svelte.ts'

/** Tries to get other places of an area without numbers when the first were just taken. */
const GENERAL_TRIES = 3

/** Seats like those that were lost. */
export interface Offer {
  /** What was lost, by name. */
  lost: string
  seats: readonly number[]
  /** What stays chosen beside them. */
  kept: readonly number[]
  samePrice: boolean
  /** The loss came from a hold: taking the offer holds it. */
  holds: boolean
}

export class SeatChoice {
  chosen = $state.raw<readonly number[]>([])
  /** What the server keeps for us at this event. */
  booking = $state.raw<HeldView | null>(null)
  holding = $state(false)
  problem = $state.raw<Problem | null>(null)
  offer = $state.raw<Offer | null>(null)
  /** The last thing worth saying aloud. */
  said = $state('')
  /** What went against the person's wish: shown as well as said, until their next move. */
  warned = $state('')
  readonly wish: SeatWish
  readonly #seats: SeatMap
  #intent = { key: newKey(), of: '' }
  /** The choice is a block we put together around one tap: another tap moves it. */
  #isBlock = false

  constructor(seats: SeatMap, wish = new SeatWish()) {
    this.#seats = seats
    this.wish = wish
  }

  /** Takes up what was chosen before signing in, and follows the map's changes; returns how to stop. */
  start(): () => void {
    const kept = takeChoice(this.#seats.eventId)
    return this.#seats.onChange((changed) => {
      // The first news is the map itself: only now is it known what may be chosen.
      if (kept.length > 0) this.chosen = kept.splice(0).slice(0, this.most)
      if (changed === 'all' || this.chosen.length > 0 || this.offer) this.#dropLost()
    })
  }

  /** Finds seats that are being kept for us already: after a reload, or on the way back from the checkout. */
  async adopt(): Promise<void> {
    const answer = await listMyBookings()
    if (!answer.ok || this.booking) return
    const { eventId } = this.#seats
    this.booking =
      answer.data.items.find((one) => one.eventId === eventId && one.status === 'PENDING') ?? null
  }

  /** Keeps the choice for when this person comes back, signed in. */
  keep(): void {
    keepChoice(this.#seats.eventId, this.chosen)
  }

  get held(): readonly number[] {
    return this.booking?.seats.map(({ n }) => n) ?? []
  }

  get total(): number {
    return this.#priceOf(this.chosen)
  }

  #priceOf = (seats: readonly number[]) => seats.reduce((sum, n) => sum + this.#seats.priceOf(n), 0)

  get most(): number {
    return this.#seats.event?.maxSeatsPerBooking ?? 1
  }

  isChosen(n: number): boolean {
    return this.chosen.includes(n)
  }

  isHeld(n: number): boolean {
    return this.booking !== null && this.held.includes(n)
  }

  /** Chooses a free seat and its neighbours for the whole party, or gives up a chosen one; says what came of it. */
  toggle(n: number): void {
    if (this.holding) return
    this.#quiet()
    if (this.isHeld(n)) this.said = m.seats_already_yours({ seat: this.#seats.nameOf(n) })
    else if (this.isChosen(n)) {
      this.#isBlock = false
      this.#choose(this.chosen.filter((other) => other !== n))
      this.said = m.seats_taken_out({ seat: this.#seats.nameOf(n) })
    } else if (!this.#seats.isFree(n)) this.warned = m.seats_not_free({ seat: this.#seats.nameOf(n) })
    else if (this.chosen.length === 0 || this.#isBlock) this.#chooseParty(n)
    else if (this.chosen.length >= this.most) this.warned = this.#tooMany
    else {
      this.#choose([...this.chosen, n])
      this.said = m.seats_chosen({ seat: this.#seats.nameOf(n) })
    }
  }

  get #tooMany(): string {
    return m.seats_at_most({ count: this.most, shown: formatCount(this.most) })
  }

  #chooseParty(n: number): void {
    const size = Math.min(this.wish.quantity, this.most)
    const block = size > 1 && this.#seats.isNumbered(n) ? partyAround(this.#seats, n, size) : null
    this.#isBlock = block !== null
    this.#choose(block ?? [n])
    this.said = m.seats_chosen({ seat: this.#namesOf(this.chosen) })
  }

  #choose(seats: readonly number[]): void {
    this.offer = null
    this.chosen = seats
  }

  #quiet(): void {
    this.said = ''
    this.warned = ''
    this.problem = null
  }

  #namesOf(seats: readonly number[]): string {
    return seats.map((n) => this.#seats.nameOf(n)).join('; ')
  }

  // ── Nobody left alone ────────────────────────────────────────────────────────────────────────────────────────────

  /** A seat that our choice would leave alone, and the same choice moved by one so that it does not; null without. */
  get orphan(): { name: string; seats: number[]; by: -1 | 1 } | null {
    const { hall } = this.#seats
    if (!hall || this.chosen.length === 0 || this.chosen.length > this.most) return null
    const isFree = (n: number) => this.#seats.isFree(n)
    const better = shiftByOne(hall, this.chosen, isFree)
    const [alone] = better ? leftAlone(hall, this.chosen, isFree) : []
    return better && alone !== undefined ? { name: this.#seats.nameOf(alone), ...better } : null
  }

  mendOrphan(): void {
    const { orphan } = this
    if (!orphan || this.holding) return
    this.#quiet()
    this.#choose(orphan.seats)
    this.said = m.seats_chosen({ seat: this.#namesOf(orphan.seats) })
  }

  // ── Lost, and offered instead ────────────────────────────────────────────────────────────────────────────────────

  /** A chosen seat that somebody else took is no longer chosen; the person is told which, and offered its like. */
  #dropLost(holds = false): void {
    if (this.holding) return
    if (this.offer && !this.offer.seats.every((n) => this.#seats.isFree(n)))
      this.#offerFor([...this.offer.seats], this.offer.kept, this.offer.lost, this.offer.holds)
    const lost = this.chosen.filter((n) => !this.#seats.isFree(n))
    if (lost.length === 0) return
    const all = this.chosen
    const kept = all.filter((n) => this.#seats.isFree(n))
    this.#isBlock = false
    this.chosen = kept
    const names = this.#namesOf(lost)
    this.warned = m.seats_lost({ seats: names })
    const party = all.filter((n) => this.#seats.isNumbered(n))
    const together = isOneBlock(party)
    this.#offerFor(
      together ? party : lost,
      together ? all.filter((n) => !party.includes(n)) : kept,
      names,
      holds,
    )
  }

  #offerFor(lost: readonly number[], kept: readonly number[], names: string, holds: boolean): void {
    const like = likeThose(this.#seats, this.wish, { lost, kept })
    this.offer = like && { ...like, lost: names, kept, holds }
  }

  /** Takes what is offered; resolves to the hold when the loss came from one. */
  async takeOffer(): Promise<HeldView | null> {
    const { offer } = this
    if (!offer || this.holding) return null
    this.#quiet()
    this.#choose([...offer.kept, ...offer.seats])
    this.said = m.seats_chosen({ seat: this.#namesOf(offer.seats) })
    return offer.holds ? this.hold() : null
  }

  refuseOffer(): void {
    this.offer = null
    this.warned = ''
  }

  // ── Areas without numbers ────────────────────────────────────────────────────────────────────────────────────────

  /** Chosen places of an area without numbers. */
  countIn(sectionIndex: number): number {
    return this.chosen.filter((n) => this.#seats.sectionOf(n) === sectionIndex).length
  }

  /** Sets how many places of an area without numbers are wanted; which ones is our choice. */
  want(sectionIndex: number, count: number): void {
    this.#quiet()
    const others = this.chosen.filter((n) => this.#seats.sectionOf(n) !== sectionIndex)
    const kept = this.chosen.filter((n) => this.#seats.sectionOf(n) === sectionIndex).slice(0, count)
    const allowed = Math.min(count, this.most - others.length)
    const more = anyFree(this.#seats, sectionIndex, allowed - kept.length, new Set(kept))
    this.#isBlock = false
    this.#choose([...others, ...kept, ...more])
    if (allowed < count) this.warned = this.#tooMany
  }

  // ── Holding ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Holds what is chosen. Null when it was refused: `problem` or `offer` says how to go on. */
  async hold(): Promise<HeldView | null> {
    if (this.holding || this.chosen.length === 0) return null
    this.#quiet()
    this.offer = null
    this.holding = true
    const held = await this.#tryHold(GENERAL_TRIES)
    this.holding = false
    if (!held) this.#dropLost(true)
    return held
  }

  /** Lets the server choose and hold the best seats for the wish. Null when it was refused. */
  async holdBest(): Promise<HeldView | null> {
    if (this.holding) return null
    this.#quiet()
    this.offer = null
    this.holding = true
    const body = this.#bestBody()
    const answer = await holdBest(body, this.#keyFor(`best ${JSON.stringify(body)}`), this.#seats.eventId)
    this.holding = false
    return this.#settle(answer)
  }

  #bestBody() {
    const { wish } = this
    const quantity = Math.min(wish.quantity, this.most)
    const tier = tierToAskFor(this.#seats, wish, wish.together ? quantity : 1)
    const section = wish.section === null ? undefined : this.#seats.map?.sections[wish.section]?.name
    return {
      eventId: this.#seats.eventId,
      quantity,
      ...(tier === undefined ? {} : { tier }),
      ...(section === undefined ? {} : { section }),
      together: wish.together || wish.accessible,
      ...(wish.accessible ? { accessible: true } : {}),
    }
  }

  /** The same wish again is the same intention (a second press, a lost answer); another one is new. */
  #keyFor(of: string): string {
    if (this.#intent.of !== of) this.#intent = { key: newKey(), of }
    return this.#intent.key
  }

  #settle(answer: Answer<HeldView>): HeldView | null {
    // What was answered is final for its key: the next press is a new intention.
    if (answer.ok || answer.problem.code !== 'unreachable') this.#intent = { key: newKey(), of: '' }
    if (!answer.ok) {
      this.problem = answer.problem
      return null
    }
    performance.mark('hold:answered')
    this.booking = answer.data
    this.chosen = []
    this.#isBlock = false
    this.#seats.markTaken(this.held)
    return answer.data
  }

  async #tryHold(tries: number): Promise<HeldView | null> {
    const seatIds = this.chosen.map((n) => `${this.#seats.eventId}:${n}`)
    const answer = await holdSeats(this.#seats.eventId, seatIds, this.#keyFor(seatIds.toSorted().join()))
    if (answer.ok) return this.#settle(answer)
    this.#settle(answer)
    const lost = answer.problem.seatIds.map((id) => Number(id.slice(id.lastIndexOf(':') + 1)))
    if (answer.problem.code !== 'seat_taken' || lost.length === 0) return null
    this.#seats.markTaken(lost)
    // The offer says it more kindly than the refusal does.
    this.problem = null
    return tries > 1 && this.#swapGeneral(lost) ? this.#tryHold(tries - 1) : null
  }

  /** Replaces lost places of areas without numbers by others there; false when a numbered seat is lost. */
  #swapGeneral(lost: readonly number[]): boolean {
    if (lost.some((n) => this.#seats.isNumbered(n))) return false
    const kept = this.chosen.filter((n) => !lost.includes(n))
    const taken = new Set(kept)
    for (const n of lost) {
      const [other] = anyFree(this.#seats, this.#seats.sectionOf(n), 1, taken)
      if (other === undefined) return false
      taken.add(other)
    }
    this.chosen = [...taken]
    return true
  }

  /** Gives back what is held, so that other seats can be chosen. */
  async letGo(): Promise<void> {
    const { booking } = this
    if (!booking || this.holding) return
    this.#quiet()
    this.holding = true
    const answer = await releaseBooking(booking.id)
    this.holding = false
    if (answer.ok || answer.problem.code === 'booking_not_pending') {
      this.booking = null
      this.said = m.seats_let_go_done()
    } else this.problem = answer.problem
  }

  /** The hold's time is over. */
  runOut(): void {
    if (!this.booking) return
    this.booking = null
    this.warned = m.seats_ran_out()
  }
}

function isOneBlock(seats: readonly number[]): boolean {
  const sorted = seats.toSorted((a, b) => a - b)
  return sorted.every((n, index) => n === (sorted[0] ?? 0) + index)
}
