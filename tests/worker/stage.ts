// Owns the setting of a worker test: fresh stores, a mail sink, an event on sale, and workers in or out of process.
import { join } from 'node:path'
import type { Subprocess } from 'bun'
import { connectLedger, type Ledger } from '../../db/client.ts'
import { createEvent, publishEvent } from '../../db/events.ts'
import { connectRedis, redisReady, type RedisClient } from '../../db/redis.ts'
import { accounts } from '../../db/schema.ts'
import { createSeats } from '../../db/seats.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'
import { eventually } from './eventually.ts'
import { startSmtpSink, type SmtpSink } from './smtp-sink.ts'

const WORKER = join(import.meta.dir, '../../worker/main.ts')
const READY_WITHIN_MS = 10_000

export interface Stage {
  stores: FreshStores
  ledger: Ledger
  redis: RedisClient
  sink: SmtpSink
  /** A real worker process on these stores; ended with the stage at the latest. */
  spawnWorker(environment?: Record<string, string>): Promise<SpawnedWorker>
  close(): Promise<void>
}

export interface SpawnedWorker {
  process: Subprocess
  /** Everything it has said so far. */
  lines: string[]
}

/** `redisUrl`: a Redis of the test's own, which it may end. */
export async function openStage({ redisUrl }: { redisUrl?: string } = {}): Promise<Stage> {
  const [fresh, sink] = await Promise.all([freshStores(), startSmtpSink()])
  const stores = redisUrl === undefined ? fresh : { ...fresh, redisUrl }
  const ledger = connectLedger(stores.databaseUrl, { max: 8, name: 'worker-test' })
  const redis = connectRedis(stores.redisUrl, { role: 'subscriber', name: 'worker-test' })
  await redisReady(redis)
  const spawned: SpawnedWorker[] = []
  return {
    stores,
    ledger,
    redis,
    sink,
    async spawnWorker(environment = {}) {
      const worker = spawnWorker(stores, sink, environment)
      spawned.push(worker)
      await eventually(() => worker.lines.some((line) => line.includes('worker_started')), READY_WITHIN_MS)
      return worker
    },
    async close() {
      for (const { process } of spawned) process.kill('SIGKILL')
      await Promise.all(spawned.map(({ process }) => process.exited))
      redis.disconnect()
      await ledger.close()
      await sink.close()
      await stores.close()
    },
  }
}

function spawnWorker(
  stores: FreshStores,
  sink: SmtpSink,
  environment: Record<string, string>,
): SpawnedWorker {
  const child = Bun.spawn([process.execPath, WORKER], {
    env: {
      ...process.env,
      DATABASE_URL: stores.databaseUrl,
      REDIS_URL: stores.redisUrl,
      SMTP_URL: sink.url,
      PUBLIC_URL: 'https://tickets.test',
      LOG_LEVEL: 'debug',
      ...environment,
    },
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const lines: string[] = []
  void (async () => {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of child.stdout) {
      const whole = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = whole.pop() ?? ''
      lines.push(...whole)
    }
  })()
  return { process: child, lines }
}

let buyers = 0

/** An account with an address of its own. */
export async function createBuyer(
  ledger: Ledger,
  { verified = true } = {},
): Promise<{ accountId: string; email: string }> {
  buyers += 1
  const [accountId, email] = [Bun.randomUUIDv7(), `buyer-${buyers}@mail.test`]
  const verifiedAt = verified ? new Date() : null
  await ledger.db.insert(accounts).values({ id: accountId, email, fullName: 'Ada', verifiedAt })
  return { accountId, email }
}

/** A published event with one section of `seats` in rows of ten at 50 euros, and its organiser. */
export async function createSale(ledger: Ledger, seats = 40, holdSeconds = 900): Promise<string> {
  const { accountId: ownerId } = await createBuyer(ledger)
  const created = await createEvent(ledger.db, {
    ownerId,
    name: 'Così fan tutte',
    location: 'Musikverein, Wien',
    startsAt: new Date(Date.now() + 30 * 24 * 3_600_000),
    timeZone: 'Europe/Vienna',
    currency: 'EUR',
    holdSeconds,
    maxSeatsPerBooking: 10,
    maxSeatsPerBuyer: 10,
  })
  if (!created.ok) throw new Error(`no event: ${created.refusal}`)
  const eventId = created.event.id
  const section = {
    name: 'Stalls',
    tier: { name: 'Gold', price: 5_000 },
    rows: Math.ceil(seats / 10),
    seatsPerRow: 10,
  }
  const made = await createSeats(ledger.db, eventId, [section])
  if (!made.ok) throw new Error(`no seats: ${made.refusal}`)
  const published = await publishEvent(ledger.db, eventId)
  if (!published.ok) throw new Error(`not published: ${published.refusal}`)
  return eventId
}
