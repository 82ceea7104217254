// Owns the routes of invitations: made as links, told what became of them, taken back unused, used once.
import { Elysia } from 'elysia'
import {
  countInvitations,
  keepInvitations,
  listInvitationBatches,
  useInvitation,
  withdrawInvitations,
  type InvitationBatch,
} from '../../db/invitations.ts'
import { accessPlugin } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { invalid, Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { requireInstant } from '../instant.ts'
import { LIMITS } from '../protocol/codes.ts'
import { Page } from '../protocol/http.ts'
import {
  InvitationBatchView,
  InvitationsBody,
  InvitationsQuery,
  InvitationsView,
  RedeemBody,
  RedeemedView,
  WithdrawBody,
  WithdrawnView,
} from '../protocol/room-desk.ts'
import { requireRate } from '../rate-limit.ts'
import { lookAtRoom } from './look.ts'
import { MANAGE, managedRoom } from './managed.ts'

const PREFIX = '/event/:eventId/room/priority'
/** What stands before an invitation in its link. */
const BEFORE_TOKEN = /^.*#/
const REFUSED = {
  used: 'This invitation was used by another account.',
  withdrawn: 'This invitation was withdrawn.',
}

export const invitationRoutes = (context: Context) =>
  new Elysia().use(makeRoutes(context)).use(withdrawRoutes(context)).use(redeemRoutes(context))

const makeRoutes = (context: Context) =>
  new Elysia({ prefix: `${PREFIX}/invitations` })
    .use(accessPlugin(context))
    .post(
      '/',
      async ({ params: { eventId }, body, identity, set }) => {
        await managedRoom(context, eventId, identity)
        const expiresAt = body.expiresAt
          ? requireInstant('/expiresAt', body.expiresAt)
          : (await context.availability.find(eventId))!.event.startsAt
        if (expiresAt.getTime() <= Date.now()) throw invalid('/expiresAt', 'must lie in the future')
        const { db } = context.ledger
        if ((await countInvitations(db, eventId)) + body.count > LIMITS.invitationsPerEvent)
          throw invalid('/count', `an event has at most ${LIMITS.invitationsPerEvent} invitations`)
        const ids = Array.from({ length: body.count }, () => Bun.randomUUIDv7())
        await keepInvitations(db, { eventId, batch: Bun.randomUUIDv7(), ids, expiresAt })
        // Behind the #: a browser keeps that part to itself, so that no log on the way ever holds an invitation.
        const page = `${context.config.publicUrl}/events/${eventId}/invitation#`
        const links = ids.map((jti) => page + context.tokens.signInvitation({ eventId, expiresAt, jti }))
        set.status = 201
        return reply(201, 'The invitations are made', { links, expiresAt: expiresAt.toISOString() })
      },
      {
        body: InvitationsBody,
        access: MANAGE,
        detail: describe({
          summary: 'Make invitations',
          description:
            'Signed links for one account each, valid until `expiresAt` or the start of the event. They are shown once: what is kept of an invitation opens nothing.',
          tag: 'Room',
          access: MANAGE,
          success: { status: 201, data: InvitationsView, description: 'One link an invitation.' },
          codes: ['not_found'],
          body: true,
        }),
      },
    )
    .get(
      '/',
      async ({ params: { eventId }, query, identity }) => {
        await managedRoom(context, eventId, identity)
        const { limit = LIMITS.pageDefault, cursor } = query
        const batches = await listInvitationBatches(context.ledger.db, {
          eventId,
          limit: limit + 1,
          ...(cursor === undefined ? {} : { before: cursor }),
        })
        const items = batches.slice(0, limit).map(batchView)
        const nextCursor = batches.length > limit ? (items.at(-1)?.batch ?? null) : null
        return reply(200, 'What became of the invitations', { items, nextCursor })
      },
      {
        query: InvitationsQuery,
        access: MANAGE,
        detail: describe({
          summary: 'What became of the invitations',
          description:
            'Those made in one go together, the newest first: how many were used, withdrawn, or neither.',
          tag: 'Room',
          access: MANAGE,
          success: { status: 200, data: Page(InvitationBatchView), description: 'A page of what was made.' },
          codes: ['not_found', 'request_invalid'],
        }),
      },
    )

const withdrawRoutes = (context: Context) =>
  new Elysia({ prefix: `${PREFIX}/invitations` }).use(accessPlugin(context)).delete(
    '/',
    async ({ params: { eventId }, body: { batch, invitations }, identity }) => {
      await managedRoom(context, eventId, identity)
      if ((batch === undefined) === (invitations === undefined))
        throw invalid('/batch', 'either a batch or invitations')
      const withdrawn = await withdrawInvitations(context.ledger.db, {
        eventId,
        batch,
        ids: invitations?.map((link, index) => idOf(context, link, index)),
      })
      return reply(200, 'Withdrawn', { withdrawn })
    },
    {
      body: WithdrawBody,
      access: MANAGE,
      detail: describe({
        summary: 'Withdraw unused invitations',
        description:
          'All of a batch, or those whose links are given. From then on they open nothing; a used one stays used, and whoever used it keeps their priority.',
        tag: 'Room',
        access: MANAGE,
        success: { status: 200, data: WithdrawnView, description: 'How many were withdrawn by this.' },
        codes: ['not_found'],
        body: true,
      }),
    },
  )

/** Its id; one that has run out or is forged opens nothing that could be taken back. */
function idOf({ tokens }: Context, link: string, index: number): string {
  const claims = tokens.verifyInvitation(link.replace(BEFORE_TOKEN, ''))
  if (claims === null || claims === 'expired')
    throw invalid(`/invitations/${index}`, 'is no invitation that opens anything')
  return claims.jti
}

const redeemRoutes = (context: Context) =>
  new Elysia({ prefix: PREFIX }).use(accessPlugin(context)).post(
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
      if (!used.ok) throw new Refusal(used.refusal, { message: REFUSED[used.why] })
      return reply(200, 'You enter with priority', { eventId, share })
    },
    {
      body: RedeemBody,
      access: 'user',
      detail: describe({
        summary: 'Use an invitation',
        description:
          'The account enters this line with priority from its next `join` on. The same account may repeat it; `permission_denied` means that another account has used it, or that it was withdrawn.',
        tag: 'Room',
        access: 'user',
        success: { status: 200, data: RedeemedView, description: 'The invitation is this account’s.' },
        codes: ['not_found', 'permission_denied'],
        body: true,
      }),
    },
  )

const batchView = ({
  batch,
  madeAt,
  expiresAt,
  made,
  used,
  withdrawn,
}: InvitationBatch): InvitationBatchView => ({
  batch,
  madeAt: madeAt.toISOString(),
  expiresAt: expiresAt.toISOString(),
  made,
  used,
  withdrawn,
  unused: made - used - withdrawn,
})
