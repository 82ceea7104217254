// Decides what `bench growth` measures: what a reservation costs in a ledger after a million bookings, and in an empty one.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import postgres from 'postgres'
import { LEDGER_CHECKS } from '../../db/audit/ledger-checks.ts'
import { countBroken } from '../../db/audit/broken.ts'
import type { Gate } from '../../db/bookings/gate.ts'
import { holdSeats } from '../../db/bookings/hold-seats.ts'
import { connectLedger, type Ledger } from '../../db/client.ts'
import { createCrowd } from '../../db/crowd.ts'
import { migrateLedger } from '../../db/migrate.ts'
import { connectRedis, redisReady, type RedisClient } from '../../db/redis.ts'
import { seedRoles } from '../../db/seed.ts'
import { startPostgres } from '../stores/postgres.ts'
import { startRedis } from '../stores/redis.ts'
import { growthEvent, loadGrowth, type Growth } from './growth-load.ts'
import { cpuSeconds, treeOf } from './processes.ts'
import { median, quantile, type Report, type Row } from './report.ts'

const COST_MAX = 1.2
const CONNECTIONS = 16
const BUYERS = 500
/** Reservations under way at once where the rate counts; one where the latency does. */
const MANY = 64
const CACHE_DIR = join(import.meta.dir, '../../.cache')
/** A whole audit in the worker must not come near its own pace of a minute. */
const AUDIT_MAX_MS = 30_000

interface Side {
  ledger: Ledger
  gate: Gate
  redis: RedisClient
  eventId: string
  buyers: string[]
  /** The next seat that is free. */
  next: number
}
interface Measured {
  /** CPU of Postgres and of this process, ms a reservation. */
  cpuMs: number
  p50: number
  p99: number
}

const say = (sentence: string) => console.error(`bench growth: ${sentence}`)

export async function bench(args: string[]): Promise<Report> {
  const { growth, rounds, holds } = readPlan(args)
  const dir = mkdtempSync(join(tmpdir(), 'onsale-growth-'))
  const [database, line] = await Promise.all([
    startPostgres({ dir: join(dir, 'postgres') }),
    startRedis({ dir: join(dir, 'redis'), cacheDir: CACHE_DIR, throwaway: true }),
  ])
  const sides: Side[] = []
  try {
    const fresh = { events: 1, seats: growth.seats, bookings: 1 }
    sides.push(await openSide(database.url, line.url, 'empty', fresh))
    say(`loading ${growth.bookings.toLocaleString('en')} bookings`)
    const began = performance.now()
    sides.push(await openSide(database.url, line.url, 'grown', growth))
    const loadSeconds = (performance.now() - began) / 1_000
    const [empty, grown] = sides as [Side, Side]
    const pids = () => [process.pid, ...treeOf(database.pid!)]
    for (const side of sides) await reserve(side, holds, MANY, pids)
    const rows: Row[] = []
    for (const [what, atOnce, count] of [
      [`holds, ${MANY} at once`, MANY, holds],
      ['holds, one after another', 1, Math.ceil(holds / 4)],
    ] as const) {
      const pairs: [Measured, Measured][] = []
      for (let round = 0; round < rounds; round++) {
        say(`${what}, ${round + 1} of ${rounds}`)
        const [first, second] = round % 2 === 0 ? [empty, grown] : [grown, empty]
        const measured = new Map([[first, await reserve(first, count, atOnce, pids)]])
        measured.set(second, await reserve(second, count, atOnce, pids))
        pairs.push([measured.get(empty)!, measured.get(grown)!])
      }
      rows.push(...rowsOf(what, pairs))
    }
    rows.push(await auditRow(grown))
    const [{ version } = { version: '' }] = await empty.ledger.sql<{ version: string }[]>`
      select current_setting('server_version') as version`
    rows.push({ what: 'loading', figures: [loadSeconds], unit: 's', ok: null })
    return { bench: 'growth', options: { ...growth, holds, rounds }, versions: { PostgreSQL: version }, rows }
  } finally {
    for (const { ledger, redis } of sides) {
      redis.disconnect()
      await ledger.close()
    }
    await Promise.all([database.stop(), line.stop()])
    rmSync(dir, { recursive: true, force: true })
  }
}

