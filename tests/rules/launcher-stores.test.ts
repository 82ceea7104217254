/** Holds that the embedded stores keep what they were told, through a kill of the program or of its starter. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import Redis from 'ioredis'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { startPostgres } from '../../dev/stores/postgres.ts'
import { commandOf } from '../../dev/stores/process.ts'
import type { RunningStore } from '../../dev/stores/process.ts'
import { startRedis } from '../../dev/stores/redis.ts'

const cacheDir = join(import.meta.dir, '../../.cache')
/** Redis writes its log to disk once a second. */
const REDIS_SYNC_MS = 1_200

let dir = ''
const running: RunningStore[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'onsale-stores-'))
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((store) => store.stop()))
  rmSync(dir, { recursive: true, force: true })
})

async function kill(store: RunningStore) {
  process.kill(store.pid, 'SIGKILL')
  await store.exited
}

async function withSql<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  return work(sql).finally(() => sql.end({ timeout: 1 }))
}

test('Postgres keeps committed rows over kill -9 and comes back on the same port', async () => {
  const first = await startPostgres({ dir })
  running.push(first)
  await withSql(first.url, async (sql) => {
    await sql`create table kept (n int)`
    await sql`insert into kept values (7)`
  })
  await kill(first)
  const second = await startPostgres({ dir, port: first.port })
  running.push(second)
  const [row] = await withSql(second.url, (sql) => sql`select n, current_setting('fsync') as fsync from kept`)
  expect(row).toEqual({ n: 7, fsync: 'on' })
})

test('Postgres starts although its pid note names a stranger or a leftover of its own', async () => {
  const first = await startPostgres({ dir })
  running.push(first)
  const second = await startPostgres({ dir })
  running.push(second)
  expect(commandOf(first.pid)).toBe('')
  await kill(second)
  const note = join(dir, 'data', 'postmaster.pid')
  const lines = readFileSync(note, 'utf8').split('\n')
  writeFileSync(note, [String(process.pid), ...lines.slice(1)].join('\n'))
  running.push(await startPostgres({ dir }))
})

test('Redis keeps what it was told a second ago over kill -9', async () => {
  const first = await startRedis({ dir, cacheDir })
  running.push(first)
  const client = new Redis(first.url)
  await client.set('kept', 'yes')
  await Bun.sleep(REDIS_SYNC_MS)
  client.disconnect()
  await kill(first)
  const second = await startRedis({ dir, cacheDir, port: first.port })
  running.push(second)
  const again = new Redis(second.url)
  expect(await again.get('kept')).toBe('yes')
  expect(await again.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction'])
  expect(await again.config('GET', 'hz')).toEqual(['hz', '500'])
  again.disconnect()
})

test('a second Redis on the same folder ends the first, so that two never write one file', async () => {
  const first = await startRedis({ dir, cacheDir })
  running.push(first)
  running.push(await startRedis({ dir, cacheDir }))
  expect(commandOf(first.pid)).toBe('')
})

test('a taken port is a sentence that names it', async () => {
  const first = await startRedis({ dir: join(dir, 'a'), cacheDir })
  running.push(first)
  const second = startRedis({ dir: join(dir, 'b'), cacheDir, port: first.port })
  expect(second).rejects.toThrow(String(first.port))
  const database = startPostgres({ dir: join(dir, 'c'), port: first.port })
  expect(database).rejects.toThrow(String(first.port))
  await Promise.allSettled([second, database])
})

test.if(process.platform === 'linux')('the stores end with a starter that is killed', async () => {
  const script = `
    const { startPostgres } = await import(${JSON.stringify(join(import.meta.dir, '../../dev/stores/postgres.ts'))})
    const { startRedis } = await import(${JSON.stringify(join(import.meta.dir, '../../dev/stores/redis.ts'))})
    const dir = ${JSON.stringify(dir)}
    const database = await startPostgres({ dir: dir + '/p' })
    const line = await startRedis({ dir: dir + '/r', cacheDir: ${JSON.stringify(cacheDir)} })
    console.log(database.pid, line.pid)
    setInterval(() => {}, 1000)`
  const starter = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
  const { value } = await starter.stdout.getReader().read()
  const pids = new TextDecoder().decode(value).trim().split(' ').map(Number)
  expect(pids.every((pid) => commandOf(pid) !== '')).toBe(true)
  starter.kill('SIGKILL')
  const deadline = Date.now() + 5_000
  while (pids.some((pid) => commandOf(pid) !== '') && Date.now() < deadline) await Bun.sleep(20)
  expect(pids.map(commandOf)).toEqual(['', ''])
})
