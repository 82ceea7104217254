// Owns the real side of the model of a sale: each of its moves by the ledger's own functions, and what the stores say then.
import { and, eq, sql } from 'drizzle-orm'
import { confirmBooking } from '../../../db/bookings/confirm-booking.ts'
import { expireDueBookings } from '../../../db/bookings/expire-bookings.ts'
import { extendBooking } from '../../../db/bookings/extend-booking.ts'
import type { Gate } from '../../../db/bookings/gate.ts'
import { holdSeats } from '../../../db/bookings/hold-seats.ts'
import { refundBooking } from '../../../db/bookings/refund-booking.ts'
import { releaseBooking } from '../../../db/bookings/release-booking.ts'
import {
  chargeSandbox,
  findPayment,
  refundPayment,
  settlePayment,
  startPayment,
} from '../../../db/payments.ts'
import { bookings, bookingSeats, payments, sandboxCharges, seats } from '../../../db/schema.ts'
import { seatStatusKey } from '../../../db/seat-gate/keys.ts'
import { reconcileSeats } from '../../../db/seat-gate/reconcile.ts'
import { anEvent, buyers, type TestLedger } from '../a-ledger.ts'
import type { Plan, State } from './sale-state.ts'

/** A span of time: a hold's, and as much as an extension gives at the most. */
const SPAN_SECONDS = 300

export class RealSale {
  /** Of the charges that were opened. */
  readonly paymentIds = new Map<number, string>()

  private constructor(
    readonly t: TestLedger,
    readonly plan: Plan,
    readonly eventId: string,
    readonly accountIds: string[],
    readonly bookingIds: string[],
  ) {}

  static async open(t: TestLedger, plan: Plan): Promise<RealSale> {
    const seatCount = Math.max(...plan.wishes.flat()) + 1
    const eventId = await anEvent(t.db, { seats: seatCount, holdSeconds: SPAN_SECONDS })
    const ids = plan.wishes.map(() => Bun.randomUUIDv7())
    return new RealSale(t, plan, eventId, await buyers(t.db, plan.wishes.length), ids)
  }

  private request(i: number) {
    return { bookingId: this.bookingIds[i]!, accountId: this.accountIds[i]! }
  }

  hold(gate: Gate, i: number) {
    return holdSeats(gate, { eventId: this.eventId, seats: this.plan.wishes[i]!, ...this.request(i) })
  }

  sweep = (gate: Gate) => expireDueBookings(gate)
  release = (gate: Gate, i: number) => releaseBooking(gate, this.request(i))
  extend = (gate: Gate, i: number) => extendBooking(gate, this.request(i))
  refund = (gate: Gate, i: number) => refundBooking(gate, { bookingId: this.bookingIds[i]!, reason: 'model' })
  reconcile = () => reconcileSeats(this.t, this.eventId)
  forget = (n: number) => this.t.redis.del(seatStatusKey(this.eventId, n))

  pass = (i: number) =>
    this.t.db
      .update(bookings)
      .set({ expiresAt: sql`${bookings.expiresAt} - make_interval(secs => ${SPAN_SECONDS})` })
      .where(
        and(
          eq(bookings.id, this.bookingIds[i]!),
          sql`${bookings.status} = 'PENDING' and ${bookings.expiresAt} > now()`,
        ),
      )

  async start(gate: Gate, c: number) {
    const started = await startPayment(gate, { ...this.request(this.plan.charges[c]!), method: 'sandbox_ok' })
    if (started.ok && started.payment && !started.underWay) this.paymentIds.set(c, started.payment.id)
  }

  private async paymentOf(c: number) {
    const paymentId = this.paymentIds.get(c)
    return paymentId === undefined ? null : findPayment(this.t.db, { eventId: this.eventId, paymentId })
  }

  async charge(c: number, outcome: 'captured' | 'declined') {
    const payment = await this.paymentOf(c)
    const method = outcome === 'captured' ? 'sandbox_ok' : 'sandbox_declined'
    if (payment) await chargeSandbox(this.t.db, { ref: payment.providerRef, amount: payment.amount, method })
  }

