// Answers whoever keeps Onsale running: what was given up and can be tried again, what audits found, when holds stood still.
import { Elysia } from 'elysia'
import { findLastAudit } from '../../db/audit/results.ts'
import { listFreezes } from '../../db/bookings/hold-clock.ts'
import { listOperatorActions } from '../../db/operator-log.ts'
import { listDeadLetters, retryDeadLetter } from '../../db/outbox.ts'
import { accessPlugin } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import {
  AuditView,
  DeadLetterView,
  FreezeView,
  OperatorActionView,
  Page,
  PageOnlyQuery,
  RetriedView,
} from '../protocol/http.ts'
import { numberOf, pageOf } from './pages.ts'
import { actionView, auditView, deadLetterView, freezeView } from './views.ts'

export const operatorRoutes = (context: Context) =>
  new Elysia({ prefix: '/admin', normalize: false })
    .use(accessPlugin(context))
    .use(deadLetters(context))
    .use(records(context))

const deadLetters = (context: Context) =>
  new Elysia()
    .use(accessPlugin(context))
    .get(
      '/dead-letters',
      async ({ query }) =>
        reply(
          200,
          'Dead letters',
          await pageOf(query, deadLetterView, ({ limit, cursor }) =>
            listDeadLetters(context.ledger.db, { limit, after: cursor ?? 0 }),
          ),
        ),
      {
        access: 'operation:read:all',
        query: PageOnlyQuery,
        detail: describe({
          summary: 'Mails, refunds and cancellations that were given up',
          description:
            'Oldest first. Each failed as often as it was allowed to, or cannot succeed; it stays here until it is tried again and succeeds.',
          tag: 'Operations',
          access: 'operation:read:all',
          success: { status: 200, data: Page(DeadLetterView), description: 'What waits for a person.' },
          codes: ['request_invalid'],
        }),
      },
    )
    .post(
      '/dead-letters/:id/retry',
      async ({ params, identity }) => {
        const id = numberOf(params.id)
        const { accountId } = identity
        if (id === null || !(await retryDeadLetter(context.ledger.db, { id, accountId })))
          throw new Refusal('not_found')
        context.log.info('dead_letter_retried', { by: accountId, outboxId: id })
        return reply(200, 'Will be tried again', { id: params.id })
      },
      {
        access: 'operation:retry',
        detail: describe({
          summary: 'Try a dead letter again',
          description:
            'With all its attempts anew, within a second while a worker lives. It is noted who asked. `not_found` when it is no dead letter, or was retried meanwhile.',
          tag: 'Operations',
          access: 'operation:retry',
          success: { status: 200, data: RetriedView, description: 'It is on its way.' },
          codes: ['not_found', 'origin_refused'],
        }),
      },
    )

const records = (context: Context) =>
  new Elysia()
    .use(accessPlugin(context))
    .get(
      '/actions',
      async ({ query }) =>
        reply(
          200,
          'Actions',
          await pageOf(query, actionView, ({ limit, cursor }) =>
            listOperatorActions(context.ledger.db, { limit, before: cursor }),
          ),
        ),
      {
        access: 'operation:read:all',
        query: PageOnlyQuery,
        detail: describe({
          summary: 'What operators did by hand',
          description: 'Newest first.',
          tag: 'Operations',
          access: 'operation:read:all',
          success: { status: 200, data: Page(OperatorActionView), description: 'Who did what, and when.' },
          codes: ['request_invalid'],
        }),
      },
    )
    .get(
      '/audit',
      async () => {
        const last = await findLastAudit(context.ledger.db)
        if (!last) throw new Refusal('not_found', { message: 'There was no audit yet.' })
        return reply(200, 'Audit', auditView(last))
      },
      {
        access: 'operation:read:all',
        detail: describe({
          summary: 'What the last audit found',
          description:
            'Every invariant of the ledger, the cache and the line, checked by the worker about once a minute. `not_found` before the first.',
          tag: 'Operations',
          access: 'operation:read:all',
          success: { status: 200, data: AuditView, description: 'A line an invariant.' },
          codes: ['not_found'],
        }),
      },
    )
    .get(
      '/freezes',
      async ({ query }) =>
        reply(
          200,
          'Freezes',
          await pageOf(query, freezeView, ({ limit, cursor }) =>
            listFreezes(context.ledger.db, { limit, before: cursor }),
          ),
        ),
      {
        access: 'operation:read:all',
        query: PageOnlyQuery,
        detail: describe({
          summary: 'Outages that holds were given back',
          description:
            'Newest first: from when to when nobody could pay, why, and how many holds got the time.',
          tag: 'Operations',
          access: 'operation:read:all',
          success: { status: 200, data: Page(FreezeView), description: 'Outages that are over.' },
          codes: ['request_invalid'],
        }),
      },
    )
