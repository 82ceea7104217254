// Shows that a worker outlives its stores: it stays, asks again, goes on where it was, and can be stopped meanwhile.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import postgres from 'postgres'
import { startRedis } from '../../dev/stores/redis.ts'
import { holdSeats } from '../../db/bookings/hold-seats.ts'
import { findBooking } from '../../db/bookings/read-bookings.ts'
import { inTransaction } from '../../db/client.ts'
import { outboxOldestSeconds, stageOutbox } from '../../db/outbox.ts'
import { bookings } from '../../db/schema.ts'
import { eventually } from './eventually.ts'
import { createBuyer, createSale, openStage, type SpawnedWorker, type Stage } from './stage.ts'

const STOP_WITHIN_MS = 10_000

let dir: string
let server: Awaited<ReturnType<typeof startRedis>>
let stage: Stage
let worker: SpawnedWorker

const startOwnRedis = (port?: number) =>
  startRedis({ dir, cacheDir: join(import.meta.dir, '../../.cache'), throwaway: true, ...(port && { port }) })

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'onsale-outage-'))
  server = await startOwnRedis()
  stage = await openStage({ redisUrl: server.url })
  worker = await stage.spawnWorker()
})
afterAll(async () => {
  await stage.close()
  await server.stop()
  rmSync(dir, { recursive: true, force: true })
})

const allSettled = async () => (await outboxOldestSeconds(stage.ledger.db)) === 0

async function stageMail(): Promise<void> {
  const { accountId } = await createBuyer(stage.ledger)
  await inTransaction(stage.ledger.db, (tx) =>
    stageOutbox(tx, { kind: 'send_account_exists', payload: { accountId } }),
  )
}

test('without Redis seats still come back, and the mail follows when Redis does', async () => {
  const { db } = stage.ledger
  const eventId = await createSale(stage.ledger, 10)
  const { accountId } = await createBuyer(stage.ledger)
  const held = await holdSeats({ db, redis: stage.redis }, { accountId, eventId, seats: [0] })
  if (!held.ok) throw new Error(held.refusal)
  const { id } = held.booking

  process.kill(server.pid, 'SIGKILL')
  await server.exited
  await db.update(bookings).set({ expiresAt: new Date() }).where(eq(bookings.id, id))
  await eventually(async () => (await findBooking(db, id))!.status === 'EXPIRED')
  expect(worker.process.exitCode).toBeNull()
  expect(await allSettled()).toBe(false)

  server = await startOwnRedis(server.port)
  await eventually(allSettled)
  expect(stage.sink.mails.at(-1)!.subject).toContain('has expired')
})

test('without Postgres the worker waits, and goes on when it is back', async () => {
  const { databaseUrl } = stage.stores
  const name = new URL(databaseUrl).pathname.slice(1)
  const keeper = postgres(databaseUrl.replace(`/${name}`, '/postgres'), { max: 1, onnotice: () => {} })
  await keeper.unsafe(`alter database ${name} with allow_connections false`)
  await keeper`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`
  const failures = () => worker.lines.filter((line) => line.includes('round_failed')).length
  const before = failures()
  await eventually(() => failures() > before)
  expect(worker.process.exitCode).toBeNull()

  await keeper.unsafe(`alter database ${name} with allow_connections true`)
  await keeper.end()
  const sent = stage.sink.mails.length
  await stageMail()
  await eventually(allSettled)
  expect(stage.sink.mails).toHaveLength(sent + 1)
})

test('a worker without Redis still stops when it is told to', async () => {
  process.kill(server.pid, 'SIGKILL')
  await server.exited
  const started = Date.now()
  worker.process.kill('SIGTERM')
  expect(await worker.process.exited).toBe(0)
  expect(Date.now() - started).toBeLessThan(STOP_WITHIN_MS)
  server = await startOwnRedis(server.port)
})
