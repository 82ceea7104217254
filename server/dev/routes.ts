// Answers what only development needs, on stores of its own: buyers by the thousand and the mailbox nobody else reads.
import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { createCrowd } from '../../db/crowd.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { DevBuyersBody, DevBuyerView, MailView } from '../protocol/http.ts'
import { rehearsalRoutes } from './rehearsal-routes.ts'

/** A crowd may run for longer than a person's access token lives, and has nothing to refresh it with. */
const BUYER_TOKEN_SECONDS = 2 * 3600
const MAILBOX_TIMEOUT_MS = 2_000
/** Mails are strangers' words on our own origin: without the mailbox's own policy, nothing of them is loaded. */
const STRICTEST_POLICY = "default-src 'none'"
const MailboxQuery = Type.Object({ to: Type.Optional(Type.String({ maxLength: 254 })) })

/** Under the API's prefix. Routes that may not exist here are not mounted, so that they are 404 like any other. */
export function devRoutes(context: Context) {
  const routes = new Elysia({ prefix: '/dev' })
  const { embedded, mailboxUrl, rehearsalUrl } = context.config
  const ownStores = embedded.has('postgres') && embedded.has('redis')
  if (ownStores) routes.use(buyers(context))
  if (ownStores && rehearsalUrl !== null) routes.use(rehearsalRoutes(context, rehearsalUrl))
  if (embedded.has('mail') && mailboxUrl !== null) routes.use(mailbox(mailboxUrl))
  return routes
}

/** GET /dev/mailbox: the mailbox as a page. */
export function devPages({ config: { embedded, mailboxUrl } }: Context) {
  const pages = new Elysia({ prefix: '/dev' })
  if (!embedded.has('mail') || mailboxUrl === null) return pages
  return pages.get(
    '/mailbox',
    async ({ query: { to } }) => {
      const page = await askMailbox(mailboxUrl, '/', to)
      const policy = page.headers.get('content-security-policy') ?? STRICTEST_POLICY
      return new Response(page.body, {
        headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy },
      })
    },
    { query: MailboxQuery, detail: { hide: true } },
  )
}

const buyers = (context: Context) =>
  new Elysia().post(
    '/buyers',
    async ({ body: { count }, set }) => {
      const expiresAt = new Date(Date.now() + BUYER_TOKEN_SECONDS * 1000)
      const made = await createCrowd(context.ledger.db, { count, sessionsUntil: expiresAt })
      const views = await Promise.all(
        made.map(async ({ id, email, sessionId }) => ({
          id,
          email,
          accessToken: await context.tokens.signAccess({ accountId: id, sessionId, email, expiresAt }),
        })),
      )
      set.status = 201
      return reply(201, 'Buyers made', views)
    },
    {
      body: DevBuyersBody,
      detail: describe({
        summary: 'Make buyers',
        description: 'Verified, signed in for two hours, without a password. Only on embedded stores.',
        tag: 'Operations',
        access: 'anyone',
        body: true,
        success: { status: 201, data: Type.Array(DevBuyerView), description: 'Accounts and tokens.' },
      }),
    },
  )

const mailbox = (mailboxUrl: string) =>
  new Elysia().get(
    '/mailbox',
    async ({ query: { to } }) => {
      const mails: unknown = await (await askMailbox(mailboxUrl, '/messages', to)).json()
      return reply(200, 'Mails', mails)
    },
    {
      query: MailboxQuery,
      detail: describe({
        summary: 'Mails sent',
        description: 'Newest first. Only while mail is embedded.',
        tag: 'Operations',
        access: 'anyone',
        success: { status: 200, data: Type.Array(MailView), description: 'Mails, of one address or of all.' },
        codes: ['request_invalid'],
      }),
    },
  )

async function askMailbox(mailboxUrl: string, path: string, to: string | undefined): Promise<Response> {
  const url = new URL(path, mailboxUrl)
  if (to !== undefined) url.searchParams.set('to', to)
  const answer = await fetch(url, { signal: AbortSignal.timeout(MAILBOX_TIMEOUT_MS) }).catch(() => null)
  if (!answer?.ok)
    throw new Refusal('store_unavailable', { message: 'The development mailbox does not answer.' })
  return answer
}
