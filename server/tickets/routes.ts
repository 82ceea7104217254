// Owns the ticket routes (contract 3.5): what a paid seat became.
import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { isId } from '../../db/events.ts'
import { listTicketsOf, type TicketRow } from '../../db/tickets.ts'
import { accessPlugin } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { invalid, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { LIMITS } from '../protocol/codes.ts'
import { Page, PageQuery, TicketView } from '../protocol/http.ts'

const MineQuery = Type.Object(PageQuery, { additionalProperties: false })

export const ticketRoutes = (context: Context) =>
  new Elysia({ prefix: '/ticket', normalize: false }).use(accessPlugin(context)).get(
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
        description: 'Refunded tickets stay in the list, marked so; `code` is what the QR at the door says.',
        tag: 'Ticket',
        access: 'booking:read:own',
        success: { status: 200, data: Page(TicketView), description: 'A page of own tickets.' },
        codes: ['request_invalid'],
      }),
    },
  )

function ticketView({ accountId: _buyer, tier: _tier, startsAt, ...row }: TicketRow): TicketView {
  return { ...row, startsAt: startsAt.toISOString() }
}
