// Owns what goes wrong in a rehearsal on purpose: the provider's word comes twice, and Redis is killed in mid-sale.
import { sql } from 'drizzle-orm'
import type { Ledger } from '../../db/client.ts'
import { findRunFile } from '../up/run-file.ts'

/** Of the payments of the shadow some are never told of; the crowd sees to that. */
export const LOST_SHARE = 0.1
/** Of so many that are told of, one is told of twice. */
const DOUBLED_OF = 5
const DOUBLE_EVERY_MS = 1_000
const BACK_WITHIN_MS = 30_000
const POLL_MS = 100

/** Starts telling settled payments of `eventId` once more; the returned function ends it, and says how many. */
export function doubleWebhooks({ db }: Ledger, eventId: string): () => number {
  let doubled = 0
  let working = false
  const timer = setInterval(async () => {
    if (working) return
    working = true
    try {
      const rows = await db.execute(sql`
        update sandbox_charges set webhook_due_at = now(), webhook_attempts = 1
        where metadata ->> 'eventId' = ${eventId} and webhook_due_at is null and webhook_attempts = 1
          and created_at > now() - interval '5 seconds' and hashtext(ref) % ${DOUBLED_OF} = 0
        returning ref`)
      doubled += rows.length
    } finally {
      working = false
    }
  }, DOUBLE_EVERY_MS)
  return () => {
    clearInterval(timer)
    return doubled
  }
}

/** Payments of `eventId` that no webhook told of, by the provider's own book: money moved, and nobody heard. */
export async function countLost({ db }: Ledger, eventId: string): Promise<number> {
  const [row] = await db.execute<{ lost: number }>(sql`
    select count(*)::int as lost from sandbox_charges
    where metadata ->> 'eventId' = ${eventId} and outcome = 'captured'
      and webhook_due_at is null and webhook_attempts = 0`)
  return row?.lost ?? 0
}

export interface RedisFault {
  /** ms since the epoch; null when the sale never came to the moment at which it dies. */
  killedAt: number | null
  /** After how many ms another one ran; null when none did. */
  backMs: number | null
}

/** Kills Redis where it stands; `up` brings it back. */
export async function killRedis(dataDir: string): Promise<RedisFault> {
  const pid = findRunFile(dataDir)?.redis.pid
  if (!pid) return { killedAt: null, backMs: null }
  const killedAt = Date.now()
  process.kill(pid, 'SIGKILL')
  while (Date.now() - killedAt < BACK_WITHIN_MS) {
    const now = findRunFile(dataDir)?.redis.pid
    if (now && now !== pid) return { killedAt, backMs: Date.now() - killedAt }
    await Bun.sleep(POLL_MS)
  }
  return { killedAt, backMs: null }
}
