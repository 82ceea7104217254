// Owns the routes that list seats, make them in bulk, and take them off sale or put them back.
import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { settleAfterCommit } from '../../db/bookings/gate.ts'
import { patchSeats } from '../../db/patch-seats.ts'
import { createSeats, listSeats } from '../../db/seats.ts'
import { accessPlugin, type Identity } from '../auth/access.ts'
import { gateOf } from '../bookings/gate.ts'
import { seatCursor } from '../bookings/pages.ts'
import { parseSeatIds, seatIdOf } from '../bookings/seat-ids.ts'
import type { Context } from '../context.ts'
import { invalid, Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { answerOnce } from '../idempotency.ts'
import { LIMITS } from '../protocol/codes.ts'
import { CreatedView, CreateSeatsBody, Page, PatchSeatsBody, SeatsQuery, SeatView } from '../protocol/http.ts'
import { cancelled, invalidRequest } from './event-input.ts'
import { getManaged, getVisible } from './owned.ts'
import { seatView } from './views.ts'

const ChangedView = Type.Object({ changed: Type.Integer() })

export const seatRoutes = (context: Context) =>
  new Elysia({ normalize: false })
    .use(accessPlugin(context))
    .get(
      '/:eventId/seats',
      async ({ params, query: { cursor, limit = LIMITS.pageDefault, ...filter }, visitor }) => {
        const { event } = await getVisible(context, visitor, params.eventId)
        const page = { eventId: event.id, limit: limit + 1, afterN: seatCursor(cursor) }
        const rows = await listSeats(context.ledger.db, { ...filter, ...page })
        const items = rows.slice(0, limit).map((seat) => seatView(event, seat))
        const nextCursor = rows.length > limit ? String(items.at(-1)?.n) : null
        return reply(200, 'Seats', { items, nextCursor })
      },
      {
        query: SeatsQuery,
        visitor: true,
        detail: describe({
          summary: 'Seats in map order',
          tag: 'Event',
          access: 'anyone',
          success: { status: 200, data: Page(SeatView), description: 'A page of seats.' },
          codes: ['not_found', 'request_invalid'],
        }),
      },
    )
    .post(
      '/:eventId/seats',
      ({ params, body, identity, request, set }) =>
        answerOnce(context, { request, body, identity, set }, async () => {
          const { id } = await getManaged(context, identity, params.eventId)
          const outcome = await createSeats(context.ledger.db, id, body.sections)
          if (!outcome.ok) {
            if (outcome.refusal === 'request_invalid') throw invalidRequest(outcome.problems)
            throw outcome.refusal === 'event_not_on_sale' ? cancelled() : new Refusal(outcome.refusal)
          }
          if (outcome.created > 0) await context.availability.changed(id)
          return reply(201, 'Seats created', { created: outcome.created })
        }),
      {
        body: CreateSeatsBody,
        access: 'seat:manage:own',
        detail: describe({
          summary: 'Create sections with their seats, in bulk',
          description:
            'All or none, up to 200,000 seats an event. Rows are labelled A … Z, AA … unless `rowLabels` names them; `odd-even` puts odd numbers left of the middle and even ones right. A section with `capacity` has places without row or number. `access` names, row by row and by their numbers as printed, the seats kept for people who need an accessible seat and those beside them for who comes along. Repeating a request creates nothing; a section or tier that exists differently is `request_invalid`.',
          tag: 'Event',
          access: 'seat:manage:own',
          success: { status: 201, data: CreatedView, description: 'How many seats are new.' },
          codes: ['not_found', 'event_not_on_sale'],
          body: true,
          idempotent: true,
        }),
      },
    )
    .patch(
      '/:eventId/seats',
      async ({ params, body, identity }) => {
        const changed = await patchAndTell(context, identity, params.eventId, body)
        return reply(200, PATCHED[body.status ?? 'access'], { changed })
      },
      {
        body: PatchSeatsBody,
        access: 'seat:manage:own',
        detail: describe({
          summary: 'Take seats off sale, put them back, or say whom they are kept for',
          description:
            'All or none. `status`: `seat_taken` names the seats that are reserved or sold; seats that already have the status count as done. `access`: `accessible` and `companion` seats are never chosen for who does not ask for them; `standard` releases them to everybody, and only this does. It may change whatever the seat’s status, and makes a new version of the map.',
          tag: 'Event',
          access: 'seat:manage:own',
          success: { status: 200, data: ChangedView, description: 'How many seats changed.' },
          codes: ['not_found', 'seat_taken'],
          body: true,
        }),
      },
    )

const PATCHED = {
  BLOCKED: 'Seats blocked',
  AVAILABLE: 'Seats back on sale',
  access: 'Seats marked',
}

/** How many seats are not as they were. */
async function patchAndTell(
  context: Context,
  identity: Identity,
  eventId: string,
  { seatIds, ...change }: PatchSeatsBody,
): Promise<number> {
  if (!change.status && !change.access) throw invalid('/', 'status or access must be given')
  const { id } = await getManaged(context, identity, eventId)
  const wanted = parseSeatIds(seatIds)
  if (wanted.eventId !== id) throw invalid('/seatIds', 'seats of this event only')
  const outcome = await patchSeats(context.ledger.db, { eventId: id, seats: wanted.seats, ...change })
  if (outcome.ok) {
    const { changed, marked } = outcome
    await settleAfterCommit(
      gateOf(context),
      changed.map((seat) => ({ eventId: id, ...seat })),
    )
    if (marked > 0) await context.availability.changed(id)
    return Math.max(changed.length, marked)
  }
  if (outcome.refusal === 'not_found') throw new Refusal('not_found')
  if (outcome.refusal === 'request_invalid')
    throw invalid('/seatIds', 'places of a general area cannot be kept for anybody')
  throw new Refusal('seat_taken', { details: { seatIds: outcome.seats.map((n) => seatIdOf(id, n)) } })
}
