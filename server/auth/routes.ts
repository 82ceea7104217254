// Answers who comes in, who stays and who leaves: signing in, refreshing, signing out.
import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { findAccountByEmail, type Account } from '../../db/accounts.ts'
import { findProfile } from '../../db/profiles.ts'
import { endSession, openSession, rotateRefreshToken } from '../../db/sessions.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { LoginBody, LoginView, RefreshBody, TokenView } from '../protocol/http.ts'
import { addressKey, requireRate } from '../rate-limit.ts'
import { accessPlugin } from './access.ts'
import { accountRoutes } from './account-routes.ts'
import { adminRoutes } from './admin-routes.ts'
import { emailKey, limitAddress } from './caller.ts'
import { clearedCookies, readCookie, REFRESH_COOKIE, signInCookies } from './cookies.ts'
import { isOwnOrigin } from './origin.ts'
import { mailRoutes } from './mail-routes.ts'
import { isPassword } from './passwords.ts'
import { markEnded } from './session-check.ts'
import { userView } from './views.ts'

const NOTHING = Type.Null()

export const authRoutes = (context: Context) =>
  new Elysia({ prefix: '/auth' })
    .use(mailRoutes(context))
    .use(signIn(context))
    .use(staySignedIn(context))
    .use(accountRoutes(context))
    .use(adminRoutes(context))

const signIn = (context: Context) =>
  new Elysia().use(accessPlugin(context)).post(
    '/login',
    async ({ body, request, set }) => {
      await limitAddress(context, 'login_address', request)
      const address = addressKey(context.addressOf(request))
      await requireRate(context, { name: 'login', key: `${emailKey(body.email)}:${address}` })
      const account = await checkPassword(context, body).catch((fault: unknown) => {
        // Whose password it was is not said: an address tried is often a mistyped one of somebody else.
        if (fault instanceof Refusal) context.log.warn('sign_in_refused', { code: fault.code })
        throw fault
      })
      const userAgent = request.headers.get('user-agent') ?? ''
      const { sessionId, refreshToken, expiresAt } = await openSession(context.ledger.db, {
        accountId: account.id,
        userAgent,
      })
      const [accessToken, profile] = await Promise.all([
        context.tokens.signAccess({ accountId: account.id, sessionId, email: account.email }),
        findProfile(context.ledger.db, account.id),
      ])
      if (!profile) throw new Refusal('unauthenticated')
      context.log.info('signed_in', { accountId: account.id, sessionId })
      const user = userView(profile)
      if (isApiClient(request)) return reply(200, 'Signed in', { accessToken, refreshToken, user })
      set.headers['set-cookie'] = signInCookies(context.config, { accessToken, refreshToken, expiresAt })
      return reply(200, 'Signed in', { accessToken, user })
    },
    {
      body: LoginBody,
      detail: describe({
        summary: 'Sign in',
        description:
          'Sets both cookies. A client that sends `X-Client: api` gets the refresh token in the body instead, and no cookies. At most 5 tries a minute for an account and address.',
        tag: 'Auth',
        access: 'anyone',
        body: true,
        success: { status: 200, data: LoginView, description: 'Signed in.' },
        codes: ['unauthenticated', 'email_not_verified'],
      }),
    },
  )

const staySignedIn = (context: Context) =>
  new Elysia()
    .use(accessPlugin(context))
    .post(
      '/refresh',
      async ({ body, request, set }) => {
        const held = body?.refreshToken
        const token = held ?? readCookie(request.headers, REFRESH_COOKIE)
        if (!token) throw new Refusal('unauthenticated')
        if (held === undefined && !isOwnOrigin(context.config, request.headers))
          throw new Refusal('origin_refused')
        const { successorsOf } = context.tokens
        // Only a browser's tabs share a token; who holds it alone exchanges it once.
        const rotation = await rotateRefreshToken(context.ledger.db, {
          refreshToken: token,
          successorsOf,
          grace: held === undefined,
        })
        if (!rotation.ok) {
          if (held === undefined) set.headers['set-cookie'] = clearedCookies(context.config)
          if (rotation.endedSessionId) {
            await markEnded(context, [rotation.endedSessionId])
            context.log.warn('refresh_token_reused', { sessionId: rotation.endedSessionId })
          }
          throw new Refusal(rotation.refusal)
        }
        const { refreshToken, expiresAt } = rotation
        const accessToken = await context.tokens.signAccess({
          accountId: rotation.accountId,
          sessionId: rotation.sessionId,
          email: rotation.email,
        })
        if (held !== undefined) return reply(200, 'Refreshed', { accessToken, refreshToken })
        set.headers['set-cookie'] = signInCookies(context.config, { accessToken, refreshToken, expiresAt })
        return reply(200, 'Refreshed', { accessToken })
      },
      {
        body: RefreshBody,
        detail: describe({
          summary: 'Exchange the refresh token',
          description:
            'Each refresh token is exchanged once; an old one that comes back ends its session. Tabs that share the cookie get the same new token for 10 s. The new refresh token travels the way the old one came: cookie or body.',
          tag: 'Auth',
          access: 'anyone',
          body: true,
          success: { status: 200, data: TokenView, description: 'New tokens.' },
          codes: ['unauthenticated'],
        }),
      },
    )
    .post(
      '/logout',
      async ({ identity: { sessionId, accountId }, set }) => {
        await endSession(context.ledger.db, { sessionId, accountId, because: 'logged_out' })
        context.log.info('signed_out', { accountId, sessionId })
        await markEnded(context, [sessionId])
        set.headers['set-cookie'] = clearedCookies(context.config)
        return reply(200, 'Signed out', null)
      },
      {
        access: 'user',
        detail: describe({
          summary: 'Sign out',
          description: 'Ends this session at once, on every server; its access token stops working too.',
          tag: 'Auth',
          access: 'user',
          success: { status: 200, data: NOTHING, description: 'The session is over.' },
          codes: ['origin_refused'],
        }),
      },
    )

/** The account, when the password is right and the address confirmed; otherwise throws, no faster and no slower. */
async function checkPassword(
  context: Context,
  { email, password }: { email: string; password: string },
): Promise<Account> {
  const account = await findAccountByEmail(context.ledger.db, email)
  const right = await isPassword(password, account?.passwordHash ?? null)
  if (!account || !right || account.disabledAt)
    throw new Refusal('unauthenticated', { message: 'The email address or the password is wrong.' })
  if (!account.verifiedAt) throw new Refusal('email_not_verified')
  return account
}

const isApiClient = (request: Request) => request.headers.get('x-client') === 'api'
