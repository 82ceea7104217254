// Decides what becomes of the bookings of a cancelled event: unpaid ones end, paid ones are refunded, batch by batch.
import { and, eq, inArray } from 'drizzle-orm'
import { bookings, events } from '../schema.ts'
import type { Gate } from './gate.ts'
import { refundBooking } from './refund-booking.ts'
import { releaseBooking } from './release-booking.ts'

const REASON = 'The event was cancelled'

/**
 * Ends up to `limit` live bookings of cancelled events, or of the one given if it is cancelled. `left` says whether
 * there may be more. Safe to repeat and to run twice at once; it also finds what was paid while the event was being
 * cancelled.
 */
export async function endCancelledBookings(
  gate: Gate,
  { eventId, limit }: { eventId?: string; limit: number },
): Promise<{ released: number; refunded: number; left: boolean }> {
  const live = await gate.db
    .select({ id: bookings.id, accountId: bookings.accountId, status: bookings.status })
    .from(bookings)
    .innerJoin(events, eq(events.id, bookings.eventId))
    .where(
      and(
        eq(events.status, 'CANCELLED'),
        inArray(bookings.status, ['PENDING', 'CONFIRMED']),
        eventId === undefined ? undefined : eq(bookings.eventId, eventId),
      ),
    )
    .limit(limit)
  const done = { released: 0, refunded: 0, left: live.length === limit }
  for (const { id, accountId, status } of live) {
    const outcome =
      status === 'PENDING'
        ? await releaseBooking(gate, { bookingId: id, accountId })
        : await refundBooking(gate, { bookingId: id, reason: REASON })
    if (outcome.ok) done[status === 'PENDING' ? 'released' : 'refunded'] += 1
  }
  return done
}
