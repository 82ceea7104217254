// Decides what each move does to the model of a sale: a transaction or a script of the ledger, told again in a few lines.
//
// Each guard can be taken away by name; with all of them this is what tests/races/sale-model.test.ts holds the real
// functions to.
import type { SeatStatus } from '../../../db/lifecycle.ts'
import type { Booking, Plan, State } from './sale-state.ts'

export const GUARDS = [
  'a hold takes only free seats',
  'a hold is all or none',
  'a hold asks Postgres whatever the hint says',
  'an expiry needs a PENDING booking',
  'an expiry needs an overdue booking',
  'an expiry reads the extended end',
  'an expiry frees the seats with the booking',
  'a release needs a PENDING booking',
  'an extension needs a hold in time',
  'an extension is given once',
  'a payment in time needs a PENDING booking with its seats',
  'late money needs its seats free',
  'a charge is booked once',
  'money that buys nothing is due back',
  'a charge given up is made impossible first',
  'the cache goes by versions',
  'the cache is reconciled',
] as const
export type Guard = (typeof GUARDS)[number]

/** The moves, each on a state of its own that it may change. `lacks` is the guard that is missing. */
export class Moves {
  constructor(
    readonly state: State,
    readonly plan: Plan,
    readonly lacks: Guard | null = null,
  ) {}

  private has(guard: Guard): boolean {
    return this.lacks !== guard
  }

  private seatsOf(i: number) {
    return this.plan.wishes[i]!.map((n) => this.state.seats[n]!)
  }

  private move(n: number, status: SeatStatus, booking: number | null): void {
    const seat = this.state.seats[n]!
    Object.assign(seat, { status, booking, version: seat.version + 1 })
    this.tell(n)
  }

  private tell(n: number): void {
    if (!this.plan.redis) return
    const { told, seats } = this.state
    const { status, version } = seats[n]!
    if (version === 0) return
    told.push({ n, status, version })
    if (told.length > this.plan.toldMax) told.shift()
  }

  /** The gate's script: may only refuse. */
  ask(i: number): boolean {
    const booking = this.state.bookings[i]!
    const seats = this.seatsOf(i)
    if (booking.status !== 'NONE' || booking.asked) return false
    if (seats.some(({ hint }) => isGone(hint))) return false
    if (seats.some(({ lock }) => lock !== null && lock !== i)) return false
    for (const seat of seats) seat.lock = i
    booking.asked = true
    return true
  }

  /** The transaction of a hold: overdue bookings give way first, and stay ended though the hold be refused. */
  hold(i: number): boolean {
    const booking = this.state.bookings[i]!
    if (booking.status !== 'NONE') return false
    booking.asked = false
    const wanted = this.plan.wishes[i]!
    for (const { status, booking: keeper } of this.seatsOf(i))
      if (status === 'RESERVED' && keeper !== null && isOverdue(this.state.bookings[keeper]!))
        this.expire(keeper, false)
    const free = wanted.filter((n) => this.mayTake(n))
    if (free.length === 0 || (free.length < wanted.length && this.has('a hold is all or none'))) {
      for (const n of wanted) if (this.state.seats[n]!.status !== 'AVAILABLE') this.tell(n)
      return false
    }
    for (const n of free) this.move(n, 'RESERVED', i)
    Object.assign(booking, { status: 'PENDING', left: 1, extended: false, live: true })
    return true
  }

  private mayTake(n: number): boolean {
    const { status, hint } = this.state.seats[n]!
    if (!this.has('a hold takes only free seats')) return true
    if (!this.has('a hold asks Postgres whatever the hint says') && hint?.startsWith('AVAILABLE')) return true
    return status === 'AVAILABLE'
  }

  /** The sweep, or a buyer who comes next, whose transaction tells of the seats it asked for alone. */
  expire(i: number, tells = true): void {
    const booking = this.state.bookings[i]!
    const pending = booking.status === 'PENDING'
    if (this.has('an expiry needs a PENDING booking') ? !pending : booking.status === 'NONE') return
    const firstEnd = booking.extended && booking.left < 2 && !this.has('an expiry reads the extended end')
    if (booking.left > 0 && !firstEnd && this.has('an expiry needs an overdue booking')) return
    Object.assign(booking, { status: 'EXPIRED', live: false })
    if (this.has('an expiry frees the seats with the booking')) this.free(i, tells)
  }

  private free(i: number, tells = true): void {
    for (const n of this.plan.wishes[i]!) {
      const seat = this.state.seats[n]!
      if (seat.booking !== i || seat.status !== 'RESERVED') continue
      if (tells) this.move(n, 'AVAILABLE', null)
      else Object.assign(seat, { status: 'AVAILABLE', booking: null, version: seat.version + 1 })
    }
  }

  release(i: number): void {
    const booking = this.state.bookings[i]!
    const guarded = this.has('a release needs a PENDING booking')
    if (guarded ? booking.status !== 'PENDING' : booking.status === 'NONE') return
    Object.assign(booking, { status: 'CANCELLED', live: false })
    this.free(i)
  }

  extend(i: number): void {
    const booking = this.state.bookings[i]!
    const inTime = booking.status === 'PENDING' && booking.left > 0
    if (this.has('an extension needs a hold in time') ? !inTime : booking.status === 'NONE') return
    if (booking.extended && (this.has('an extension is given once') || booking.left > 1)) return
    Object.assign(booking, { status: 'PENDING', left: booking.left + 1, extended: true })
    for (const n of this.plan.wishes[i]!) this.tell(n)
  }

  /** A span of a hold's time goes by. */
  pass(i: number): void {
    const booking = this.state.bookings[i]!
    if (booking.status === 'PENDING' && booking.left > 0) booking.left -= 1
  }

