// Owns the door's questions (contract 3.5): does this code let its holder in, and how many came in?
import { Elysia } from 'elysia'
import { isId } from '../../db/events.ts'
import { countAdmissions, scanTicket } from '../../db/scan-ticket.ts'
import type { TicketRow } from '../../db/tickets.ts'
import { accessPlugin } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { requireInstant } from '../instant.ts'
import { AdmissionsQuery, AdmissionsView, ScanBody, ScanView } from '../protocol/http.ts'

export const scanRoutes = (context: Context) =>
  new Elysia().use(scanRoute(context)).use(admissionsRoute(context))

const scanRoute = (context: Context) =>
  new Elysia({ prefix: '/ticket', normalize: false }).use(accessPlugin(context)).post(
    '/scan',
    async ({ body }) => {
      const { eventId } = body
      if (eventId !== undefined && !isId(eventId)) throw new Refusal('not_found')
      const { result, ticket } = await scanTicket(context.ledger.db, body)
      return reply(200, SENTENCES[result], { result, ticket: ticket && doorView(ticket) })
    },
    {
      body: ScanBody,
      access: 'ticket:scan',
      detail: describe({
        summary: 'Scan a ticket at the door',
        description:
          'Only `admitted` opens the door, and of any number of scans of one code, at any doors at once, exactly one is told so. ' +
          '`already_used` says when and at which `gate`. With `eventId` the door belongs to one event, and another’s ticket is `wrong_event`. ' +
          'A scan whose answer was lost is `already_used` when asked again: `usedAt` tells that it was this one.',
        tag: 'Ticket',
        access: 'ticket:scan',
        success: { status: 200, data: ScanView, description: 'What the door is to do.' },
        codes: ['not_found'],
        body: true,
      }),
    },
  )

const admissionsRoute = (context: Context) =>
  new Elysia({ prefix: '/ticket', normalize: false }).use(accessPlugin(context)).get(
    '/admissions',
    async ({ query: { eventId, since, gate } }) => {
      if (!isId(eventId)) throw new Refusal('not_found')
      const counts = await countAdmissions(context.ledger.db, {
        eventId,
        since: requireInstant('/since', since),
        gate,
      })
      return reply(200, 'Let in', counts)
    },
    {
      query: AdmissionsQuery,
      access: 'ticket:scan',
      detail: describe({
        summary: 'How many were let in',
        description:
          'To one event since a moment, such as this morning: by every door, and by the named one.',
        tag: 'Ticket',
        access: 'ticket:scan',
        success: { status: 200, data: AdmissionsView, description: 'The counts.' },
        codes: ['not_found', 'request_invalid'],
      }),
    },
  )

const SENTENCES: Record<ScanView['result'], string> = {
  admitted: 'Welcome',
  already_used: 'Somebody came in with this ticket before',
  invalid: 'No such ticket',
  wrong_event: 'This ticket is for another event',
  refunded: 'This ticket was refunded',
}

function doorView({ id, eventId, eventName, section, row, number, tier, usedAt, usedGate }: TicketRow) {
  return {
    id,
    eventId,
    eventName,
    section,
    row,
    number,
    tier,
    usedAt: usedAt?.toISOString() ?? null,
    gate: usedGate,
  }
}
