// Owns what the crowd did and was told: every call with its answer, by seat, on one monotone clock.
import type { Event } from './seat-register.ts'

/** What a logical request came to, retries included; `called` is when the try that was answered so began. */
export type Outcome =
  | { kind: 'done'; data: BookingSeen; called: number }
  | { kind: 'refused'; code: string; called: number }
  /** It may have happened, or may happen yet. */
  | { kind: 'unknown' }

/** What an answer shows of a booking, as far as it is looked at. */
export interface BookingSeen {
  id: string
  status: 'PENDING' | 'CONFIRMED' | 'EXPIRED' | 'CANCELLED' | 'REFUNDED'
  seats: { id: string }[]
  expiresAt: string
}

export interface HoldCall {
  accountId: string
  key: string
  called: number
  answered: number
}

const SAW = {
  PENDING: 'held',
  CONFIRMED: 'sold',
  EXPIRED: 'over',
  CANCELLED: 'ended',
  REFUNDED: 'ended',
} as const satisfies Record<BookingSeen['status'], 'held' | 'sold' | 'over' | 'ended'>

/** Of violations, so many are kept in words; all are counted. */
const VIOLATIONS_KEPT = 50

export const now = (): number => performance.now()
/** The moment of a wall clock's time on the monotone clock. */
const momentOf = (iso: string): number => Date.parse(iso) - (Date.now() - performance.now())

export class History {
  readonly bySeat = new Map<string, Event[]>()
  /** Bookings somebody was told of, with their seats. */
  readonly bookings = new Map<string, { accountId: string; seats: string[] }>()
  readonly confirmed = new Set<string>()
  /** Holds of which nobody knows whether they happened. */
  readonly unknownHolds: HoldCall[] = []
  readonly violations: string[] = []
  violationCount = 0
  /** Attempts to reserve, by what they came to. */
  readonly attempts = new Map<string, number>()
  attemptCount = 0
  /** Answers by status and code, retries included. */
  readonly answers = new Map<string, number>()
  /** Requests that got no answer. */
  unanswered = 0
  readonly #waiting: { server: number; since: number; resolve: (at: number) => void }[] = []

  violation(what: string): void {
    this.violationCount += 1
    if (this.violations.length < VIOLATIONS_KEPT) this.violations.push(what)
  }

  answer(status: number, code: string): void {
    const name = status < 300 ? String(status) : `${status} ${code}`
    this.answers.set(name, (this.answers.get(name) ?? 0) + 1)
  }

  attempted(outcome: Outcome): void {
    const name = outcome.kind === 'done' ? 'held' : outcome.kind === 'refused' ? outcome.code : 'unknown'
    this.attemptCount += 1
    this.attempts.set(name, (this.attempts.get(name) ?? 0) + 1)
  }

  held(call: HoldCall, booking: BookingSeen): void {
    const seats = booking.seats.map(({ id }) => id)
    const known = this.bookings.get(booking.id)
    if (known) return this.violation(`booking ${booking.id} was given to two requests`)
    this.bookings.set(booking.id, { accountId: call.accountId, seats })
    const { called, answered } = call
    this.#add(booking.id, {
      kind: 'hold',
      booking: booking.id,
      until: momentOf(booking.expiresAt),
      called,
      answered,
    })
  }

  extended(booking: BookingSeen, called: number, answered = now()): void {
    const until = momentOf(booking.expiresAt)
    this.#add(booking.id, { kind: 'extend', booking: booking.id, until, called, answered })
  }

  /** A change of a booking that was acknowledged. */
  moved(kind: 'confirm' | 'release' | 'refund', booking: string, called: number, answered = now()): void {
    if (kind === 'confirm') this.confirmed.add(booking)
    this.#add(booking, { kind, booking, called, answered })
  }

  /** A change that may have happened, or may yet. */
  perhaps(kind: 'extend' | 'confirm' | 'release' | 'refund', booking: string, called: number): void {
    const event = { booking, called, answered: Infinity, perhaps: true }
    this.#add(booking, kind === 'extend' ? { kind, until: null, ...event } : { kind, ...event })
  }

  read(booking: BookingSeen, called: number, answered = now()): void {
    this.saw(booking.id, SAW[booking.status], called, answered)
  }

  saw(booking: string, saw: 'held' | 'sold' | 'over' | 'ended', called: number, answered = now()): void {
    this.#add(booking, { kind: 'read', booking, saw, called, answered })
  }

  /** Told of each hold that succeeded, and through which server. */
  succeeded(server: number, called: number): void {
    const at = now()
    for (let i = this.#waiting.length - 1; i >= 0; i--) {
      const { server: wanted, since, resolve } = this.#waiting[i]!
      if (wanted !== server || called < since) continue
      this.#waiting.splice(i, 1)
      resolve(at)
    }
  }

  /** Resolves to the moment of the first hold through `server` that was asked for after `since`. */
  firstSuccess(server: number, since: number): Promise<number> {
    return new Promise((resolve) => this.#waiting.push({ server, since, resolve }))
  }

  addTo(seat: string, event: Event): void {
    const events = this.bySeat.get(seat)
    if (events) events.push(event)
    else this.bySeat.set(seat, [event])
  }

  #add(booking: string, event: Event): void {
    for (const seat of this.bookings.get(booking)?.seats ?? []) this.addTo(seat, event)
  }
}
