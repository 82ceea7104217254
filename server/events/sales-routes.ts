// Owns the routes by which an organiser watches the sale: live counts and the list of sold seats.
import { Elysia } from 'elysia'
import { eventStats } from '../../db/event-sales.ts'
import { accessPlugin } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { EventStatsView } from '../protocol/http.ts'
import { getManaged } from './owned.ts'
import { roomFunnel } from './room-figures.ts'
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
            'Revenue is what was captured less what was refunded. The funnel counts accounts: who joined the room, was admitted, held seats, paid.',
          tag: 'Event',
          access: 'event:stats:own',
          success: { status: 200, data: EventStatsView, description: 'The sale at this moment.' },
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
  const [{ seats, bookings, revenue, funnel }, room] = await Promise.all([
    eventStats(context.ledger.db, event.id),
    roomFunnel(context, event.id),
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
  }
}
