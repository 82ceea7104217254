// Owns the booking routes (contract 3.4): seats held, listed, read and released.
import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { extendBooking, type ExtendOutcome } from '../../db/bookings/extend-booking.ts'
import { listBookingsOf } from '../../db/bookings/read-bookings.ts'
import { releaseBooking } from '../../db/bookings/release-booking.ts'
import { accessPlugin, type Identity } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { REVALIDATE, sendEncoded } from '../events/bytes.ts'
import { describe } from '../http-docs.ts'
import { answerOnce, type Exchange } from '../idempotency.ts'
import type { ErrorCode } from '../protocol/codes.ts'
import { requestIdOf } from '../request-id.ts'
import {
  BestBookingBody,
  BookingView,
  CreateBookingBody,
  Page,
  PageQuery,
  SeatView,
} from '../protocol/http.ts'
import { holdBest } from './best/best.ts'
import { gateOf } from './gate.ts'
import { hold } from './hold.ts'
import { availableListOf, listManaged } from './list.ts'
import { pageOf, viewPage } from './pages.ts'
import { getOwn, getReadable } from './readable.ts'
import { bookingView } from './view.ts'

const BookingsQuery = Type.Object(
  {
    eventId: Type.Optional(Type.String({ maxLength: 64 })),
    scope: Type.Optional(Type.Literal('all')),
    ...PageQuery,
  },
  { additionalProperties: false },
)
const MineQuery = Type.Object(PageQuery, { additionalProperties: false })

