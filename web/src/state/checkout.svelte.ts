// Owns one payment from the held seats to the answer: what is held, what was asked, and what came of it.
import type { SandboxMethod } from '../../../server/protocol/codes.ts'
import type { BookingView, CheckoutView } from '../../../server/protocol/http.ts'
import { newKey, type Problem } from '../net/api.ts'
import { extendBooking } from '../net/account-calls.ts'
import { confirmPayment, getBooking, releaseBooking, startCheckout } from '../net/calls.ts'
import { findPayment, keepPayment, oweLeave, type PaymentUnderWay } from '../net/keep.ts'

/** open: may pay · asking: request under way · settling: sent, the answer is not known yet · the rest are ends */
export type CheckoutStep =
  'loading' | 'open' | 'asking' | 'settling' | 'paid' | 'expired' | 'released' | 'unknown'

const FIRST_LOOK_MS = 1_000
const LONGEST_LOOK_MS = 5_000
/** Some minutes of looking; after that the answer comes by mail. */
const LATE_LOOKS_MAX = 60
/** While nothing is asked: another tab may have paid, or our trouble may have stopped the clock. */
const IDLE_LOOK_MS = 10_000
/** More time is offered when it begins to run short. */
const OFFER_MORE_SECONDS = 180

export class Checkout {
  step = $state<CheckoutStep>('loading')
  booking = $state.raw<BookingView | null>(null)
  checkout = $state.raw<CheckoutView | null>(null)
  problem = $state.raw<Problem | null>(null)
  declined = $state(false)
  /** Five minutes more: not asked for, given, or not to be had for this event. */
  moreTime = $state<'unasked' | 'given' | 'refused'>('unasked')
  /** The card last tried, also before a reload. */
  method = $state<SandboxMethod>('sandbox_ok')
  readonly #bookingId: string
  #stopped = false
  /** Sent, and no word came back: it may never have arrived. */
  #unanswered: PaymentUnderWay | null = null
  #looks = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #idle: ReturnType<typeof setInterval> | undefined

  constructor(bookingId: string) {
    this.#bookingId = bookingId
  }

