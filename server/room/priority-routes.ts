// Owns the routes of priority: its share of the admissions, the organiser's list, and, with their own file, the invitations.
import { Elysia } from 'elysia'
import {
  addToPriorityList,
  countPriority,
  listPriorityAddresses,
  removeFromPriorityList,
} from '../../db/priority.ts'
import { setPriorityShare } from '../../db/rooms.ts'
import { accessPlugin } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { invalid, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { LIMITS } from '../protocol/codes.ts'
import { RoomSettingsView } from '../protocol/http.ts'
import {
  PriorityAddedView,
  PriorityBody,
  PriorityEmailsBody,
  PriorityQuery,
  PriorityRemovedView,
  PriorityView,
} from '../protocol/room-desk.ts'
import { invitationRoutes } from './invitation-routes.ts'
import { MANAGE, managedRoom } from './managed.ts'
import { settingsView } from './view.ts'

const PREFIX = '/event/:eventId/room/priority'

export const priorityRoutes = (context: Context) =>
  new Elysia().use(shareRoutes(context)).use(listRoutes(context)).use(invitationRoutes(context))

const shareRoutes = (context: Context) =>
  new Elysia({ prefix: PREFIX })
    .use(accessPlugin(context))
    .put(
      '/',
      async ({ params: { eventId }, body, identity }) => {
        await managedRoom(context, eventId, identity)
        await setPriorityShare(context.ledger.db, eventId, body.share)
        await context.room.configure(eventId)
        return reply(200, 'The share is set', settingsView(await managedRoom(context, eventId, identity)))
      },
      {
        body: PriorityBody,
        access: MANAGE,
        detail: describe({
          summary: 'Set the share of admissions for priority',
          description:
            'While others wait, at most so many of every hundred admissions go to the list and to invitations. Everybody in the room is told the share. 0 switches priority off.',
          tag: 'Room',
          access: MANAGE,
          success: { status: 200, data: RoomSettingsView, description: 'The settings in force.' },
          codes: ['not_found'],
          body: true,
        }),
      },
    )
    .get(
      '/',
      async ({ params: { eventId }, query, identity }) => {
        const { priorityShare: share } = await managedRoom(context, eventId, identity)
        const { limit = LIMITS.pageDefault, cursor } = query
        const skip = Number(cursor ?? 0)
        const { db } = context.ledger
        const [counts, addresses] = await Promise.all([
          countPriority(db, eventId),
          listPriorityAddresses(db, { eventId, skip, limit: limit + 1 }),
        ])
        const items = addresses
          .slice(0, limit)
          .map(({ email, addedAt }) => ({ email, addedAt: addedAt.toISOString() }))
        const nextCursor = addresses.length > limit ? String(skip + limit) : null
        return reply(200, 'Who enters with priority', { share, ...counts, items, nextCursor })
      },
      {
        query: PriorityQuery,
        access: MANAGE,
        detail: describe({
          summary: 'Who enters with priority',
          tag: 'Room',
          access: MANAGE,
          success: {
            status: 200,
            data: PriorityView,
            description: 'The share, the counts, a page of the list.',
          },
          codes: ['not_found', 'request_invalid'],
        }),
      },
    )

const listRoutes = (context: Context) => {
  const { db } = context.ledger
  const listed = async (eventId: string) => (await countPriority(db, eventId)).listed
  return new Elysia({ prefix: `${PREFIX}/list` })
    .use(accessPlugin(context))
    .post(
      '/',
      async ({ params: { eventId }, body, identity }) => {
        await managedRoom(context, eventId, identity)
        if ((await listed(eventId)) + body.emails.length > LIMITS.emailsPerPriorityList)
          throw invalid('/emails', `a list has at most ${LIMITS.emailsPerPriorityList} addresses`)
        const added = await addToPriorityList(db, eventId, body.emails)
        return reply(200, 'The list is longer', { added, total: await listed(eventId) })
      },
      {
        body: PriorityEmailsBody,
        access: MANAGE,
        detail: describe({
          summary: 'Put addresses on the priority list',
          description:
            'Adds to what is there; upper and lower case are the same. Says nothing of whether an account has an address: it counts whenever somebody with that confirmed address joins.',
          tag: 'Room',
          access: MANAGE,
          success: {
            status: 200,
            data: PriorityAddedView,
            description: 'How many were new, and how many there are.',
          },
          codes: ['not_found'],
          body: true,
        }),
      },
    )
    .delete(
      '/',
      async ({ params: { eventId }, body, identity }) => {
        await managedRoom(context, eventId, identity)
        const removed = await removeFromPriorityList(db, eventId, body.emails)
        return reply(200, 'The list is shorter', { removed, total: await listed(eventId) })
      },
      {
        body: PriorityEmailsBody,
        access: MANAGE,
        detail: describe({
          summary: 'Take addresses off the priority list',
          description: 'Whoever has joined with priority keeps it.',
          tag: 'Room',
          access: MANAGE,
          success: {
            status: 200,
            data: PriorityRemovedView,
            description: 'How many were on it, and how many are left.',
          },
          codes: ['not_found'],
          body: true,
        }),
      },
    )
}