function readPlan(args: string[]): { growth: Growth; rounds: number; holds: number } {
  const { values } = parseArgs({
    args,
    options: {
      events: { type: 'string', default: '10' },
      seats: { type: 'string', default: '100000' },
      bookings: { type: 'string', default: '1000000' },
      rounds: { type: 'string', default: '5' },
      holds: { type: 'string', default: '1000' },
    },
  })
  const number = (name: keyof typeof values) => {
    const value = Number(values[name])
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number above 0`)
    return value
  }
  const [events, seats, bookings] = [number('events'), number('seats'), number('bookings')]
  const [rounds, holds] = [number('rounds'), number('holds')]
  const free = Math.floor(seats / 5)
  const needed = holds + rounds * (holds + Math.ceil(holds / 4))
  if (needed > free)
    throw new Error(`--holds: ${needed} seats are needed, and a fifth of an event is ${free}`)
  return { growth: { events, seats, bookings }, rounds, holds }
}

async function openSide(serverUrl: string, redisUrl: string, name: string, growth: Growth): Promise<Side> {
  const admin = postgres(serverUrl, { max: 1, onnotice: () => {} })
  await admin.unsafe(`create database ${name}`)
  await admin.end()
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  await migrateLedger(url.href)
  const loader = postgres(url.href, { max: 1, onnotice: () => {} })
  await loadGrowth(loader, growth)
  const eventId = await growthEvent(loader, 0)
  await loader.end()
  const ledger = connectLedger(url.href, { max: CONNECTIONS, name, statementTimeoutMs: AUDIT_MAX_MS })
  const redis = connectRedis(`${redisUrl}/${name === 'empty' ? 1 : 2}`, { role: 'commands', name })
  await redisReady(redis)
  await seedRoles(ledger.db)
  const crowd = await createCrowd(ledger.db, {
    count: BUYERS,
    sessionsUntil: new Date(Date.now() + 3_600_000),
  })
  const gate = { db: ledger.db, redis }
  // Free seats begin behind those that were sold.
  const next = Math.ceil(growth.seats * 0.8)
  return { ledger, gate, redis, eventId, buyers: crowd.map(({ id }) => id), next }
}

/** Holds `count` free seats, `atOnce` at a time, each of another buyer. */
async function reserve(side: Side, count: number, atOnce: number, pids: () => number[]): Promise<Measured> {
  const took = new Float64Array(count)
  const before = cpuOf(pids())
  let started = 0
  const buyer = async () => {
    while (started < count) {
      const at = started++
      const n = side.next++
      const accountId = side.buyers[at % side.buyers.length]!
      const began = performance.now()
      const held = await holdSeats(side.gate, { accountId, eventId: side.eventId, seats: [n] })
      if (!held.ok) throw new Error(`seat ${n} was not held: ${held.refusal}`)
      took[at] = performance.now() - began
    }
  }
  await Promise.all(Array.from({ length: atOnce }, buyer))
  const cpuMs = ((cpuOf(pids()) - before) * 1_000) / count
  return { cpuMs, p50: quantile(took, 0.5), p99: quantile(took, 0.99) }
}

/** Backends of the pool live as long as the side, so that no process is lost between two looks. */
const cpuOf = (pids: number[]) => pids.reduce((sum, pid) => sum + (cpuSeconds(pid) ?? 0), 0)

function rowsOf(what: string, pairs: [Measured, Measured][]): Row[] {
  return (['cpuMs', 'p50', 'p99'] as const).map((figure) => {
    const times = median(pairs.map(([empty, grown]) => grown[figure] / empty[figure]))
    const name = { cpuMs: 'CPU a reservation', p50: 'half of them within', p99: '99 % of them within' }[
      figure
    ]
    return {
      what: `${what}: ${name}`,
      figures: pairs.map(([, grown]) => grown[figure]),
      unit: 'ms',
      against: `× ${times.toFixed(2)} of an empty ledger's ${median(pairs.map(([empty]) => empty[figure])).toFixed(2)} (${COST_MAX})`,
      // The slowest of a hundred is the machine's as much as the ledger's.
      ok: figure === 'p99' ? null : times <= COST_MAX,
    }
  })
}

/** What the checks of the ledger cost at this size, and that what was loaded is a ledger. */
async function auditRow({ ledger }: Side): Promise<Row> {
  say('audit of the ledger')
  const began = performance.now()
  const broken: string[] = []
  const slow: string[] = []
  for (const { id, broken: query } of LEDGER_CHECKS) {
    const from = performance.now()
    if ((await countBroken(ledger.db, query)).violations > 0) broken.push(id)
    slow.push(`${id} ${((performance.now() - from) / 1_000).toFixed(1)} s`)
  }
  const ms = performance.now() - began
  return {
    what: 'audit of the ledger',
    figures: [ms / 1_000],
    unit: 's',
    against: `${AUDIT_MAX_MS / 1_000} s, nothing broken`,
    ok: ms <= AUDIT_MAX_MS && broken.length === 0,
    note: broken.length > 0 ? `BROKEN: ${broken.join(', ')}` : slow.join(', '),
  }
}
