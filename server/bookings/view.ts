// Decides what a booking looks like from outside.
import type { BookingRow } from '../../db/bookings/read-bookings.ts'
import type { BookingView } from '../protocol/http.ts'
import { seatIdOf } from './seat-ids.ts'

export function bookingView(booking: BookingRow): BookingView {
  const { eventId, currency } = booking
  return {
    id: booking.id,
    eventId,
    eventName: booking.eventName,
    status: booking.status,
    seats: booking.seats.map(({ n, section, row, number, tier, price }) => ({
      id: seatIdOf(eventId, n),
      n,
      section,
      row,
      number,
      tier,
      price: { amount: price, currency },
    })),
    total: { amount: booking.total, currency },
    expiresAt: booking.expiresAt.toISOString(),
    frozenSince: booking.frozenSince?.toISOString() ?? null,
    createdAt: booking.createdAt.toISOString(),
    confirmedAt: booking.confirmedAt?.toISOString() ?? null,
    timeline: booking.timeline.map(({ at, what }) => ({ at: at.toISOString(), what })),
  }
}
