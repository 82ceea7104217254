// Owns the routes that change or take away a draft's sections, and rename or reprice its tiers.
import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { settleAfterCommit } from '../../db/bookings/gate.ts'
import { editSection, editTier, type EditOutcome } from '../../db/edit-sections.ts'
import { forgetSeats } from '../../db/seat-gate/forget-seats.ts'
import { accessPlugin } from '../auth/access.ts'
import { gateOf } from '../bookings/gate.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { SectionBody, SectionQuery, TierChangeBody, TierQuery } from '../protocol/http.ts'
import { cancelled, invalidRequest } from './event-input.ts'
import { getManaged } from './owned.ts'

const HouseView = Type.Object({ total: Type.Integer(), mapVersion: Type.Integer() })
const DRAFT_ONLY =
  'Only in a draft: a published map stays as buyers saw it (`request_invalid`), and so does that of an event somebody booked, be it long ago (`seat_taken`).'
const edits = {
  tag: 'Event',
  access: 'seat:manage:own',
  success: { status: 200, data: HouseView, description: 'All seats, and the map’s new version.' },
} as const

export const sectionRoutes = (context: Context) =>
  new Elysia({ normalize: false })
    .use(accessPlugin(context))
    .put(
      '/:eventId/sections',
      async ({ params, query, body, identity }) => {
        const { id } = await getManaged(context, identity, params.eventId)
        const outcome = await editSection(context.ledger.db, id, query.section, body)
        return reply(200, 'Section changed', await edited(context, id, outcome))
      },
      {
        query: SectionQuery,
        body: SectionBody,
        access: 'seat:manage:own',
        detail: describe({
          ...edits,
          summary: 'Change a section of a draft',
          description: `The section named by \`section\` becomes what the body says, in its place; the seats behind it move up or down in map order. What was off sale or kept for somebody stays so where row and number still exist. A tier no section uses any more is gone, so that its name may come back at another price. ${DRAFT_ONLY}`,
          codes: ['not_found', 'seat_taken', 'event_not_on_sale'],
          body: true,
        }),
      },
    )
    .delete(
      '/:eventId/sections',
      async ({ params, query, identity }) => {
        const { id } = await getManaged(context, identity, params.eventId)
        const outcome = await editSection(context.ledger.db, id, query.section, null)
        return reply(200, 'Section removed', await edited(context, id, outcome))
      },
      {
        query: SectionQuery,
        access: 'seat:manage:own',
        detail: describe({
          ...edits,
          summary: 'Take a section of a draft away',
          description: `Its seats are gone and those behind it move up in map order; a tier no section uses any more is gone too. ${DRAFT_ONLY}`,
          codes: ['not_found', 'seat_taken', 'request_invalid', 'event_not_on_sale', 'origin_refused'],
        }),
      },
    )
    .patch(
      '/:eventId/tiers',
      async ({ params, query, body, identity }) => {
        const { id } = await getManaged(context, identity, params.eventId)
        const outcome = await editTier(context.ledger.db, id, query.tier, body)
        return reply(200, 'Tier changed', await edited(context, id, outcome))
      },
      {
        query: TierQuery,
        body: TierChangeBody,
        access: 'seat:manage:own',
        detail: describe({
          ...edits,
          summary: 'Rename a tier of a draft, or change its price',
          description: `For every section that uses it. ${DRAFT_ONLY}`,
          codes: ['not_found', 'seat_taken', 'event_not_on_sale'],
          body: true,
        }),
      },
    )

/** Tells every server what is new, and answers with it; throws what was refused. */
async function edited(context: Context, eventId: string, outcome: EditOutcome) {
  if (!outcome.ok) {
    if (outcome.refusal === 'request_invalid') throw invalidRequest(outcome.problems)
    if (outcome.refusal === 'event_not_on_sale') throw cancelled()
    if (outcome.refusal === 'seat_taken')
      throw new Refusal('seat_taken', { message: 'Seats of this event were booked; its map stays.' })
    throw new Refusal(outcome.refusal)
  }
  const { total, mapVersion, settled, gone } = outcome
  const gate = gateOf(context)
  await settleAfterCommit(
    gate,
    settled.map((seat) => ({ eventId, ...seat })),
  )
  await forgetSeats(gate.redis, eventId, gone).catch((fault: unknown) =>
    gate.onFault?.('settle_failed', fault),
  )
  await context.availability.changed(eventId)
  return { total, mapVersion }
}
