// Owns the routes of priority: its share of the admissions, the organiser's list, and invitations that are used once.
import { Elysia } from 'elysia'
import {
  addToPriorityList,
  countPriority,
  listPriorityAddresses,
  removeFromPriorityList,
  useInvitation,
} from '../../db/priority.ts'
import { setPriorityShare } from '../../db/rooms.ts'
import { accessPlugin } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { invalid, Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { LIMITS } from '../protocol/codes.ts'
import { RoomSettingsView } from '../protocol/http.ts'
import {
  InvitationsBody,
  InvitationsView,
  PriorityAddedView,
  PriorityBody,
  PriorityEmailsBody,
  PriorityQuery,
  PriorityRemovedView,
  PriorityView,
  RedeemBody,
  RedeemedView,
} from '../protocol/room-desk.ts'
import { requireRate } from '../rate-limit.ts'
import { lookAtRoom } from './look.ts'
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

const invitationRoutes = (context: Context) =>
  new Elysia({ prefix: PREFIX })
    .use(accessPlugin(context))
    .post(
      '/invitations',
      async ({ params: { eventId }, body, identity, set }) => {
        await managedRoom(context, eventId, identity)
        const expiresAt = body.expiresAt
          ? new Date(body.expiresAt)
          : (await context.availability.find(eventId))!.event.startsAt
        if (expiresAt.getTime() <= Date.now()) throw invalid('/expiresAt', 'must lie in the future')
        // Behind the #: a browser keeps that part to itself, so that no log on the way ever holds an invitation.
        const page = `${context.config.publicUrl}/events/${eventId}/invitation#`
        const links = Array.from(
          { length: body.count },
          () => page + context.tokens.signInvitation({ eventId, expiresAt }),
        )
        set.status = 201
        return reply(201, 'The invitations are made', { links, expiresAt: expiresAt.toISOString() })
      },
      {
        body: InvitationsBody,
        access: MANAGE,
        detail: describe({
          summary: 'Make invitations',
          description:
            'Signed links for one account each, valid until `expiresAt` or the start of the event. They are shown once: nothing is kept of an invitation until it is used.',
          tag: 'Room',
          access: MANAGE,
          success: { status: 201, data: InvitationsView, description: 'One link an invitation.' },
          codes: ['not_found'],
          body: true,
        }),
      },
    )
    .post(
      '/redeem',
      async ({ params: { eventId }, body, identity: { accountId } }) => {
        await requireRate(context, { name: 'room', key: accountId })
        const { priorityShare: share } = await lookAtRoom(context, eventId)
        const claims = context.tokens.verifyInvitation(body.invitation)
        if (claims === 'expired')
          throw new Refusal('request_invalid', { message: 'This invitation has run out.' })
        if (claims === null || claims.eventId !== eventId)
          throw new Refusal('request_invalid', { message: 'This is no invitation to this event.' })
        const used = await useInvitation(context.ledger.db, { eventId, invitationId: claims.jti, accountId })
        if (!used.ok)
          throw new Refusal(used.refusal, { message: 'This invitation was used by another account.' })
        return reply(200, 'You enter with priority', { eventId, share })
      },
      {
        body: RedeemBody,
        access: 'user',
        detail: describe({
          summary: 'Use an invitation',
          description:
            'The account enters this line with priority from its next `join` on. The same account may repeat it; `permission_denied` means that another account has used it.',
          tag: 'Room',
          access: 'user',
          success: { status: 200, data: RedeemedView, description: 'The invitation is this account’s.' },
          codes: ['not_found', 'permission_denied'],
          body: true,
        }),
      },
    )