  /** As a webhook: told whatever the ledger knows already. */
  async hear(gate: Gate, c: number, provider: 'NONE' | 'captured' | 'declined') {
    const payment = await this.paymentOf(c)
    if (!payment || provider === 'NONE') return
    if (provider === 'captured')
      await confirmBooking(gate, { ...this.request(this.plan.charges[c]!), payment })
    else await settlePayment(gate, { eventId: this.eventId, paymentId: payment.id })
  }

  async giveUp(gate: Gate, c: number) {
    const payment = await this.paymentOf(c)
    if (!payment) return
    await this.t.db
      .update(payments)
      .set({ createdAt: sql`now() - interval '1 minute'` })
      .where(eq(payments.id, payment.id))
    await settlePayment(gate, { eventId: this.eventId, paymentId: payment.id })
  }

  async payBack(c: number) {
    const paymentId = this.paymentIds.get(c)
    if (paymentId) await refundPayment(this.t.gate, { eventId: this.eventId, paymentId })
  }

  /** What Postgres, the provider and the cache say, in the words of `asTold`. */
  async look(): Promise<Looks> {
    const { db, redis } = this.t
    const [seatRows, bookingRows, liveRows, paymentRows] = await Promise.all([
      db.select().from(seats).where(eq(seats.eventId, this.eventId)).orderBy(seats.n),
      db
        .select({
          id: bookings.id,
          status: bookings.status,
          extendedAt: bookings.extendedAt,
          left: sql<number>`ceil(greatest(extract(epoch from ${bookings.expiresAt} - now()), 0) / ${SPAN_SECONDS})::int`,
        })
        .from(bookings)
        .where(eq(bookings.eventId, this.eventId)),
      db.select().from(bookingSeats).where(eq(bookingSeats.eventId, this.eventId)),
      db
        .select({
          id: payments.id,
          status: payments.status,
          outcome: sandboxCharges.outcome,
          refunded: sandboxCharges.refunded,
        })
        .from(payments)
        .leftJoin(sandboxCharges, eq(sandboxCharges.ref, payments.providerRef))
        .where(eq(payments.eventId, this.eventId)),
    ])
    const hints = await redis.mget(seatRows.map(({ n }) => seatStatusKey(this.eventId, n)))
    return {
      seats: seatRows.map(({ status, version, bookingId }, n) =>
        [
          status,
          version,
          bookingId === null ? '-' : this.bookingIds.indexOf(bookingId),
          hints[n] ?? '-',
        ].join(' '),
      ),
      bookings: this.bookingIds.map((id, i) => {
        const row = bookingRows.find((one) => one.id === id)
        if (!row) return 'NONE'
        const live = liveRows.filter(({ bookingId, live: is }) => bookingId === id && is).length
        const whole = live === this.plan.wishes[i]!.length ? 'live' : `live ${live}`
        const left = row.status === 'PENDING' ? row.left : 0
        return [row.status, left, row.extendedAt ? 'extended' : '-', live === 0 ? '-' : whole].join(' ')
      }),
      charges: this.plan.charges.map((_booking, c) => {
        const row = paymentRows.find(({ id }) => id === this.paymentIds.get(c))
        if (!row) return 'NONE'
        return [row.status, row.outcome ?? 'NONE', Number(row.refunded) > 0 ? 'paid back' : '-'].join(' ')
      }),
    }
  }
}

export interface Looks {
  seats: string[]
  bookings: string[]
  charges: string[]
}

/** The model's state, as `look` would tell it. */
export const asTold = ({ seats: all, bookings: list, charges }: State): Looks => ({
  seats: all.map(({ status, version, booking, hint }) =>
    [status, version, booking ?? '-', hint ?? '-'].join(' '),
  ),
  bookings: list.map(({ status, left, extended, live }) =>
    status === 'NONE'
      ? 'NONE'
      : [status, status === 'PENDING' ? left : 0, extended ? 'extended' : '-', live ? 'live' : '-'].join(' '),
  ),
  charges: charges.map(({ ledger, provider, refunded }) =>
    ledger === 'NONE' ? 'NONE' : [ledger, provider, refunded ? 'paid back' : '-'].join(' '),
  ),
})
