// Owns the ticket routes (contract 3.5): what a paid seat became, as a list and on paper.
import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { isId } from '../../db/events.ts'
import { findTicket, listTicketsOf, listTicketsOfBooking, type TicketRow } from '../../db/tickets.ts'
import { accessPlugin } from '../auth/access.ts'
import { getOwn } from '../bookings/readable.ts'
import type { Context } from '../context.ts'
import { invalid, Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { LIMITS } from '../protocol/codes.ts'
import { Page, PageQuery, TicketView } from '../protocol/http.ts'
import { ticketsPdf } from './pdf.ts'
import { scanRoutes } from './scan.ts'

const MineQuery = Type.Object(PageQuery, { additionalProperties: false })
const PDF_TYPE = 'application/pdf'
const PDF_ENDING = /\.pdf$/

export const ticketRoutes = (context: Context) =>
  new Elysia().use(ownTickets(context)).use(ofBooking(context)).use(scanRoutes(context))

const ownTickets = (context: Context) =>
  new Elysia({ prefix: '/ticket', normalize: false })
    .use(accessPlugin(context))
    .get(
      '/mine',
      async ({ query, identity }) => {
        const limit = query.limit ?? LIMITS.pageDefault
        const { cursor } = query
        if (cursor !== undefined && !isId(cursor)) throw invalid('/cursor', 'is not one of ours')
        const rows = await listTicketsOf(context.ledger.db, {
          accountId: identity.accountId,
          limit: limit + 1,
          ...(cursor === undefined ? {} : { cursor }),
        })
        const items = rows.slice(0, limit).map(ticketView)
        const nextCursor = rows.length > limit ? (items.at(-1)?.id ?? null) : null
        return reply(200, 'Your tickets', { items, nextCursor })
      },
      {
        query: MineQuery,
        access: 'booking:read:own',
        detail: describe({
          summary: 'My tickets, newest first',
          description:
            'Refunded tickets stay in the list, marked so; `code` is what the QR at the door says.',
          tag: 'Ticket',
          access: 'booking:read:own',
          success: { status: 200, data: Page(TicketView), description: 'A page of own tickets.' },
          codes: ['request_invalid'],
        }),
      },
    )
    .get(
      // The ending belongs to the parameter, for the router and in `params`; the document writes it as it is asked for.
      '/:id.pdf',
      async ({ params: { 'id.pdf': file }, identity }) => {
        const ticket = PDF_ENDING.test(file)
          ? await findTicket(context.ledger.db, file.replace(PDF_ENDING, ''))
          : null
        if (ticket?.accountId !== identity.accountId) throw new Refusal('not_found')
        return pdfOf([ticket])
      },
      {
        access: 'booking:read:own',
        detail: describe({
          summary: 'One ticket on paper',
          description: 'A refunded ticket has no paper.',
          tag: 'Ticket',
          access: 'booking:read:own',
          success: { status: 200, contentType: PDF_TYPE, description: 'A page with the ticket’s QR.' },
          codes: ['not_found'],
        }),
      },
    )

const ofBooking = (context: Context) =>
  new Elysia({ prefix: '/booking', normalize: false }).use(accessPlugin(context)).get(
    '/:id/tickets.pdf',
    async ({ params, identity }) => {
      const booking = await getOwn(context, identity, params.id)
      return pdfOf(await listTicketsOfBooking(context.ledger.db, booking))
    },
    {
      access: 'booking:read:own',
      detail: describe({
        summary: 'The tickets of a booking on paper',
        description: 'A page for each ticket that is valid; `not_found` while there is none.',
        tag: 'Ticket',
        access: 'booking:read:own',
        success: { status: 200, contentType: PDF_TYPE, description: 'A page a ticket, in map order.' },
        codes: ['not_found'],
      }),
    },
  )

async function pdfOf(tickets: TicketRow[]): Promise<Response> {
  const valid = tickets.filter(({ status }) => status === 'VALID')
  if (valid.length === 0) throw new Refusal('not_found')
  return new Response(await ticketsPdf(valid), {
    headers: {
      'content-type': PDF_TYPE,
      'content-disposition': 'inline; filename="tickets.pdf"',
      // A browser's reader of PDFs may load its own parts; nobody else's page may show it.
      'content-security-policy': "frame-ancestors 'none'",
    },
  })
}

function ticketView({
  accountId: _buyer,
  tier: _tier,
  usedGate: _gate,
  startsAt,
  usedAt,
  ...row
}: TicketRow): TicketView {
  return { ...row, startsAt: startsAt.toISOString(), usedAt: usedAt?.toISOString() ?? null }
}
