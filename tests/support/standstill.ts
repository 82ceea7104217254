// Owns the moment between reading and writing: moves are kept from writing until all of them have read.
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import type { Db } from '../../db/client.ts'
import { until, type TestLedger } from './a-ledger.ts'

/** Sooner than anybody gives up waiting for a lock. */
const WAITING_WITHIN_MS = 2_800

export interface Standstill {
  /** Resolves when `count` sessions wait for a lock, or `early` comes first. */
  waiting(count: number, early?: Promise<unknown>): Promise<void>
  /** Lets everybody go on. */
  end(): Promise<void>
}

/** Runs `lock` in a transaction of its own and keeps it open. */
export async function standstill({ db, stores }: TestLedger, lock: string): Promise<Standstill> {
  const keeper = postgres(stores.databaseUrl, { max: 1, onnotice: () => {} })
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const { promise: locked, resolve: isLocked } = Promise.withResolvers<void>()
  const held = keeper.begin(async (tx) => {
    await tx.unsafe(lock)
    isLocked()
    await ended
  })
  await Promise.race([locked, held])
  return {
    waiting: (count, early) => untilWaiting(db, count, early),
    async end() {
      end()
      await held
      await keeper.end({ timeout: 1 })
    },
  }
}

/** Resolves when `count` sessions of this database wait for a lock, or `early` has come to its end. */
export async function untilWaiting(db: Db, count: number, early?: Promise<unknown>): Promise<void> {
  let over = false
  const isOver = () => {
    over = true
  }
  void early?.then(isOver, isOver)
  const enough = async () => {
    const [row] = await db.execute<{ waiting: number }>(sql`
      select count(distinct pid)::int as waiting from pg_locks where not granted
        and pid in (select pid from pg_stat_activity where datname = current_database())`)
    return over || row!.waiting >= count
  }
  await until(enough, WAITING_WITHIN_MS, `${count} sessions wait`)
}

/** Nobody can add a booking; reading and locking rows goes on. */
export const NO_NEW_BOOKINGS = 'lock table bookings in share row exclusive mode'
