// Decides what a buyer is told of a payment: confirmed, declined, too late, or still being confirmed.
import { payBooking } from '../../db/payments.ts'
import type { Identity } from '../auth/access.ts'
import { gateOf } from '../bookings/gate.ts'
import { bookingView } from '../bookings/view.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import type { SandboxMethod } from '../protocol/codes.ts'
import type { BookingView, Success } from '../protocol/http.ts'

interface ConfirmRequest {
  bookingId: string
  identity: Identity
  method: SandboxMethod
  requestId: string
}

/** POST /payment/:bookingId/confirm. */
export async function confirm(
  context: Context,
  { bookingId, identity, method, requestId }: ConfirmRequest,
): Promise<Success<BookingView>> {
  const outcome = await payBooking(gateOf(context), { bookingId, accountId: identity.accountId, method })
  if (!outcome.ok) {
    if (outcome.refusal === 'payment_declined')
      context.telemetry.paymentDeclined({ requestId, eventId: outcome.eventId, bookingId })
    throw new Refusal(outcome.refusal)
  }
  const { booking } = outcome
  if (outcome.paid === 'processing') return reply(200, 'The payment is being confirmed', bookingView(booking))
  if (!outcome.already)
    context.telemetry.bookingConfirmed({
      requestId,
      eventId: booking.eventId,
      bookingId: booking.id,
      seats: booking.seats.length,
    })
  return reply(200, 'Paid', bookingView(booking))
}
