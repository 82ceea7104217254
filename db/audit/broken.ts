// Owns how an audit counts: all of what is broken, and a few of it in words.
import { sql, type SQL } from 'drizzle-orm'
import type { Db } from '../client.ts'
import type { RedisClient } from '../redis.ts'

export interface AuditStores {
  db: Db
  redis: RedisClient
}

export interface Broken {
  violations: number
  sample: string[]
}

const SAMPLE_MAX = 10

/** Runs a query of one text column, a row for each violation. */
export async function countBroken(db: Db, query: SQL): Promise<Broken> {
  const rows = await db.transaction(async (tx) => {
    // Whole tables are read here, and nowhere else (db/client.ts).
    await tx.execute(sql`set local enable_seqscan = on`)
    return tx.execute<{ what: string; violations: number }>(
      sql`select what, (count(*) over ())::int as violations from (${query}) as broken (what) limit ${SAMPLE_MAX}`,
    )
  })
  return { violations: rows[0]?.violations ?? 0, sample: rows.map(({ what }) => what) }
}

export const listBroken = (list: string[]): Broken => ({
  violations: list.length,
  sample: list.slice(0, SAMPLE_MAX),
})