export const bookingRoutes = (context: Context) => {
  const available = availableListOf(context)
  return new Elysia({ prefix: '/booking', normalize: false })
    .use(accessPlugin(context))
    .get(
      '/',
      async ({ query, visitor, request, set }) => {
        if (query.scope === 'all') return reply(200, 'Bookings', await listManaged(context, visitor, query))
        return sendEncoded({ request, set }, await available.get(query), REVALIDATE)
      },
      {
        query: BookingsQuery,
        visitor: true,
        detail: describe({
          summary: 'Available seats of an event, or the bookings of own events',
          description:
            'Without `scope`, seats that can be had now; `eventId` is required while more than one event is on sale. ' +
            'With `scope=all`, bookings instead, for who has `booking:read:all`: those of own events, or of every event for an administrator.',
          tag: 'Booking',
          access: 'anyone',
          success: {
            status: 200,
            data: Type.Union([Page(SeatView), Page(BookingView)]),
            description: 'A page of seats, or of bookings.',
          },
          codes: ['request_invalid', 'not_found', 'unauthenticated', 'token_expired', 'permission_denied'],
        }),
      },
    )
    .post(
      '/',
      (exchange) =>
        answerOnce(context, exchange, (once) =>
          hold(context, { ...holderOf(exchange), body: exchange.body }, once),
        ),
      {
        body: CreateBookingBody,
        ...holding({
          summary: 'Hold seats for a while',
          description:
            'Exactly one of `seatId` and `seatIds`; all seats of one event, all or none. The booking stays PENDING until it is paid or `expiresAt` has passed.',
        }),
      },
    )
    .post(
      '/best',
      (exchange) =>
        answerOnce(context, exchange, (once) =>
          holdBest(context, { ...holderOf(exchange), body: exchange.body }, once),
        ),
      {
        body: BestBookingBody,
        ...holding({
          summary: 'Hold the best seats that are free',
          description:
            'Next to each other unless `together` is false, as near to the middle of the stage as there are, and never leaving a single seat alone where that can be avoided. In a general area any places.',
          codes: ['sold_out', 'seats_not_together'],
        }),
      },
    )
    .get(
      '/mine',
      async ({ query, identity }) => {
        const page = await listBookingsOf(context.ledger.db, {
          accountId: identity.accountId,
          ...pageOf(query),
        })
        return reply(200, 'Your bookings', viewPage(page))
      },
      {
        query: MineQuery,
        access: 'booking:read:own',
        detail: describe({
          summary: 'My bookings, newest first',
          tag: 'Booking',
          access: 'booking:read:own',
          success: { status: 200, data: Page(BookingView), description: 'A page of own bookings.' },
          codes: ['request_invalid'],
        }),
      },
    )
    .get(
      '/:id',
      async ({ params, identity }) =>
        reply(200, 'Booking', bookingView(await getReadable(context, identity, params.id))),
      {
        access: 'booking:read:own',
        detail: describe({
          summary: 'One booking with its timeline',
          description:
            'Own bookings; with `booking:read:all` those of own events too, and any for an administrator.',
          tag: 'Booking',
          access: 'booking:read:own',
          success: { status: 200, data: BookingView, description: 'The booking.' },
          codes: ['not_found'],
        }),
      },
    )
    .post(
      '/:id/extend',
      async ({ params, identity, set }) => {
        const { id, eventId } = await getOwn(context, identity, params.id)
        const outcome = await extendBooking(gateOf(context), {
          bookingId: id,
          accountId: identity.accountId,
        })
        if (!outcome.ok) throw refusedExtension(outcome.refusal)
        context.telemetry.bookingExtended({ requestId: requestIdOf(set), eventId, bookingId: id })
        return reply(200, 'Hold extended', bookingView(outcome.booking))
      },
      {
        access: 'booking:create:own',
        detail: describe({
          summary: 'More time to pay, once',
          description:
            'The hold ends five minutes later, or as much later as the hold was long if that is less, while the event is on sale and has not begun.',
          tag: 'Booking',
          access: 'booking:create:own',
          success: { status: 200, data: BookingView, description: 'The booking with its new `expiresAt`.' },
          codes: [
            'not_found',
            'booking_not_pending',
            'booking_expired',
            'event_not_on_sale',
            'origin_refused',
          ],
        }),
      },
    )
    .delete(
      '/:id',
      async ({ params, identity, set }) => {
        const { id, eventId } = await getOwn(context, identity, params.id)
        const outcome = await releaseBooking(gateOf(context), {
          bookingId: id,
          accountId: identity.accountId,
        })
        if (!outcome.ok) throw new Refusal(outcome.refusal)
        if (!outcome.already)
          context.telemetry.bookingReleased({ requestId: requestIdOf(set), eventId, bookingId: id })
        return reply(200, 'Seats released', bookingView(outcome.booking))
      },
      {
        access: 'booking:cancel:own',
        detail: describe({
          summary: 'Release the seats of an unpaid booking',
          description: 'Releasing twice answers the same.',
          tag: 'Booking',
          access: 'booking:cancel:own',
          success: { status: 200, data: BookingView, description: 'The booking is CANCELLED.' },
          codes: ['not_found', 'booking_not_pending', 'booking_expired', 'origin_refused'],
        }),
      },
    )
}

/** Who holds, whichever way the seats are named. */
const holderOf = ({ request, identity, set }: Exchange & { identity: Identity }) => ({
  identity,
  requestId: requestIdOf(set),
  pass: request.headers.get('x-admission-pass') ?? undefined,
})

/** What the routes that hold seats have in common. */
const holding = (own: { summary: string; description: string; codes?: ErrorCode[] }) => ({
  access: 'booking:create:own' as const,
  detail: describe({
    ...own,
    tag: 'Booking',
    access: 'booking:create:own',
    success: { status: 201, data: BookingView, description: 'The seats are held.' },
    codes: [
      'not_found',
      'seat_taken',
      'seat_locked',
      'event_not_on_sale',
      'seats_too_many',
      'buyer_limit_reached',
      ...(own.codes ?? []),
    ],
    body: true,
    pass: true,
    idempotent: true,
  }),
})

type ExtendRefusal = Extract<ExtendOutcome, { ok: false }>['refusal']
const refusedExtension = (refusal: ExtendRefusal) =>
  refusal === 'already_extended'
    ? new Refusal('booking_not_pending', { message: 'This hold was extended once already.' })
    : new Refusal(refusal)
