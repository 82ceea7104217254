// Decides who a request comes from and whether a route is open to them, before anything else about it is looked at.
import { Elysia } from 'elysia'
import { callOf } from '../call.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Permission } from '../protocol/codes.ts'
import type { AccessClaims, Verified } from '../tokens.ts'
import { ACCESS_COOKIE, readCookie } from './cookies.ts'
import { isOwnOrigin } from './origin.ts'
import { permissionsOf } from './permissions.ts'
import { recall } from './recall.ts'
import { isOpen, isOpenForSocket } from './session-check.ts'

/** Who a socket is for: it asks for nothing that needs a permission. */
export interface SocketIdentity {
  accountId: string
  sessionId: string
  /** The browser sent the token by itself: writes need our own Origin. */
  viaCookie: boolean
}

export interface Identity extends SocketIdentity {
  email: string
  permissions: ReadonlySet<Permission>
}

type Needs = Pick<Context, 'config' | 'tokens' | 'redis' | 'ledger'>
const READING_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Gives routes two options. `access: 'user'` or a permission refuses everybody else (401 `unauthenticated` or
 * `token_expired`, 403 `permission_denied` or `origin_refused`) before the body is validated, and hands the handler
 * `identity`. `visitor: true` lets everybody in and hands over `visitor`, null for the signed-out.
 */
export const accessPlugin = (context: Needs) =>
  new Elysia({ name: 'access' }).macro({
    access: (required: 'user' | Permission) => ({
      transform: async ({ request }: { request: Request }) => {
        const identity = await requireIdentity(context, request)
        callOf(request).identity = identity
        if (required !== 'user' && !identity.permissions.has(required)) throw new Refusal('permission_denied')
      },
      resolve: ({ request }: { request: Request }) => ({ identity: callOf(request).identity! }),
    }),
    visitor: (_welcome: true) => ({
      resolve: async ({ request }: { request: Request }) => ({ visitor: await identify(context, request) }),
    }),
  })

/** Who sent this, or null: no token, a wrong or old one, a session that ended, or a foreign page writing by cookie. */
async function identify(context: Needs, request: Request): Promise<Identity | null> {
  const identity = await resolveIdentity(context, request)
  return typeof identity === 'string' ? null : identity
}

/** As `identify`, but says why not. Throws a Refusal. */
export async function requireIdentity(context: Needs, request: Request): Promise<Identity> {
  const identity = await resolveIdentity(context, request)
  if (typeof identity === 'string') throw new Refusal(identity)
  return identity
}

/** Who opens a socket, or null as above; whether the page may is the caller's to ask. */
export async function identifySocket(context: Needs, request: Request): Promise<SocketIdentity | null> {
  const credential = credentialOf(request)
  return credential ? identifyToken(context, credential.token, credential.viaCookie) : null
}

/** Who a bare token speaks for, as a socket's `hello` brings it; null as above. */
export async function identifyToken(
  context: Needs,
  token: string,
  viaCookie = false,
): Promise<SocketIdentity | null> {
  const claims = context.tokens.verifyAccess(token)
  if (claims === null || claims === 'expired') return null
  const { accountId, sessionId } = claims
  return (await isOpenForSocket(context, sessionId)) ? { accountId, sessionId, viaCookie } : null
}

type Denied = 'unauthenticated' | 'token_expired' | 'origin_refused'

async function resolveIdentity(context: Needs, request: Request): Promise<Identity | Denied> {
  const credential = credentialOf(request)
  if (!credential) return 'unauthenticated'
  const identity = await admit(context, claimsOf(context, request), credential.viaCookie)
  if (typeof identity === 'string' || !credential.viaCookie || READING_METHODS.has(request.method))
    return identity
  return isOwnOrigin(context.config, request.headers) ? identity : 'origin_refused'
}

async function admit(
  context: Needs,
  claims: Verified<AccessClaims>,
  viaCookie: boolean,
): Promise<Identity | Denied> {
  if (claims === null) return 'unauthenticated'
  if (claims === 'expired') return 'token_expired'
  const { accountId, sessionId, email } = claims
  const recalled = await recall(context.redis, sessionId)
  const open = isOpen(context, sessionId, recalled)
  const permissions = permissionsOf(context, accountId, recalled)
  // The usual case takes no further turn of the event loop.
  const [isStillOpen, may] =
    open === true && !(permissions instanceof Promise)
      ? [open, permissions]
      : await Promise.all([open, permissions])
  return isStillOpen ? { accountId, sessionId, email, permissions: may, viaCookie } : 'unauthenticated'
}

/** What the request's token says, its session not yet looked at; verified once a request. */
export function claimsOf(context: Pick<Context, 'tokens'>, request: Request): Verified<AccessClaims> {
  const call = callOf(request)
  if (call.claims !== undefined) return call.claims
  const credential = credentialOf(request)
  return (call.claims = credential ? context.tokens.verifyAccess(credential.token) : null)
}

/** A bearer token wins over the cookie, even when it is a wrong one. */
function credentialOf({ headers }: Request): { token: string; viaCookie: boolean } | null {
  const bearer = bearerOf(headers.get('authorization'))
  if (bearer !== null) return { token: bearer, viaCookie: false }
  const cookie = readCookie(headers, ACCESS_COOKIE)
  return cookie === null ? null : { token: cookie, viaCookie: true }
}

const BEARER = 'Bearer '
const LENIENT_BEARER = /^Bearer +(\S+)$/i

function bearerOf(authorization: string | null): string | null {
  if (authorization === null) return null
  const token = authorization.startsWith(BEARER) ? authorization.slice(BEARER.length) : ''
  // A token of ours is one word; whatever else stands there goes the long way.
  if (token !== '' && !token.includes(' ') && !token.includes('\t')) return token
  return LENIENT_BEARER.exec(authorization)?.[1] ?? null
}
