// Decides how a buyer gets more time to pay: once, and only while the hold has not ended.
import { and, eq, sql } from 'drizzle-orm'
import { inTransaction } from '../client.ts'
import { bookings, events } from '../schema.ts'
import { scheduleExpiry, settleAfterCommit, type Gate } from './gate.ts'
import { isOver } from './hold-clock.ts'
import { findBooking, type BookingRow } from './read-bookings.ts'
import { appendTimeline, findBookingOwner, lockBooking, lockSeatsOf } from './rows.ts'

/** At the most; an event with shorter holds gives as much again as the hold had. */
const EXTENSION_SECONDS_MAX = 300

export type ExtendOutcome =
  | { ok: true; booking: BookingRow }
  | {
      ok: false
      refusal:
        'not_found' | 'booking_expired' | 'booking_not_pending' | 'already_extended' | 'event_not_on_sale'
    }

/** A PENDING booking that is in time ends min(hold, 5 min) later; an event that was withdrawn or has begun allows none. */
export async function extendBooking(
  gate: Gate,
  { bookingId, accountId }: { bookingId: string; accountId: string },
): Promise<ExtendOutcome> {
  const owner = await findBookingOwner(gate.db, bookingId)
  if (!owner || owner.accountId !== accountId) return { ok: false, refusal: 'not_found' }
  const { eventId } = owner
  const outcome = await inTransaction(gate.db, async (tx) => {
    const rows = await lockSeatsOf(tx, eventId, bookingId)
    const booking = (await lockBooking(tx, eventId, bookingId))!
    if (booking.status === 'EXPIRED' || (booking.status === 'PENDING' && booking.overdue))
      return { ok: false, refusal: 'booking_expired' } as const
    if (booking.status !== 'PENDING') return { ok: false, refusal: 'booking_not_pending' } as const
    const seconds = sql`least(${events.holdSeconds}, ${EXTENSION_SECONDS_MAX}::int)`
    const [extended] = await tx
      .update(bookings)
      .set({
        expiresAt: sql`${bookings.expiresAt} + make_interval(secs => ${seconds})`,
        extendedAt: sql`now()`,
      })
      .from(events)
      .where(
        and(
          eq(bookings.eventId, eventId),
          eq(bookings.id, bookingId),
          sql`${bookings.status} = 'PENDING' and not ${isOver()} and ${bookings.extendedAt} is null`,
          sql`${events.id} = ${bookings.eventId} and ${events.status} = 'PUBLISHED' and ${events.startsAt} > now()`,
        ),
      )
      .returning({ expiresAt: bookings.expiresAt })
    if (!extended)
      return { ok: false, refusal: booking.extendedAt ? 'already_extended' : 'event_not_on_sale' } as const
    await appendTimeline(tx, booking, 'booking_extended', { expiresAt: extended.expiresAt.toISOString() })
    return { ok: true, rows, ...extended } as const
  })
  if (!outcome.ok) return outcome
  const expiresAtMs = outcome.expiresAt.getTime()
  await Promise.all([
    settleAfterCommit(
      gate,
      outcome.rows.map(({ n, status, version }) => ({ eventId, n, status, version, expiresAtMs })),
    ),
    scheduleExpiry(gate, outcome.expiresAt),
  ])
  return { ok: true, booking: (await findBooking(gate.db, bookingId))! }
}