  /** Reads the booking and goes on where a reload left off; returns how to stop. */
  start(): () => void {
    void this.#begin()
    return () => {
      this.#stopped = true
      clearTimeout(this.#timer)
      clearInterval(this.#idle)
    }
  }

  async #begin(): Promise<void> {
    this.#idle = setInterval(() => {
      if (this.step === 'open' && !document.hidden) void this.look()
    }, IDLE_LOOK_MS)
    await this.look()
    if (this.#stopped || this.step !== 'open') return
    const under = findPayment(this.#bookingId)
    // The same key asks for the answer of the payment already sent, and can never start a second one.
    if (under) return this.#send(under)
    const answer = await startCheckout(this.#bookingId, `checkout-${this.#bookingId}`)
    if (answer.ok) this.checkout = answer.data
    else this.#refused(answer.problem)
  }

  /** Asks what the booking is now. */
  async look(): Promise<void> {
    const answer = await getBooking(this.#bookingId)
    if (this.#stopped) return
    if (!answer.ok) {
      this.problem = answer.problem
      if (this.booking === null) this.step = 'unknown'
      return
    }
    this.#take(answer.data)
  }

  /** Pays; pressing twice, reloading and a lost answer all have one effect. */
  async pay(method: SandboxMethod): Promise<void> {
    if (this.step !== 'open') return
    const under: PaymentUnderWay = { method, key: newKey() }
    keepPayment(this.#bookingId, under)
    await this.#send(under)
  }

  async release(): Promise<void> {
    const answer = await releaseBooking(this.#bookingId)
    if (answer.ok) this.step = 'released'
    else {
      this.problem = answer.problem
      await this.look()
    }
  }

  /** Whether to offer more time: once, and not before it is needed. */
  mayExtend(secondsLeft: number): boolean {
    const isTime = secondsLeft > 0 && secondsLeft <= OFFER_MORE_SECONDS
    return this.step === 'open' && this.moreTime === 'unasked' && isTime && !this.#isExtended
  }

  async extend(): Promise<void> {
    const answer = await extendBooking(this.#bookingId, `extend-${this.#bookingId}`)
    if (this.#stopped) return
    if (answer.ok) {
      this.moreTime = 'given'
      this.#take(answer.data)
    } else if (isPassingProblem(answer.problem)) this.problem = answer.problem
    else {
      // Given already, when the first answer was lost: the booking itself says so.
      await this.look()
      this.moreTime = this.#isExtended ? 'given' : 'refused'
    }
  }

  get #isExtended(): boolean {
    return this.booking?.timeline.some(({ what }) => what === 'booking_extended') ?? false
  }

  /** A payment was sent and the bank has not said no: it may still come, after the hold too. */
  get mayStillBePaid(): boolean {
    const last = this.booking?.timeline.findLast(({ what }) => what.startsWith('payment_'))
    return last?.what === 'payment_started'
  }

  /** The hold's time is over by our reckoning: the server's word decides. */
  expire(): void {
    if (this.step === 'open') this.#lookSoon()
  }

  async #send(under: PaymentUnderWay): Promise<void> {
    this.step = 'asking'
    this.method = under.method
    this.problem = null
    this.declined = false
    await this.#ask(under)
  }

  /** However often it is asked, one key is one payment. */
  async #ask(under: PaymentUnderWay): Promise<void> {
    const answer = await confirmPayment(this.#bookingId, under.method, under.key)
    if (this.#stopped) return
    this.#unanswered = !answer.ok && isUnsure(answer.problem) ? under : null
    if (answer.ok) this.#take(answer.data)
    else this.#refused(answer.problem)
  }

  #refused(problem: Problem): void {
    const { code } = problem
    if (code === 'payment_declined') {
      keepPayment(this.#bookingId, null)
      this.declined = true
      this.step = 'open'
    } else if (code === 'booking_expired' || code === 'booking_not_pending') {
      this.#lookSoon()
    } else if ((this.step === 'asking' || this.step === 'settling') && isUnsure(problem)) {
      this.step = 'settling'
      this.#lookSoon()
    } else {
      keepPayment(this.#bookingId, null)
      this.problem = problem
      this.step = 'open'
    }
  }

  #take(booking: BookingView): void {
    this.booking = booking
    this.problem = null
    if (booking.status === 'CONFIRMED') {
      keepPayment(this.#bookingId, null)
      oweLeave(booking.eventId, true)
      this.step = 'paid'
    } else if (booking.status === 'EXPIRED' || booking.status === 'REFUNDED') {
      keepPayment(this.#bookingId, null)
      if (this.step !== 'expired' && this.mayStillBePaid) this.#lookSoon()
      this.step = 'expired'
    } else if (booking.status === 'CANCELLED') {
      this.step = 'released'
    } else if (this.step === 'asking' || this.step === 'settling') {
      this.step = 'settling'
      this.#lookSoon()
    } else this.step = 'open'
  }

  #lookSoon(): void {
    clearTimeout(this.#timer)
    const ms = Math.min(FIRST_LOOK_MS * 1.5 ** this.#looks, LONGEST_LOOK_MS)
    this.#looks += 1
    this.#timer = setTimeout(() => void this.look().then(() => this.#lookOn()), ms)
  }

  /** Until the booking has reached an end, an unanswered look is asked again. */
  #lookOn(): void {
    // The server answers again and knows of no end: what was sent may never have come there.
    const unsent = this.step === 'settling' && !this.problem ? this.#unanswered : null
    if (unsent && !this.#stopped) {
      clearTimeout(this.#timer)
      return void this.#ask(unsent)
    }
    const ended = this.step === 'paid' || this.step === 'expired' || this.step === 'released'
    const overdue = this.booking !== null && this.step === 'settling'
    // Money that comes after the hold still decides: the same seats, or all of it back.
    const late = this.step === 'expired' && this.mayStillBePaid && this.#looks < LATE_LOOKS_MAX
    if (!this.#stopped && ((!ended && overdue) || late)) this.#lookSoon()
  }
}

/** Asking again may be answered otherwise. */
const isPassingProblem = ({ code }: Problem) =>
  code === 'unreachable' ||
  code === 'internal' ||
  code === 'overloaded' ||
  code === 'store_unavailable' ||
  code === 'rate_limited'

/** The payment may have gone through although no clear answer came. */
const isUnsure = (problem: Problem) =>
  problem.code === 'idempotency_in_progress' || (isPassingProblem(problem) && problem.code !== 'rate_limited')
