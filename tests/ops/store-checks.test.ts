// Holds what somebody is told who starts Onsale on stores that cannot carry a sale: one clear sentence each.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Redis from 'ioredis'
import postgres from 'postgres'
import { migrateLedger } from '../../db/migrate.ts'
import { checkLedger, checkLine, postgresProblem } from '../../db/store-checks.ts'
import { startPostgres } from '../../dev/stores/postgres.ts'
import { startRedis } from '../../dev/stores/redis.ts'
import { freePort, type RunningStore } from '../../dev/stores/process.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

const ROOT = join(import.meta.dir, '../..')
const START_MS = 60_000
const SECRET = 'a secret of the tests, long enough for HS256'
const AHEAD =
  'The database is one migration ahead of this version of Onsale; start the newer version, or restore the dump from before it'
const REPLICA = 'DATABASE_URL leads to a read-only replica, where nothing can be sold; name the primary'
const READS =
  'DATABASE_URL leads to a PostgreSQL that only reads, where nothing can be sold; name one that writes'
const EVICTS =
  'REDIS_URL leads to a Redis with maxmemory-policy allkeys-lru: when memory is short it would throw places of the line and jobs away; set noeviction'
const FORGETS =
  'REDIS_URL leads to a Redis without appendonly: after a restart everybody in line would have lost the place; set appendonly yes'

let stores: FreshStores
let sql: postgres.Sql
let line: RunningStore
const dir = mkdtempSync(join(tmpdir(), 'onsale-checks-'))
beforeAll(async () => {
  stores = await freshStores()
  sql = postgres(stores.databaseUrl, { max: 1, onnotice: () => {} })
  line = await startRedis({ dir: join(dir, 'redis'), cacheDir: join(ROOT, '.cache') })
}, START_MS)
afterAll(async () => {
  await sql.end()
  await line.stop()
  await stores.close()
  rmSync(dir, { recursive: true, force: true })
})

/** What a process says when it is started on these stores, and how it ends; null when it goes on. */
async function start(script: string, env: Record<string, string>) {
  const child = Bun.spawn([process.execPath, join(ROOT, script)], {
    env: {
      ...process.env,
      PORT: String(await freePort()),
      DATABASE_URL: stores.databaseUrl,
      REDIS_URL: line.url,
      SMTP_URL: 'smtp://127.0.0.1:1',
      JWT_SECRET: SECRET,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const decoder = new TextDecoder()
  for (const stream of [child.stdout, child.stderr])
    void (async () => {
      for await (const chunk of stream) said += decoder.decode(chunk, { stream: true })
    })()
  const deadline = Date.now() + 10_000
  while (child.exitCode === null && !/(server|worker)_started/.test(said) && Date.now() < deadline)
    await Bun.sleep(20)
  const code = child.exitCode
  child.kill('SIGKILL')
  await child.exited
  return { code, said }
}

describe('a PostgreSQL', () => {
  test(
    'that a newer version migrated is not sold from by an older one',
    async () => {
      await sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('from the future', ${Date.now() + 86_400_000})`
      expect((await checkLedger(stores.databaseUrl)).problems).toEqual([AHEAD])
      expect(await migrateLedger(stores.databaseUrl).catch((fault: Error) => fault.message)).toBe(AHEAD)
      for (const [name, script] of [
        ['server', 'server/main.ts'],
        ['worker', 'worker/main.ts'],
      ] as const) {
        const { code, said } = await start(script, {})
        expect([code, said]).toEqual([1, `The ${name} cannot start:\n  - ${AHEAD}\n`])
      }
      await sql`delete from drizzle.__drizzle_migrations where hash = 'from the future'`
      expect(await checkLedger(stores.databaseUrl)).toEqual({ problems: [], unreachable: null })
    },
    START_MS,
  )

  test('that only reads is refused', async () => {
    const [row] = await sql<{ name: string }[]>`select current_database() as name`
    await sql.unsafe(`alter database ${row!.name} set default_transaction_read_only = on`)
    expect((await checkLedger(stores.databaseUrl)).problems).toEqual([READS])
    expect(await migrateLedger(stores.databaseUrl).catch((fault: Error) => fault.message)).toBe(READS)
    await sql.unsafe('set default_transaction_read_only = off')
    await sql.unsafe(`alter database ${row!.name} reset default_transaction_read_only`)
  })

  test('that is too old is told as such', () => {
    const old = { number: '130014', version: '13.14', replica: false, readonly: 'off' }
    expect(postgresProblem(old)).toBe('DATABASE_URL leads to PostgreSQL 13.14; Onsale needs 14 or newer')
    expect(postgresProblem({ ...old, number: '140000' })).toBeNull()
  })

  test(
    'that follows another is refused as the primary',
    async () => {
      const own = join(dir, 'postgres')
      await (await startPostgres({ dir: own, throwaway: true })).stop()
      // It waits for somebody to follow, and is read meanwhile.
      writeFileSync(join(own, 'data/standby.signal'), '')
      const replica = await startPostgres({ dir: own, throwaway: true })
      try {
        expect((await checkLedger(replica.url)).problems).toEqual([REPLICA])
        const { code, said } = await start('server/main.ts', { DATABASE_URL: replica.url })
        expect([code, said]).toEqual([1, `The server cannot start:\n  - ${REPLICA}\n`])
      } finally {
        await replica.stop()
      }
    },
    START_MS,
  )
})

describe('a Redis', () => {
  test(
    'that throws keys away or keeps nothing is refused in production, and only told of in development',
    async () => {
      expect(await checkLine(line.url)).toEqual({ problems: [], unreachable: null })
      const redis = new Redis(line.url)
      await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
      await redis.config('SET', 'appendonly', 'no')
      redis.disconnect()
      const production = await start('server/main.ts', {})
      expect([production.code, production.said]).toEqual([
        1,
        `The server cannot start:\n  - ${EVICTS}\n  - ${FORGETS}\n`,
      ])
      const development = await start('server/main.ts', { EMBEDDED: 'postgres,redis' })
      expect(development.code).toBeNull()
      for (const sentence of [EVICTS, FORGETS]) expect(development.said).toContain(sentence)
    },
    START_MS,
  )

  test('that does not answer holds no start up: it may come back', async () => {
    const { problems, unreachable } = await checkLine('redis://127.0.0.1:1', 200)
    expect([problems, unreachable]).toEqual([[], expect.stringContaining('REDIS_URL cannot be reached')])
  })
})
