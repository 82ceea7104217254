// Answers what is one's own: profile, sessions, personal data, and leaving.
import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { changeProfile, findProfile } from '../../db/profiles.ts'
import { isId } from '../../db/events.ts'
import { eraseAccount, exportPersonalData } from '../../db/personal-data.ts'
import { endSession, listSessions } from '../../db/sessions.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import {
  Page,
  PageOnlyQuery,
  PersonalDataView,
  ProfileBody,
  SessionView,
  UserView,
} from '../protocol/http.ts'
import { accessPlugin } from './access.ts'
import { clearedCookies } from './cookies.ts'
import { pageOf } from './paging.ts'
import { markEnded } from './session-check.ts'
import { userView } from './views.ts'

export const accountRoutes = (context: Context) =>
  new Elysia().use(profile(context)).use(sessions(context)).use(personalData(context))

const profile = (context: Context) =>
  new Elysia()
    .use(accessPlugin(context))
    .get(
      '/me',
      async ({ identity }) => {
        const found = await findProfile(context.ledger.db, identity.accountId)
        if (!found) throw new Refusal('unauthenticated')
        return reply(200, 'Your account', userView(found))
      },
      {
        access: 'user',
        detail: describe({
          summary: 'My account',
          tag: 'Auth',
          access: 'user',
          success: { status: 200, data: UserView, description: 'Profile, roles and permissions.' },
        }),
      },
    )
    .patch(
      '/me',
      async ({ identity, body }) => {
        const changed = await changeProfile(context.ledger.db, identity.accountId, body)
        if (!changed) throw new Refusal('unauthenticated')
        return reply(200, 'Your account', userView(changed))
      },
      {
        access: 'user',
        body: ProfileBody,
        detail: describe({
          summary: 'Change my name or language',
          description: 'What is left out stays. Mails are written in `language`.',
          tag: 'Auth',
          access: 'user',
          success: { status: 200, data: UserView, description: 'The account as it is now.' },
          body: true,
        }),
      },
    )

const sessions = (context: Context) =>
  new Elysia()
    .use(accessPlugin(context))
    .get(
      '/sessions',
      async ({ identity, query }) => {
        const open = await listSessions(context.ledger.db, identity.accountId)
        const views = open.map((session) => ({
          id: session.id,
          userAgent: session.userAgent,
          createdAt: session.createdAt.toISOString(),
          lastUsedAt: session.lastUsedAt.toISOString(),
          current: session.id === identity.sessionId,
        }))
        return reply(200, 'Your sessions', pageOf(views, query))
      },
      {
        access: 'user',
        query: PageOnlyQuery,
        detail: describe({
          summary: 'Where I am signed in',
          tag: 'Auth',
          access: 'user',
          success: { status: 200, data: Page(SessionView), description: 'Open sessions, newest first.' },
          codes: ['request_invalid'],
        }),
      },
    )
    .delete(
      '/sessions/:id',
      async ({ identity: { accountId, sessionId }, params, set }) => {
        const ended =
          isId(params.id) &&
          (await endSession(context.ledger.db, {
            sessionId: params.id,
            accountId,
            because: 'ended_by_owner',
          }))
        if (!ended) throw new Refusal('not_found')
        await markEnded(context, [params.id])
        if (params.id === sessionId) set.headers['set-cookie'] = clearedCookies(context.config)
        return reply(200, 'The session is over', null)
      },
      {
        access: 'user',
        detail: describe({
          summary: 'Sign out somewhere else',
          tag: 'Auth',
          access: 'user',
          success: { status: 200, data: Type.Null(), description: 'The session is over, everywhere.' },
          codes: ['not_found', 'origin_refused'],
        }),
      },
    )

const personalData = (context: Context) =>
  new Elysia()
    .use(accessPlugin(context))
    .get(
      '/me/export',
      async ({ identity }) => {
        const data = await exportPersonalData(context.ledger.db, identity.accountId)
        if (!data) throw new Refusal('unauthenticated')
        const bookings = data.bookings.map(({ total, currency, seats, ...booking }) => ({
          ...booking,
          total: { amount: total, currency },
          seatIds: seats.map((n) => `${booking.eventId}:${n}`),
        }))
        return reply(200, 'Your data', { ...data, bookings })
      },
      {
        access: 'user',
        detail: describe({
          summary: 'Export my data',
          tag: 'Auth',
          access: 'user',
          success: { status: 200, data: PersonalDataView, description: 'Everything kept about me.' },
        }),
      },
    )
    .delete(
      '/me',
      async ({ identity: { accountId }, set }) => {
        const erased = await eraseAccount(context.ledger.db, { accountId })
        if (!erased.ok)
          throw new Refusal(erased.refusal, 'message' in erased ? { message: erased.message } : {})
        await markEnded(context, erased.endedSessionIds)
        set.headers['set-cookie'] = clearedCookies(context.config)
        return reply(200, 'Your account is erased', null)
      },
      {
        access: 'user',
        detail: describe({
          summary: 'Erase my account',
          description:
            'Bookings stay, without the person. Refused while a published event of yours lies ahead, and to the last administrator.',
          tag: 'Auth',
          access: 'user',
          success: { status: 200, data: Type.Null(), description: 'The person is gone.' },
          codes: ['request_invalid', 'origin_refused'],
        }),
      },
    )
