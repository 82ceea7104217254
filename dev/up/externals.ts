/** Decides whether a store of somebody else's can be used, before anything of ours is started. */
import postgres from 'postgres'
import { connectRedis, redisReady } from '../../db/redis.ts'

const CONNECT_SECONDS = 5
/** server_version_num of the oldest PostgreSQL the ledger is tested with. */
const LEAST_POSTGRES = 140_000

/** A sentence about what is wrong, or undefined. The address is not repeated: it may hold a password. */
export async function checkPostgres(url: string): Promise<string | undefined> {
  const sql = postgres(url, { max: 1, connect_timeout: CONNECT_SECONDS, onnotice: () => {} })
  try {
    const [row] = await sql<{ number: string; version: string }[]>`
      select current_setting('server_version_num') as number, current_setting('server_version') as version`
    if (Number(row?.number) >= LEAST_POSTGRES) return undefined
    return `DATABASE_URL leads to PostgreSQL ${row?.version}; Onsale needs 14 or newer`
  } catch (error) {
    return `DATABASE_URL cannot be reached: ${reason(error)}`
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** The same for Redis, alone or as a Cluster. */
export async function checkRedis(url: string): Promise<string | undefined> {
  let last: unknown
  const client = connectRedis(url, {
    role: 'commands',
    name: 'onsale-up',
    onError: (error) => (last = error),
  })
  try {
    await redisReady(client)
    await client.ping()
    return undefined
  } catch (error) {
    return `REDIS_URL cannot be reached: ${reason(last ?? error)}`
  } finally {
    client.disconnect()
  }
}

function reason(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reason(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  return error.message || ('code' in error ? String(error.code) : error.name)
}
