// Owns what whoever runs the room reads of it beside the figures: the log of its steps, and the line as a list.
import { Elysia } from 'elysia'
import { accessPlugin } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { LIMITS } from '../protocol/codes.ts'
import { Page } from '../protocol/http.ts'
import { StepsQuery, StepView } from '../protocol/room-desk.ts'
import { lineCsv } from './line-csv.ts'
import { MANAGE, managedRoom } from './managed.ts'
import { readServedTimes } from './served-times.ts'
import { readSteps } from './step-log.ts'

export const deskRoutes = (context: Context) =>
  new Elysia({ prefix: '/event/:eventId/room' })
    .use(accessPlugin(context))
    .get(
      '/steps',
      async ({ params: { eventId }, query, identity }) => {
        await managedRoom(context, eventId, identity)
        const { limit = LIMITS.pageDefault, cursor } = query
        const page = await readSteps(context, { eventId, limit, cursor })
        if (!page) throw new Refusal('request_invalid', { message: 'The cursor is not one of ours.' })
        return reply(200, 'Why the line flows as it does', page)
      },
      {
        query: StepsQuery,
        access: MANAGE,
        detail: describe({
          summary: 'Every change of the flow, with its reason',
          description:
            'The newest first. Calls of one second are one entry; `called`, `claimed` and `noShows` count since the entry before.',
          tag: 'Room',
          access: MANAGE,
          success: { status: 200, data: Page(StepView), description: 'The log, a page of it.' },
          codes: ['not_found', 'request_invalid'],
        }),
      },
    )
    .get(
      '/line.csv',
      async ({ params: { eventId }, identity, set }) => {
        await managedRoom(context, eventId, identity)
        set.headers['content-type'] = 'text/csv; charset=utf-8'
        set.headers['content-disposition'] = `attachment; filename="line-${eventId}.csv"`
        const servedAt = await readServedTimes(context.ledger, eventId)
        return new Response(await lineCsv(context.room, eventId, servedAt))
      },
      {
        access: MANAGE,
        detail: describe({
          summary: 'One line an entrant',
          description:
            'Everybody who had a place, in no order: number, place, times in UTC, outcome (`waiting`, `called`, `admitted`, `left`, `no_show`, `pass_expired`, `closed`), priority, deferred. No names and no addresses. A time that is not known is empty; who joined again is told once, as the latest place.',
          tag: 'Room',
          access: MANAGE,
          success: {
            status: 200,
            contentType: 'text/csv',
            description: 'The line, as long as Redis remembers it.',
          },
          codes: ['not_found'],
        }),
      },
    )
