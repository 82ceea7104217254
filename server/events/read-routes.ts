// Owns the routes that show events, their map and their availability to anyone.
import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { accessPlugin } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { AvailabilityView, EventSummary, EventView, MapView, Page, PageQuery } from '../protocol/http.ts'
import { encodedAvailability } from './availability-answers.ts'
import { REVALIDATE, sendEncoded } from './bytes.ts'
import { createMaps } from './maps.ts'
import { getVisible } from './owned.ts'
import { createEventReader, listEvents } from './read-events.ts'

/** A map asked for by its version never changes; one asked for without may be replaced at any time. */
const IMMUTABLE = 'public, max-age=31536000, immutable'
/** Of a draft, which is its owner's alone. */
const PRIVATE = 'private, no-store'

const EventsQuery = Type.Object(
  { mine: Type.Optional(Type.Union([Type.Literal('true'), Type.Literal('false')])), ...PageQuery },
  { additionalProperties: false },
)
const MapQuery = Type.Object(
  { v: Type.Optional(Type.Number({ minimum: 0, multipleOf: 1, description: 'the event’s mapVersion' })) },
  { additionalProperties: false },
)

export function readRoutes(context: Context) {
  const maps = createMaps(context)
  const readEvent = createEventReader(context)
  return new Elysia({ normalize: false })
    .use(accessPlugin(context))
    .get(
      '/',
      async ({ query: { mine, ...page }, visitor }) => {
        if (mine !== 'true') return reply(200, 'Events', await listEvents(context, visitor, page))
        if (!visitor) throw new Refusal('unauthenticated')
        return reply(200, 'Your events', await listEvents(context, visitor, page, visitor.accountId))
      },
      {
        query: EventsQuery,
        visitor: true,
        detail: describe({
          summary: 'Published events, soonest first',
          description:
            'An event leaves the list a day after its start. With `mine=true` an organiser’s own events instead, drafts and cancelled ones among them.',
          tag: 'Event',
          access: 'anyone',
          success: {
            status: 200,
            data: Page(EventSummary),
            description: 'A page of events; it may be empty.',
          },
          codes: ['request_invalid', 'unauthenticated'],
        }),
      },
    )
    .get(
      '/:eventId',
      async ({ params, visitor }) => reply(200, 'Event', await readEvent(visitor, params.eventId)),
      {
        visitor: true,
        detail: describe({
          summary: 'One event with tiers, sections, sale window and limits',
          description: 'A draft is shown to its owner only.',
          tag: 'Event',
          access: 'anyone',
          success: { status: 200, data: EventView, description: 'The event.' },
          codes: ['not_found'],
        }),
      },
    )
    .get(
      '/:eventId/map',
      async ({ params, query, visitor, request, set }) => {
        const { event } = await getVisible(context, visitor, params.eventId)
        const map = await maps.get(event.id, event.mapVersion)
        const fixed = query.v === map.mapVersion ? IMMUTABLE : REVALIDATE
        return sendEncoded({ request, set }, map.encoded, event.status === 'DRAFT' ? PRIVATE : fixed)
      },
      {
        query: MapQuery,
        visitor: true,
        detail: describe({
          summary: 'Where the seats lie, by index',
          description:
            'Asked for with `v` = the event’s `mapVersion` the answer is immutable and may be cached for ever. `If-None-Match` is answered with 304. Lengths are in seat pitches, y grows away from the stage.',
          tag: 'Event',
          access: 'anyone',
          success: { status: 200, data: MapView, description: 'The map.' },
          codes: ['not_found', 'request_invalid'],
        }),
      },
    )
    .get(
      '/:eventId/availability',
      async ({ params, visitor, request, set }) => {
        const { event, memory } = await getVisible(context, visitor, params.eventId)
        const cacheControl = event.status === 'DRAFT' ? PRIVATE : REVALIDATE
        return sendEncoded({ request, set }, encodedAvailability(memory), cacheControl)
      },
      {
        visitor: true,
        detail: describe({
          summary: 'The status of every seat, two bits each',
          description:
            '`status` is base64; seat n is at bits 2(n mod 4) of byte ⌊n/4⌋: 0 AVAILABLE, 1 RESERVED, 2 SOLD, 3 BLOCKED. The socket’s `watch` streams what changes after `version`.',
          tag: 'Event',
          access: 'anyone',
          success: { status: 200, data: AvailabilityView, description: 'The availability, from memory.' },
          codes: ['not_found'],
        }),
      },
    )
}
