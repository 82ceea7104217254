// Decides whether the stores a process was given can carry a sale, in sentences a person can act on.
import postgres from 'postgres'
import journal from './migrations/meta/_journal.json'
import { connectRedis, redisReady } from './redis.ts'
import { readRedisHealth, redisProblems } from './redis-health.ts'

/** For whoever starts everything; a process that is started again while a store is away must not wait for it long. */
const ANSWER_WITHIN_MS = 5_000
export const RESTART_WITHIN_MS = 1_500
/** server_version_num of the oldest PostgreSQL the ledger is tested with. */
const LEAST_POSTGRES = 140_000
const UNDEFINED_TABLE = '42P01'

/** What was found; `unreachable` when the store did not answer, which may pass. */
export interface StoreCheck {
  problems: string[]
  unreachable: string | null
}

/** Addresses are never repeated: they may hold a password. */
export async function checkLedger(url: string, withinMs = ANSWER_WITHIN_MS): Promise<StoreCheck> {
  const sql = postgres(url, { max: 1, connect_timeout: withinMs / 1_000, onnotice: () => {} })
  try {
    return { problems: await ledgerProblems(sql), unreachable: null }
  } catch (fault) {
    return { problems: [], unreachable: `DATABASE_URL cannot be reached: ${reason(fault)}` }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function ledgerProblems(sql: postgres.Sql): Promise<string[]> {
  const [row] = await sql<PostgresKind[]>`
    select current_setting('server_version_num') as number, current_setting('server_version') as version,
      pg_is_in_recovery() as replica, current_setting('transaction_read_only') as readonly`
  if (!row) throw new Error('PostgreSQL told nothing')
  const problem = postgresProblem(row)
  return problem === null ? aheadProblems(sql) : [problem]
}

export interface PostgresKind {
  /** server_version_num and server_version. */
  number: string
  version: string
  replica: boolean
  /** `on` or `off`. */
  readonly: string
}

/** Why nothing can be sold from a PostgreSQL of this kind; null when it can. */
export function postgresProblem({ number, version, replica, readonly }: PostgresKind): string | null {
  if (Number(number) < LEAST_POSTGRES)
    return `DATABASE_URL leads to PostgreSQL ${version}; Onsale needs 14 or newer`
  if (replica) return 'DATABASE_URL leads to a read-only replica, where nothing can be sold; name the primary'
  return readonly === 'on'
    ? 'DATABASE_URL leads to a PostgreSQL that only reads, where nothing can be sold; name one that writes'
    : null
}

/** A newer version of Onsale was here: its schema may mean something else than this code believes. */
async function aheadProblems(sql: postgres.Sql): Promise<string[]> {
  const latest = Math.max(...journal.entries.map(({ when }) => when))
  const [row] = await sql<{ ahead: number }[]>`
    select count(*)::int as ahead from drizzle.__drizzle_migrations where created_at > ${latest}`.catch(
    (fault: unknown) => {
      // Nothing was ever migrated here.
      if (fault instanceof postgres.PostgresError && fault.code === UNDEFINED_TABLE) return []
      throw fault
    },
  )
  const ahead = row?.ahead ?? 0
  if (ahead === 0) return []
  return [
    `The database is ${ahead === 1 ? 'one migration' : `${ahead} migrations`} ahead of this version of Onsale; start the newer version, or restore the dump from before it`,
  ]
}

/** The same for Redis, alone or as a Cluster. */
export async function checkLine(url: string, withinMs = ANSWER_WITHIN_MS): Promise<StoreCheck> {
  let last: unknown
  const client = connectRedis(url, {
    role: 'commands',
    name: 'onsale-check',
    onError: (error) => (last = error),
  })
  try {
    await redisReady(client, withinMs)
    return { problems: redisProblems(await readRedisHealth(client)), unreachable: null }
  } catch (fault) {
    return { problems: [], unreachable: `REDIS_URL cannot be reached: ${reason(last ?? fault)}` }
  } finally {
    client.disconnect()
  }
}

function reason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reason(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  return error.message || ('code' in error ? String(error.code) : error.name)
}
