// Owns how the schema is brought up to date: once at a time, whoever starts first.
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import { join } from 'node:path'
import postgres from 'postgres'
import { checkLedger } from './store-checks.ts'

const MIGRATIONS_FOLDER = join(import.meta.dir, 'migrations')
/** Any number that no other user of the database takes. */
const MIGRATION_LOCK = 7_245_001
const CONNECT_TIMEOUT_SECONDS = 5

/**
 * Applies every migration that is missing. Several processes may call it at once; one works, the others wait. Throws a
 * sentence a person can act on when this is no PostgreSQL to sell from.
 */
export async function migrateLedger(url: string): Promise<void> {
  const { problems, unreachable } = await checkLedger(url)
  const [problem] = unreachable === null ? problems : [unreachable]
  if (problem !== undefined) throw new Error(problem)
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: CONNECT_TIMEOUT_SECONDS })
  try {
    await sql`select pg_advisory_lock(${MIGRATION_LOCK})`
    await migrate(drizzle(sql), { migrationsFolder: MIGRATIONS_FOLDER })
  } finally {
    await sql.end({ timeout: CONNECT_TIMEOUT_SECONDS })
  }
}
