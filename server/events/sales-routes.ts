// Owns the routes by which an organiser watches the sale: live counts and the list of sold seats.
import { Elysia } from 'elysia'
import { eventStats } from '../../db/event-sales.ts'
import { accessPlugin } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { EventStatsView, SaleHistoryView } from '../protocol/http.ts'
import { getManaged } from './owned.ts'
import { roomFunnel } from './room-figures.ts'
import { SAMPLE_EVERY_SECONDS } from './sale-history.ts'
import { salesCsv } from './sales-csv.ts'

export const salesRoutes = (context: Context) =>
  new Elysia({ normalize: false })
    .use(accessPlugin(context))
    .get(
      '/:eventId/stats',
      async ({ params, identity }) => {
        const event = await getManaged(context, identity, params.eventId)
        return reply(200, 'Sale', await readStats(context, event))
      },
      {
        access: 'event:stats:own',
        detail: describe({
          summary: 'Live counts, revenue and funnel',
          description:
            'Revenue is what was captured less what was refunded. The funnel counts accounts: who joined the room, was admitted, held seats, paid. `attempts` counts requests to reserve, of all servers: `conflicts / total` is the share that met a seat somebody else has.',
          tag: 'Event',
          access: 'event:stats:own',
          success: { status: 200, data: EventStatsView, description: 'The sale at this moment.' },
          codes: ['not_found'],
        }),
      },
    )
    .get(
      '/:eventId/stats/history',
      async ({ params, identity }) => {
        const { id } = await getManaged(context, identity, params.eventId)
        context.saleHistory.follow(id)
        const items = await context.saleHistory.read(id)
        return reply(200, 'The minutes behind', { everySeconds: SAMPLE_EVERY_SECONDS, items })
      },
      {
        access: 'event:stats:own',
        detail: describe({
          summary: 'The curve of the sale',
          description:
            'A sample every few seconds while seats are asked for or somebody watches, of the last hour at most. A gap is a time nobody looked.',
          tag: 'Event',
          access: 'event:stats:own',
          success: { status: 200, data: SaleHistoryView, description: 'The samples, the oldest first.' },
          codes: ['not_found'],
        }),
      },
    )
    .get(
      '/:eventId/sales.csv',
      async ({ params, identity, set }) => {
        const { id } = await getManaged(context, identity, params.eventId)
        set.headers['content-type'] = 'text/csv; charset=utf-8'
        set.headers['content-disposition'] = `attachment; filename="sales-${id}.csv"`
        return new Response(salesCsv(context, id))
      },
      {
        access: 'event:stats:own',
        detail: describe({
          summary: 'One line a sold seat',
          description: 'Prices are in minor units of the currency.',
          tag: 'Event',
          access: 'event:stats:own',
          success: { status: 200, contentType: 'text/csv', description: 'The sold seats in map order.' },
          codes: ['not_found'],
        }),
      },
    )

async function readStats(context: Context, event: { id: string; currency: string }): Promise<EventStatsView> {
  context.saleHistory.follow(event.id)
  const [{ seats, bookings, revenue, funnel }, room, attempts] = await Promise.all([
    context.staleReads.report((db) => eventStats(db, event.id)),
    roomFunnel(context, event.id),
    context.saleTally.read(event.id),
  ])
  const total = seats.AVAILABLE + seats.RESERVED + seats.SOLD + seats.BLOCKED
  return {
    seats: {
      total,
      available: seats.AVAILABLE,
      reserved: seats.RESERVED,
      sold: seats.SOLD,
      blocked: seats.BLOCKED,
    },
    bookings: {
      pending: bookings.PENDING,
      confirmed: bookings.CONFIRMED,
      expired: bookings.EXPIRED,
      cancelled: bookings.CANCELLED,
      refunded: bookings.REFUNDED,
    },
    revenue: { amount: revenue, currency: event.currency },
    funnel: { joined: room.joined, admitted: room.admitted, ...funnel },
    attempts,
  }
}
