// Decides how many requests one caller may make: per account when signed in, per address otherwise, over all servers.
import { createHash } from 'node:crypto'
import { Elysia } from 'elysia'
import type { RedisClient } from '../db/redis.ts'
import { claimsOf } from './auth/access.ts'
import { pathOf } from './call.ts'
import type { Context } from './context.ts'
import { Refusal } from './errors.ts'
import takeRateLua from './lua/take-rate.lua' with { type: 'text' }
import { tryRedis } from './try-redis.ts'

export interface Rate {
  /** Requests per second in the long run. */
  perSecond: number
  /** Requests at once after a pause. */
  burst: number
}

const perMinute = (count: number): Rate => ({ perSecond: count / 60, burst: count })

/** Generous to people, a venue's shared address among them; a script meets them. */
export const RATES = {
  address: { perSecond: 200, burst: 2_000 },
  account: { perSecond: 50, burst: 200 },
  /** Per account and address: guessing one password. */
  login: perMinute(5),
  /** Per address: guessing one password on many accounts; each guess costs a hash. */
  login_address: perMinute(600),
  register: perMinute(60),
  /** Per address, mails asked for: verification again, password forgotten. */
  mail: perMinute(60),
  /** Per mailbox, so that nobody's is filled by a stranger. */
  mailbox: { perSecond: 1 / 60, burst: 5 },
  room: { perSecond: 5, burst: 30 },
  /** Per address: first joins of a line. A mobile network shows thousands of people as one address. */
  join: { perSecond: 2, burst: 3_000 },
} as const satisfies Record<string, Rate>
export type RateName = keyof typeof RATES

/** Callers remembered by one process while Redis is away. */
const LOCAL_CALLERS_MAX = 50_000
/** Probes and scrapes are answered however many come. */
const UNLIMITED_PATHS = ['/health/', '/api/v1/health/', '/metrics']
const SHA = createHash('sha1').update(takeRateLua).digest('hex')

/** `recent`: requests that the steady rate has not worn off yet, this one included. */
export type Limited = { ok: true; recent: number } | { ok: false; retryAfterSeconds: number }
type Needs = Pick<Context, 'config' | 'redis'>
type RateParts = Needs & Pick<Context, 'tokens' | 'addressOf'>
/** 0 ms to wait when the request fits. */
interface Taken {
  waitMs: number
  recent: number
}

/** Counts one request of `key` (an address, an account, or both) against a rate; RATE_LIMIT=off lets all pass. */
export async function limit(
  { config, redis }: Needs,
  { name, key, now = Date.now() }: { name: RateName; key: string; now?: number },
): Promise<Limited> {
  if (!config.rateLimit) return { ok: true, recent: 0 }
  const { perSecond, burst } = RATES[name]
  const id = `rate:${name}:${key}`
  const intervalMs = 1_000 / perSecond
  const taken =
    (await tryRedis(redis, (client) => takeFromRedis(client, id, now, intervalMs, burst))) ??
    takeLocally(redis, id, now, intervalMs, burst)
  return taken.waitMs === 0
    ? { ok: true, recent: taken.recent }
    : { ok: false, retryAfterSeconds: Math.ceil(taken.waitMs / 1_000) }
}

/** As `limit`, but throws `rate_limited`. */
export async function requireRate(context: Needs, ask: { name: RateName; key: string }): Promise<void> {
  const limited = await limit(context, ask)
  if (!limited.ok) throw new Refusal('rate_limited', { retryAfterSeconds: limited.retryAfterSeconds })
}

/** Holds every request of the application against its caller's rate, before anything else is done with it. */
export function rateLimitPlugin(context: RateParts) {
  const plugin = new Elysia({ name: 'rate-limit' })
  return context.config.rateLimit
    ? plugin.onRequest(({ request }) => requireCallersRate(context, request))
    : plugin
}

/** Throws `rate_limited` when the account, or for strangers the address, has asked too often. */
export async function requireCallersRate(context: RateParts, request: Request): Promise<void> {
  const path = pathOf(request)
  if (UNLIMITED_PATHS.some((start) => path.startsWith(start))) return
  const claims = claimsOf(context, request)
  await requireRate(
    context,
    claims === null || claims === 'expired'
      ? { name: 'address', key: addressKey(context.addressOf(request)) }
      : { name: 'account', key: claims.accountId },
  )
}

/** What of an address tells one caller from another: all of IPv4, the network half of IPv6. */
export function addressKey(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.split('::', 2)
  const first = head.split(':').filter(Boolean)
  const last = tail?.split(':').filter(Boolean) ?? []
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0')
  return `${[...first, ...zeros, ...last].slice(0, 4).join(':')}::/64`
}

async function takeFromRedis(
  redis: RedisClient,
  id: string,
  now: number,
  intervalMs: number,
  burst: number,
): Promise<Taken> {
  const args = [id, now, intervalMs, burst] as const
  const answer = await redis.evalsha(SHA, 1, ...args).catch((fault: unknown) => {
    if (fault instanceof Error && fault.message.startsWith('NOSCRIPT'))
      return redis.eval(takeRateLua, 1, ...args)
    throw fault
  })
  const [word, figure] = answer as [string, string]
  return word === 'ok' ? { waitMs: 0, recent: Number(figure) } : { waitMs: Number(figure), recent: burst }
}

const localCallers = new WeakMap<RedisClient, Map<string, number>>()

/** The same rule in this process alone. */
function takeLocally(redis: RedisClient, id: string, now: number, intervalMs: number, burst: number): Taken {
  const callers = localCallers.get(redis) ?? new Map<string, number>()
  localCallers.set(redis, callers)
  const after = Math.max(callers.get(id) ?? now, now) + intervalMs
  const wait = after - intervalMs * burst - now
  if (wait > 0) return { waitMs: Math.ceil(wait), recent: burst }
  callers.delete(id)
  if (callers.size >= LOCAL_CALLERS_MAX) callers.delete(callers.keys().next().value!)
  callers.set(id, after)
  return { waitMs: 0, recent: Math.ceil((after - now) / intervalMs) }
}
