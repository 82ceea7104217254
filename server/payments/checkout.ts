// Decides whether a booking can be paid now, and where.
import type { Identity } from '../auth/access.ts'
import { getOwn } from '../bookings/readable.ts'
import type { Context } from '../context.ts'
import { invalid, Refusal, reply } from '../errors.ts'
import type { CheckoutView, Success } from '../protocol/http.ts'

interface CheckoutRequest {
  bookingId: string
  identity: Identity
  returnUrl: string | undefined
}

/** POST /payment/:bookingId/checkout. The sandbox's card page belongs to the web client. */
export async function checkOut(
  context: Context,
  { bookingId, identity, returnUrl }: CheckoutRequest,
): Promise<Success<CheckoutView>> {
  const { publicUrl } = context.config
  const booking = await getOwn(context, identity, bookingId)
  const isLate =
    booking.status === 'PENDING' && !booking.frozenSince && booking.expiresAt.getTime() <= Date.now()
  if (booking.status === 'EXPIRED' || isLate) throw new Refusal('booking_expired')
  if (booking.status !== 'PENDING') throw new Refusal('booking_not_pending')
  const url = new URL(`${publicUrl}/checkout/${booking.id}`)
  if (returnUrl !== undefined) url.searchParams.set('returnUrl', ownAddress(returnUrl, publicUrl))
  return reply(200, 'Ready to pay', {
    provider: context.config.paymentProvider,
    url: url.href,
    amount: { amount: booking.total, currency: booking.currency },
  })
}

/** An address of another site would make the card page an open redirect. */
function ownAddress(given: string, publicUrl: string): string {
  const address = URL.parse(given, publicUrl)
  if (address?.origin !== new URL(publicUrl).origin)
    throw invalid('/returnUrl', 'must be an address of this site')
  return address.href
}
