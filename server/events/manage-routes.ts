// Owns the routes by which organisers make, change, publish, cancel and delete their events.
import { Elysia } from 'elysia'
import { cancelEvent, createEvent, deleteEvent, publishEvent, updateEvent } from '../../db/events.ts'
import { accessPlugin, type Identity } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { answerOnce } from '../idempotency.ts'
import { CreateEventBody, EventView, UpdateEventBody } from '../protocol/http.ts'
import { eventChange, eventOf, newEventFields } from './event-input.ts'
import { getManaged } from './owned.ts'
import { describeEvent } from './read-events.ts'

const CANCELLED_REFUSES = '`event_not_on_sale`: the event is cancelled, and nothing of it changes any more.'

const booked = () =>
  new Refusal('seat_taken', { message: 'Seats of this event were booked; cancel it instead.' })

export function manageRoutes(context: Context) {
  const { db } = context.ledger

  /** Tells every server what changed of the event, and answers with how it is now. */
  async function changed(identity: Identity, event: ReturnType<typeof eventOf>) {
    await context.availability.changed(event.id)
    // The line keeps its own copy of status and sale start; with Redis away it reads them when it is back.
    await context.room.configure(event.id).catch(() => {})
    return describeEvent(context, identity, event)
  }

  return new Elysia({ normalize: false })
    .use(accessPlugin(context))
    .post(
      '/',
      ({ body, identity, request, set }) =>
        answerOnce(context, { request, body, identity, set }, async () => {
          const made = await createEvent(db, { ownerId: identity.accountId, ...newEventFields(body) })
          return reply(201, 'Event created', await describeEvent(context, identity, eventOf(made)))
        }),
      {
        body: CreateEventBody,
        access: 'event:create',
        detail: describe({
          summary: 'Create an event',
          description:
            'A DRAFT owned by the caller. `startsAt` lies in the future, `onSaleAt` before it (left out: on sale once published), `timeZone` is an IANA name, `currency` is of ISO 4217. A limit left out follows the one that is given.',
          tag: 'Event',
          access: 'event:create',
          success: { status: 201, data: EventView, description: 'The draft.' },
          body: true,
          idempotent: true,
        }),
      },
    )
    .patch(
      '/:eventId',
      async ({ params, body, identity }) => {
        const { id } = await getManaged(context, identity, params.eventId)
        const outcome = await updateEvent(db, id, eventChange(body))
        return reply(200, 'Event changed', await changed(identity, eventOf(outcome)))
      },
      {
        body: UpdateEventBody,
        access: 'event:update:own',
        detail: describe({
          summary: 'Change an event',
          description: `The currency is fixed once the event is published; \`maxSeatsPerBuyer\` never falls below what a buyer already has. ${CANCELLED_REFUSES}`,
          tag: 'Event',
          access: 'event:update:own',
          success: { status: 200, data: EventView, description: 'The event as it is now.' },
          codes: ['not_found', 'event_not_on_sale'],
          body: true,
        }),
      },
    )
    .delete(
      '/:eventId',
      async ({ params, identity }) => {
        const { id } = await getManaged(context, identity, params.eventId)
        const outcome = await deleteEvent(db, id)
        if (!outcome.ok) throw outcome.refusal === 'seat_taken' ? booked() : new Refusal(outcome.refusal)
        await context.availability.changed(id)
        return reply(200, 'Event deleted', { id })
      },
      {
        access: 'event:delete:own',
        detail: describe({
          summary: 'Delete an event that nobody booked',
          description: '`seat_taken`: somebody booked seats of it, be it long ago; cancel the event instead.',
          tag: 'Event',
          access: 'event:delete:own',
          success: { status: 200, description: 'The event and its seats are gone.' },
          codes: ['not_found', 'seat_taken', 'origin_refused'],
        }),
      },
    )
    .post(
      '/:eventId/publish',
      async ({ params, identity }) => {
        const { id } = await getManaged(context, identity, params.eventId)
        return reply(200, 'Event published', await changed(identity, eventOf(await publishEvent(db, id))))
      },
      {
        access: 'event:update:own',
        detail: describe({
          summary: 'Publish an event',
          description: `Needs at least one seat and a start in the future; publishing twice changes nothing. ${CANCELLED_REFUSES}`,
          tag: 'Event',
          access: 'event:update:own',
          success: { status: 200, data: EventView, description: 'The event is PUBLISHED.' },
          codes: ['not_found', 'request_invalid', 'event_not_on_sale', 'origin_refused'],
        }),
      },
    )
    .post(
      '/:eventId/cancel',
      async ({ params, identity }) => {
        const { id } = await getManaged(context, identity, params.eventId)
        return reply(200, 'Event cancelled', await changed(identity, eventOf(await cancelEvent(db, id))))
      },
      {
        access: 'event:update:own',
        detail: describe({
          summary: 'Cancel an event and refund everyone',
          description:
            'The sale ends at once. Confirmed bookings are refunded and unpaid ones released in the background, in batches that survive a restart. Cancelling twice changes nothing.',
          tag: 'Event',
          access: 'event:update:own',
          success: { status: 200, data: EventView, description: 'The event is CANCELLED.' },
          codes: ['not_found', 'origin_refused'],
        }),
      },
    )
}
