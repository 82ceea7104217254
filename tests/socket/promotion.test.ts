// Postgres fails over in the middle of a sale: the standby becomes the primary, and whatever was answered is there.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import type { RunningStore } from '../../dev/stores/process.ts'
import { runAudit } from '../../db/audit.ts'
import { connectLedger, type Ledger } from '../../db/client.ts'
import { createCrowd } from '../../db/crowd.ts'
import { connectRedis, redisReady } from '../../db/redis.ts'
import { reconcileSeats } from '../../db/seat-gate/reconcile.ts'
import { seedRoles } from '../../db/seed.ts'
import { createTokens } from '../../server/tokens.ts'
import { anEvent } from '../support/a-ledger.ts'
import { startServerProcesses, type ServerProcesses } from '../support/server-processes.ts'
import { eventually } from '../support/socket-client.ts'
import { STANDBY_BINARIES as binaries, startWithStandby } from '../support/standby.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

const WITHIN_MS = 90_000
const BUYERS = 200
const AT_ONCE = 8
const BEFORE = 40
const AFTER = 80
const TOKEN_MS = 3_600_000
const JWT_SECRET = 'a secret of at least thirty-two bytes, for one test'

let dir: string
let redis: FreshStores
let primary: RunningStore
let standby: RunningStore
let ledger: Ledger
let servers: ServerProcesses

beforeAll(async () => {
  if (!binaries) return
  dir = mkdtempSync(join(tmpdir(), 'onsale-promotion-'))
  redis = await freshStores()
  const started = await startWithStandby({ dir, binaries })
  primary = started.primary
  standby = started.standby
  // Without a standby that has to say yes first, a failover may forget what was answered.
  const admin = postgres(primary.url, { max: 1 })
  await admin`alter system set synchronous_standby_names = '*'`
  await admin`select pg_reload_conf()`
  await eventually('the standby follows', async () => {
    const [row] = await admin`select sync_state from pg_stat_replication`
    return row?.['sync_state'] === 'sync'
  })
  await admin.end()
  const hosts = `127.0.0.1:${primary.port},127.0.0.1:${standby.port}`
  const databaseUrl = `postgres://onsale@${hosts}/postgres?target_session_attrs=primary`
  ledger = connectLedger(databaseUrl, { max: 4, name: 'promotion' })
  await seedRoles(ledger.db)
  const stores = { databaseUrl, redisUrl: redis.redisUrl }
  servers = await startServerProcesses(2, { stores, jwtSecret: JWT_SECRET })
}, WITHIN_MS)

afterAll(async () => {
  await servers?.close()
  await ledger?.close()
  await Promise.all([primary?.stop(), standby?.stop()])
  await redis?.close()
  if (dir) rmSync(dir, { recursive: true, force: true })
}, WITHIN_MS)

test.skipIf(!binaries)(
  'a synchronous standby that is promoted in the middle of a sale keeps every hold that was answered',
  async () => {
    const eventId = await anEvent(ledger.db, { seats: 1_000 })
    const expiresAt = new Date(Date.now() + TOKEN_MS)
    const crowd = await createCrowd(ledger.db, { count: BUYERS, sessionsUntil: expiresAt })
    const { signAccess } = createTokens({ secret: JWT_SECRET })
    const tokens = await Promise.all(
      crowd.map(({ id, email, sessionId }) => signAccess({ accountId: id, sessionId, email, expiresAt })),
    )
    const held: { id: string; at: number }[] = []
    const statuses = new Map<number, number>()
    let asked = 0
    const over = new AbortController()
    const buyer = async () => {
      while (!over.signal.aborted && asked < BUYERS * 5) {
        const n = asked++
        const answer = await fetch(`${servers.url}/api/v1/booking`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${tokens[n % BUYERS]!}`,
            'content-type': 'application/json',
          },
          body: JSON.stringify({ seatIds: [`${eventId}:${n}`] }),
        })
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        const { data } = (await answer.json()) as { data?: { id: string } }
        if (answer.status === 201) held.push({ id: data!.id, at: Date.now() })
        else await Bun.sleep(100)
      }
    }
    const buyers = Promise.all(Array.from({ length: AT_ONCE }, buyer))
    await eventually('the sale has begun', () => held.length >= BEFORE, WITHIN_MS / 3)

    process.kill(primary.pid, 'SIGKILL')
    const gone = Date.now()
    const next = postgres(standby.url, { max: 1 })
    await next`select pg_promote()`
    // The new primary has no standby of its own yet; nobody would ever say yes.
    await next`alter system set synchronous_standby_names = ''`
    await next`select pg_reload_conf()`
    await next.end()
    const promoted = Date.now() - gone
    const firstAfter = () => held.find(({ at }) => at > gone + promoted)
    await eventually('the sale goes on', () => firstAfter() !== undefined, WITHIN_MS / 3)
    const target = held.length + AFTER
    await eventually('as before', () => held.length >= target || asked >= BUYERS * 5, WITHIN_MS / 3)
    over.abort()
    await buyers
    console.log(
      `promoted after ${promoted} ms, first hold after ${firstAfter()!.at - gone} ms; answers`,
      Object.fromEntries(statuses),
    )

    expect([...statuses.keys()].filter((status) => status !== 201 && status !== 503)).toEqual([])
    const kept = await ledger.sql<{ id: string }[]>`select id from bookings where event_id = ${eventId}`
    const ids = new Set(kept.map(({ id }) => id))
    expect(held.filter(({ id }) => !ids.has(id))).toEqual([])
    const cache = connectRedis(redis.redisUrl, { role: 'commands', name: 'promotion' })
    try {
      await redisReady(cache)
      await reconcileSeats({ db: ledger.db, redis: cache }, eventId)
      const lines = await runAudit({ db: ledger.db, redis: cache })
      expect(lines.filter(({ ok }) => !ok)).toEqual([])
    } finally {
      cache.disconnect()
    }
  },
  WITHIN_MS,
)