  /** A charge is opened for a hold in time, one at a time. */
  start(c: number): boolean {
    const charge = this.state.charges[c]!
    const { status, left } = this.state.bookings[charge.booking]!
    const others = this.state.charges.filter((other) => other !== charge && other.booking === charge.booking)
    const before = this.state.charges.slice(0, c).filter(({ booking }) => booking === charge.booking)
    if (charge.ledger !== 'NONE' || status !== 'PENDING' || left === 0) return false
    if (others.some(({ ledger }) => ledger === 'PROCESSING')) return false
    if (before.some(({ ledger }) => ledger === 'NONE')) return false
    charge.ledger = 'PROCESSING'
    return true
  }

  /** The provider is asked, perhaps long after; whatever it said first stays. */
  charge(c: number, outcome: 'captured' | 'declined'): void {
    const charge = this.state.charges[c]!
    if (charge.ledger === 'NONE' || charge.asked) return
    charge.asked = true
    if (charge.provider === 'NONE') charge.provider = outcome
  }

  /** The provider's word comes: as an answer, a webhook, a second webhook, or because a sweep asked. */
  hear(c: number): void {
    const charge = this.state.charges[c]!
    if (charge.ledger === 'NONE') return
    if (charge.provider === 'captured') this.confirm(c)
    if (charge.provider === 'declined' && charge.ledger === 'PROCESSING') charge.ledger = 'DECLINED'
  }

  private confirm(c: number): void {
    const charge = this.state.charges[c]!
    const { booking: i, ledger } = charge
    const booking = this.state.bookings[i]!
    const known = ledger === 'CAPTURED' || ledger === 'REFUND_DUE' || ledger === 'REFUNDED'
    if (known && this.has('a charge is booked once')) return
    if (this.isPlain(i)) return this.sell(c)
    const late = booking.status === 'EXPIRED' || isOverdue(booking)
    const toBeHad = this.seatsOf(i).every(
      ({ status, booking: keeper }) => status === 'AVAILABLE' || (status === 'RESERVED' && keeper === i),
    )
    if (late && (toBeHad || !this.has('late money needs its seats free'))) {
      if (booking.status === 'PENDING') this.expire(i)
      return this.sell(c)
    }
    if (this.has('money that buys nothing is due back')) charge.ledger = 'REFUND_DUE'
  }

  private isPlain(i: number): boolean {
    if (!this.has('a payment in time needs a PENDING booking with its seats')) return true
    const { status, left } = this.state.bookings[i]!
    const held = this.seatsOf(i).every((seat) => seat.status === 'RESERVED' && seat.booking === i)
    return status === 'PENDING' && left > 0 && held
  }

  private sell(c: number): void {
    const charge = this.state.charges[c]!
    for (const n of this.plan.wishes[charge.booking]!) this.move(n, 'SOLD', charge.booking)
    Object.assign(this.state.bookings[charge.booking]!, { status: 'CONFIRMED', live: true })
    charge.ledger = 'CAPTURED'
  }

  /** The provider never heard of a charge that is long open: it is declined there, so that it cannot come later. */
  giveUp(c: number): void {
    const charge = this.state.charges[c]!
    if (charge.ledger !== 'PROCESSING' || charge.provider !== 'NONE') return
    if (this.has('a charge given up is made impossible first')) charge.provider = 'declined'
    else charge.ledger = 'DECLINED'
  }

  /** The provider gives back what is due. */
  payBack(c: number): void {
    const charge = this.state.charges[c]!
    if (charge.ledger === 'REFUND_DUE') charge.refunded = true
  }

  noteRefund(c: number): void {
    const charge = this.state.charges[c]!
    if (charge.ledger === 'REFUND_DUE' && charge.refunded) charge.ledger = 'REFUNDED'
  }

  /** The organiser refunds a whole booking. */
  refund(i: number): void {
    const booking = this.state.bookings[i]!
    if (booking.status !== 'CONFIRMED') return
    Object.assign(booking, { status: 'REFUNDED', live: false })
    for (const n of this.plan.wishes[i]!) this.move(n, 'AVAILABLE', null)
    for (const charge of this.state.charges)
      if (charge.booking === i && charge.ledger === 'CAPTURED') charge.ledger = 'REFUND_DUE'
  }

  /** One message to the cache arrives. */
  deliver(k: number): void {
    const [message] = this.state.told.splice(k, 1)
    const { n, status, version } = message!
    const seat = this.state.seats[n]!
    if (version >= versionOf(seat.hint) || !this.has('the cache goes by versions'))
      seat.hint = `${status}:${version}`
  }

  lose(k: number): void {
    this.state.told.splice(k, 1)
  }

  forget(n: number): void {
    this.state.seats[n]!.hint = null
  }

  /** By its owner, or because its time is up. */
  unlock(n: number): void {
    this.state.seats[n]!.lock = null
  }

  /** Of an overdue hold the cache may say what it likes: its key is about to go. */
  reconcile(): void {
    if (!this.has('the cache is reconciled')) return
    for (const seat of this.state.seats) {
      const due = seat.booking !== null && isOverdue(this.state.bookings[seat.booking]!)
      if (seat.version > 0 && !due) seat.hint = `${seat.status}:${seat.version}`
    }
  }
}

export const isOverdue = ({ status, left }: Booking) => status === 'PENDING' && left === 0
export const isGone = (hint: string | null) => hint !== null && !hint.startsWith('AVAILABLE')
export const versionOf = (hint: string | null) => (hint === null ? -1 : Number(hint.split(':')[1]))
