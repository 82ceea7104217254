// Decides whether a session is still open, on every request and in every process: Redis remembers, Postgres knows.
import { listOpenSessions } from '../../db/sessions.ts'
import type { Context } from '../context.ts'
import { together } from '../together.ts'
import { ACCESS_TOKEN_SECONDS } from '../tokens.ts'
import { tryRedis } from '../try-redis.ts'
import { sessionKey } from './keys.ts'
import type { Recalled } from './recall.ts'

const OPEN = 'open'
const ENDED = 'ended'
/** How long an end that could not be written to Redis may go unseen. */
const OPEN_SECONDS = 30
/** Longer than any access token of the session lives, so that none outlasts the mark. */
const ENDED_SECONDS = ACCESS_TOKEN_SECONDS + 60

/** Sessions asked about in one statement. */
const ASKED_AT_ONCE = 1_000

type Needs = Pick<Context, 'redis' | 'ledger'>
const askers = new WeakMap<Needs['ledger'], (sessionId: string) => Promise<boolean>>()

/** `recalled` is what Redis said of this session, undefined when it was not to be had. */
export function isOpen(
  needs: Needs,
  sessionId: string,
  recalled: Recalled | undefined,
): boolean | Promise<boolean> {
  if (recalled?.session === OPEN) return true
  if (recalled?.session === ENDED) return false
  return askBoth(needs, sessionId, recalled)
}

async function askBoth({ redis, ledger }: Needs, sessionId: string, recalled: Recalled | undefined) {
  const open = await askLedger(ledger, sessionId)
  // NX: an end marked since Redis was asked is never covered up.
  if (open && recalled)
    await tryRedis(redis, (client) => client.set(sessionKey(sessionId), OPEN, 'EX', OPEN_SECONDS, 'NX'))
  return open
}

/**
 * As isOpen, for sockets, which come by the thousand within seconds: Postgres
 * answers for all of a moment in one statement, and Redis is only asked while Postgres is away.
 */
export async function isOpenForSocket({ redis, ledger }: Needs, sessionId: string): Promise<boolean> {
  try {
    return await askLedger(ledger, sessionId)
  } catch (fault) {
    const known = await tryRedis(redis, (client) => client.get(sessionKey(sessionId)))
    if (known === undefined || known === null) throw fault
    return known === OPEN
  }
}

/** Which of many sessions are open, as Postgres knows it. */
export const openSessions = ({ ledger }: Needs, sessionIds: string[]): Promise<Set<string>> =>
  listOpenSessions(ledger.db, sessionIds)

function askLedger(ledger: Needs['ledger'], sessionId: string): Promise<boolean> {
  let ask = askers.get(ledger)
  if (!ask) {
    ask = together(async (sessionIds: string[]) => {
      const open = await listOpenSessions(ledger.db, sessionIds)
      return (id) => open.has(id)
    }, ASKED_AT_ONCE)
    askers.set(ledger, ask)
  }
  return ask(sessionId)
}

/** Call after the end is committed: from here on no process lets these sessions pass. */
export async function markEnded({ redis }: Pick<Context, 'redis'>, sessionIds: string[]): Promise<void> {
  // Tried even when Redis was just found away: an end matters more than the delay.
  const marks = sessionIds.map((id) => redis.set(sessionKey(id), ENDED, 'EX', ENDED_SECONDS))
  await Promise.allSettled(marks)
}
