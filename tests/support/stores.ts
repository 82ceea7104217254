/** Owns the stores of a test file: a database cloned from a migrated template, and a Redis database alone. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Redis from 'ioredis'
import postgres from 'postgres'
import { startPostgres } from '../../dev/stores/postgres.ts'
import { startRedis } from '../../dev/stores/redis.ts'

/** As many as the throw-away Redis is started with, less number 0, which counts. */
const REDIS_DATABASES = 1023
const TEMPLATE = 'onsale_template'
const TEMPLATE_LOCK = 7_110_001

export interface FreshStores {
  databaseUrl: string
  redisUrl: string
  /** Drops the database with whatever is still connected, and empties the Redis database. */
  close(): Promise<void>
}

/** Empty stores with the schema in place, for one test file; call `close` in afterAll. */
export async function freshStores(): Promise<FreshStores> {
  const { postgresUrl, redisUrl } = await runningStores()
  const [database, line] = await Promise.all([cloneDatabase(postgresUrl), nextRedis(redisUrl)])
  return {
    databaseUrl: database.url,
    redisUrl: line.url,
    close: async () => {
      await Promise.all([database.drop(), line.empty()])
    },
  }
}

async function cloneDatabase(serverUrl: string) {
  const admin = postgres(serverUrl, { max: 1, onnotice: () => {} })
  const name = `test_${Bun.randomUUIDv7().replaceAll('-', '')}`
  try {
    await admin`select pg_advisory_lock(${TEMPLATE_LOCK})`
    await makeTemplate(admin, serverUrl)
    await admin.unsafe(`create database ${name} template ${TEMPLATE}`)
  } finally {
    await admin.end()
  }
  const drop = async () => {
    const once = postgres(serverUrl, { max: 1, onnotice: () => {} })
    await once.unsafe(`drop database if exists ${name} with (force)`)
    await once.end()
  }
  return { url: withDatabase(serverUrl, name), drop }
}

/** Renamed only when migrated: a template cut short is never cloned. */
async function makeTemplate(admin: postgres.Sql, serverUrl: string) {
  const [known] = await admin`select 1 from pg_database where datname = ${TEMPLATE}`
  if (known) return
  const growing = `${TEMPLATE}_growing`
  await admin.unsafe(`drop database if exists ${growing} with (force)`)
  await admin.unsafe(`create database ${growing}`)
  const migrations = join(import.meta.dir, '../../db/migrate.ts')
  if (await Bun.file(migrations).exists()) {
    const { migrateLedger } = (await import(migrations)) as { migrateLedger(url: string): Promise<unknown> }
    await migrateLedger(withDatabase(serverUrl, growing))
  }
  await admin.unsafe(`alter database ${growing} rename to ${TEMPLATE}`)
}

async function nextRedis(serverUrl: string) {
  const counter = new Redis(serverUrl)
  const taken = await counter.incr('test-databases')
  const url = new URL(serverUrl)
  url.pathname = `/${1 + (taken % REDIS_DATABASES)}`
  await counter.quit()
  const empty = async () => {
    const client = new Redis(url.href)
    await client.flushdb()
    await client.quit()
  }
  await empty()
  return { url: url.href, empty }
}

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

interface Servers {
  postgresUrl: string
  redisUrl: string
}

const shared = globalThis as typeof globalThis & { onsaleTestServers?: Promise<Servers> }

/** The servers `npm test` brought, else ones of this process, started once and gone with it. */
function runningStores(): Promise<Servers> {
  shared.onsaleTestServers ??= startServers()
  return shared.onsaleTestServers
}

async function startServers(): Promise<Servers> {
  const { TEST_DATABASE_URL: postgresUrl, TEST_REDIS_URL: redisUrl } = process.env
  if (postgresUrl && redisUrl) return { postgresUrl, redisUrl }
  const dir = mkdtempSync(join(tmpdir(), 'onsale-test-'))
  const cacheDir = join(import.meta.dir, '../../.cache')
  const [database, line] = await Promise.all([
    startPostgres({ dir: join(dir, 'postgres'), throwaway: true }),
    startRedis({ dir: join(dir, 'redis'), cacheDir, throwaway: true }),
  ])
  sweepAfterUs(dir, [database.pid, line.pid])
  return { postgresUrl: postgresUrl ?? database.url, redisUrl: redisUrl ?? line.url }
}

/**
 * `bun test` runs no exit handlers, so a shell waits for the end and clears up: a grandchild, since children are
 * killed when a test runs out of time.
 */
function sweepAfterUs(dir: string, pids: number[]) {
  const script =
    '(while kill -0 "$1"; do sleep 0.3; done; kill -9 "$3" "$4"; sleep 1; rm -rf "$2") 2>/dev/null &'
  const words = ['sh', '-c', script, 'sh', String(process.pid), dir, ...pids.map(String)]
  Bun.spawn(words, { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore', detached: true }).unref()
}
