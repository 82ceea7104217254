// Owns what goes wrong in a rehearsal on purpose: the provider's word comes twice, and Redis is killed in mid-sale.
import { sql } from 'drizzle-orm'
import type { Ledger } from '../../db/client.ts'
import { findRunFile } from '../up/run-file.ts'

/** Of the payments of the shadow: some are never told of (the crowd sees to that), some are told of twice. */
export const LOST_SHARE = 0.1
const DOUBLED_SHARE = 0.2
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
          and created_at > now() - interval '5 seconds' and random() < ${DOUBLED_SHARE}
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

/** Kills Redis where it stands; `up` brings it back. Answers after how many ms another one ran, null if none did. */
export async function killRedis(dataDir: string): Promise<number | null> {
  const pid = findRunFile(dataDir)?.redis.pid
  if (!pid) return null
  const began = performance.now()
  process.kill(pid, 'SIGKILL')
  while (performance.now() - began < BACK_WITHIN_MS) {
    const now = findRunFile(dataDir)?.redis.pid
    if (now && now !== pid) return Math.round(performance.now() - began)
    await Bun.sleep(POLL_MS)
  }
  return null
}
