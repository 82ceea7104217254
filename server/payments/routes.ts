// Owns the payment routes (contract 3.5): checkout, confirm, the provider's word, refund.
import { Elysia } from 'elysia'
import { refundBooking } from '../../db/bookings/refund-booking.ts'
import { accessPlugin } from '../auth/access.ts'
import { gateOf } from '../bookings/gate.ts'
import { getOfOwnEvent } from '../bookings/readable.ts'
import { parseSeatIds } from '../bookings/seat-ids.ts'
import { bookingView } from '../bookings/view.ts'
import type { Context } from '../context.ts'
import { invalid, Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { answerOnce } from '../idempotency.ts'
import {
  BookingView,
  CheckoutBody,
  CheckoutView,
  ConfirmBody,
  ReceivedView,
  RefundBody,
} from '../protocol/http.ts'
import { requestIdOf } from '../request-id.ts'
import { checkOut } from './checkout.ts'
import { confirm } from './confirm.ts'
import { createWebhookDesk } from './webhook.ts'

export const paymentRoutes = (context: Context) => {
  const receive = createWebhookDesk(context)
  return new Elysia({ prefix: '/payment', normalize: false })
    .use(accessPlugin(context))
    .post(
      '/:bookingId/checkout',
      ({ request, params, body, identity, set }) =>
        answerOnce(context, { request, body, identity, set }, () =>
          checkOut(context, { bookingId: params.bookingId, identity, returnUrl: body?.returnUrl }),
        ),
      {
        body: CheckoutBody,
        access: 'user',
        detail: describe({
          summary: 'Where to pay a booking, and how much',
          description: 'Nothing is charged. `returnUrl` must be an address of this site.',
          tag: 'Payment',
          access: 'user',
          success: { status: 200, data: CheckoutView, description: 'The page to pay on.' },
          codes: ['not_found', 'booking_not_pending', 'booking_expired'],
          body: true,
          idempotent: true,
        }),
      },
    )
    .post(
      '/:bookingId/confirm',
      ({ request, params, body, identity, set }) =>
        answerOnce(context, { request, body, identity, set }, () =>
          confirm(context, {
            bookingId: params.bookingId,
            identity,
            method: body.method,
            requestId: requestIdOf(set),
          }),
        ),
      {
        body: ConfirmBody,
        access: 'payment:confirm:own',
        detail: describe({
          summary: 'Pay a booking',
          description:
            'CONFIRMED means paid and the seats SOLD. When the provider’s answer is lost the booking is answered still PENDING, and is settled without another request. Confirming twice answers the same; after a decline the hold stays.',
          tag: 'Payment',
          access: 'payment:confirm:own',
          success: { status: 200, data: BookingView, description: 'The booking as it is now.' },
          codes: ['not_found', 'booking_not_pending', 'booking_expired', 'payment_declined'],
          body: true,
          idempotent: true,
        }),
      },
    )
    .post(
      '/:bookingId/refund',
      ({ request, params, body, identity, set }) =>
        answerOnce(context, { request, body, identity, set }, async () => {
          const { id, eventId } = await getOfOwnEvent(context, identity, params.bookingId)
          const wanted = body.seatIds && parseSeatIds(body.seatIds)
          if (wanted && wanted.eventId !== eventId) throw new Refusal('not_found')
          const outcome = await refundBooking(gateOf(context), {
            bookingId: id,
            reason: body.reason,
            ...(wanted ? { seats: wanted.seats } : {}),
          })
          if (!outcome.ok)
            throw outcome.refusal === 'request_invalid'
              ? invalid('/seatIds', 'names a seat this booking does not have')
              : new Refusal(outcome.refusal)
          context.telemetry.bookingRefunded({ requestId: requestIdOf(set), eventId, bookingId: id })
          return reply(200, 'Refund on its way', bookingView(outcome.booking))
        }),
      {
        body: RefundBody,
        access: 'payment:refund:own',
        detail: describe({
          summary: 'Refund a booking of an own event',
          description:
            'All of it, or the seats in `seatIds`; their tickets end and the seats are on sale again. The money goes back by the provider shortly after.',
          tag: 'Payment',
          access: 'payment:refund:own',
          success: { status: 200, data: BookingView, description: 'The booking as it is now.' },
          codes: ['not_found', 'booking_not_pending'],
          body: true,
          idempotent: true,
        }),
      },
    )
    .post(
      '/webhook/:provider',
      ({ params, request, body, set }) =>
        receive({ provider: params.provider, headers: request.headers, body, requestId: requestIdOf(set) }),
      {
        // The signature is over what was sent, not over what it means.
        parse: ({ request }) => request.text(),
        detail: describe({
          summary: 'What a payment provider says',
          description:
            'Signed as Standard Webhooks has it: `webhook-id`, `webhook-timestamp` (at most five minutes off) and `webhook-signature`. It may come in any order and any number of times: the provider is asked what is true. `sandbox` is the only provider of this version; any other name is `not_found`.',
          tag: 'Payment',
          access: 'anyone',
          success: { status: 200, data: ReceivedView, description: 'Taken; it need not be sent again.' },
          codes: ['not_found', 'request_invalid', 'unauthenticated', 'body_too_large'],
        }),
      },
    )
}
