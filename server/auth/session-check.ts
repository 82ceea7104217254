// Decides whether a session is still open, on every request and in every process: Redis remembers, Postgres knows.
import { isSessionOpen } from '../../db/sessions.ts'
import type { Context } from '../context.ts'
import { ACCESS_TOKEN_SECONDS } from '../tokens.ts'
import { tryRedis } from '../try-redis.ts'
import { sessionKey } from './keys.ts'

const OPEN = 'open'
const ENDED = 'ended'
/** How long an end that could not be written to Redis may go unseen. */
const OPEN_SECONDS = 30
/** Longer than any access token of the session lives, so that none outlasts the mark. */
const ENDED_SECONDS = ACCESS_TOKEN_SECONDS + 60

type Needs = Pick<Context, 'redis' | 'ledger'>

export async function isOpen({ redis, ledger }: Needs, sessionId: string): Promise<boolean> {
  const known = await tryRedis(redis, (client) => client.get(sessionKey(sessionId)))
  if (known === OPEN) return true
  if (known === ENDED) return false
  const open = await isSessionOpen(ledger.db, sessionId)
  // NX: an end marked since the read above is never covered up.
  if (open && known !== undefined)
    await tryRedis(redis, (client) => client.set(sessionKey(sessionId), OPEN, 'EX', OPEN_SECONDS, 'NX'))
  return open
}

/** Call after the end is committed: from here on no process lets these sessions pass. */
export async function markEnded({ redis }: Pick<Context, 'redis'>, sessionIds: string[]): Promise<void> {
  // Tried even when Redis was just found away: an end matters more than the delay.
  const marks = sessionIds.map((id) => redis.set(sessionKey(id), ENDED, 'EX', ENDED_SECONDS))
  await Promise.allSettled(marks)
}
