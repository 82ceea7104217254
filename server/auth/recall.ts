// Owns the one question to Redis that every signed-in request costs, shared by all that come while it is under way.
import type { RedisClient } from '../../db/redis.ts'
import { together } from '../together.ts'
import { tryRedis } from '../try-redis.ts'
import { PERMISSIONS_VERSION_KEY, sessionKey } from './keys.ts'

/** Sessions asked about in one command. */
const ASKED_AT_ONCE = 500

/** What Redis says; null for a key it does not have. */
export interface Recalled {
  /** Of all roles and permissions. */
  version: string | null
  session: string | null
}

const askers = new WeakMap<RedisClient, (sessionId: string) => Promise<Recalled | undefined>>()

/** Read after the request came, never before: an end or a change that was told by then is seen. Undefined while Redis is away. */
export function recall(redis: RedisClient, sessionId: string): Promise<Recalled | undefined> {
  let ask = askers.get(redis)
  if (!ask) askers.set(redis, (ask = together((ids) => recallAll(redis, ids), ASKED_AT_ONCE)))
  return ask(sessionId)
}

async function recallAll(
  redis: RedisClient,
  sessionIds: string[],
): Promise<(sessionId: string) => Recalled | undefined> {
  const known = [...new Set(sessionIds)]
  const said = await tryRedis(redis, (client) =>
    client.mget(PERMISSIONS_VERSION_KEY, ...known.map(sessionKey)),
  )
  if (!said) return () => undefined
  const [version = null, ...states] = said
  const sessions = new Map(known.map((id, at) => [id, states[at] ?? null]))
  return (id) => ({ version, session: sessions.get(id) ?? null })
}
