// Owns the moment between reading and writing: moves are kept from writing until all of them have read.
import postgres from 'postgres'
import { until } from './a-ledger.ts'

export interface Standstill {
  /** Resolves when `count` sessions of this database wait for a lock, or `early` comes first. */
  waiting(count: number, early?: Promise<unknown>): Promise<void>
  /** Lets everybody go on. */
  end(): Promise<void>
}

/** Runs `lock` in a transaction of its own and keeps it open. */
export async function standstill(databaseUrl: string, lock: string): Promise<Standstill> {
  const sql = postgres(databaseUrl, { max: 2, onnotice: () => {} })
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const { promise: locked, resolve: isLocked } = Promise.withResolvers<void>()
  const held = sql.begin(async (tx) => {
    await tx.unsafe(lock)
    isLocked()
    await ended
  })
  await Promise.race([locked, held])
  return {
    async waiting(count, early) {
      let over = false
      void early?.then(
        () => (over = true),
        () => (over = true),
      )
      const enough = async () => {
        const [row] = await sql<{ waiting: number }[]>`
          select count(distinct pid)::int as waiting from pg_locks where not granted
            and pid in (select pid from pg_stat_activity where datname = current_database())`
        return over || row!.waiting >= count
      }
      await until(enough, 2_800, `${count} sessions wait`)
    },
    async end() {
      end()
      await held
      await sql.end({ timeout: 1 })
    },
  }
}

/** Nobody can add a booking; reading and locking rows goes on. */
export const NO_NEW_BOOKINGS = 'lock table bookings in share row exclusive mode'
