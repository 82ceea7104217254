// Decides how a buyer gives seats back before paying.
import { inTransaction } from '../client.ts'
import { freeSeats } from './free-seats.ts'
import { settleAfterCommit, type Gate, type MovedSeat } from './gate.ts'
import { findBooking, type BookingRow } from './read-bookings.ts'
import { findBookingOwner, lockBooking, lockSeatsOf } from './rows.ts'

export type ReleaseOutcome =
  | { ok: true; booking: BookingRow; already: boolean }
  | { ok: false; refusal: 'not_found' | 'booking_expired' | 'booking_not_pending' }

/** PENDING → CANCELLED, the seats AVAILABLE. Giving back twice answers the same. */
export async function releaseBooking(
  gate: Gate,
  { bookingId, accountId }: { bookingId: string; accountId: string },
): Promise<ReleaseOutcome> {
  const owner = await findBookingOwner(gate.db, bookingId)
  if (!owner || owner.accountId !== accountId) return { ok: false, refusal: 'not_found' }
  const moved: MovedSeat[] = []
  const outcome = await inTransaction(gate.db, async (tx) => {
    moved.length = 0
    await lockSeatsOf(tx, owner.eventId, bookingId)
    const booking = await lockBooking(tx, owner.eventId, bookingId)
    if (booking?.status === 'CANCELLED') return { ok: true, already: true } as const
    if (booking?.status === 'EXPIRED') return { ok: false, refusal: 'booking_expired' } as const
    if (booking?.status !== 'PENDING') return { ok: false, refusal: 'booking_not_pending' } as const
    moved.push(...(await freeSeats(tx, [booking], 'release')).seats)
    return { ok: true, already: false } as const
  })
  if (!outcome.ok) return outcome
  await settleAfterCommit(gate, moved)
  return { ...outcome, booking: (await findBooking(gate.db, bookingId))! }
}
