// Shows a whole sale on a Redis that sentinels watch: its master is killed in the midst of it, the replica takes over, and
// every seat is sold once.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runAudit } from '../../db/audit.ts'
import { redisReady } from '../../db/redis.ts'
import { Api } from '../../dev/crowd/api.ts'
import { newRecord, runBuyer } from '../../dev/crowd/buyer.ts'
import { joinBySocket } from '../../dev/crowd/line.ts'
import { makeReport } from '../../dev/crowd/report.ts'
import { Seats } from '../../dev/crowd/seats.ts'
import { startRedisSentinels, type RedisSentinels } from '../../dev/stores/redis-sentinels.ts'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'
import { startBackOffice } from '../support/back-office.ts'
import { eventually } from '../support/socket-client.ts'

const ROOM = { activeMax: 4, doorSeconds: 30, passSeconds: 300, graceSeconds: 60 }
const SEATS = 20
const BUYERS = 24
/** So many are sold when the master is killed. */
const SOLD_BEFORE = 6
const DOWN_AFTER_MS = 1_000
/** A vote that failed is held again after 4 s, and a sentinel that stood still for 2 s keeps out of it for 30. */
const GOES_ON_WITHIN_MS = 60_000
const SALE_WITHIN_MS = 90_000
const TEST_MS = 180_000
const THINK_MS = 200
const PATIENCE_MS = 500
/** What buyers may be told while the master is away, and when all is well. */
const IN_ORDER = ['store_unavailable', 'overloaded', 'idempotency_in_progress', 'seat_taken', 'seat_locked']

const dir = mkdtempSync(join(tmpdir(), 'onsale-sentinel-'))
let sentinels: RedisSentinels
let one: AppHarness
let two: AppHarness
let worker: { stop(): Promise<void> }
beforeAll(async () => {
  const cacheDir = join(import.meta.dir, '../../.cache')
  sentinels = await startRedisSentinels({ dir, cacheDir, downAfterMs: DOWN_AFTER_MS, password: 'asked' })
  one = await startApp({ redisUrl: sentinels.url, rateLimit: false })
  two = await startApp({ redisUrl: sentinels.url, rateLimit: false, serverIndex: 1 }, one)
  await Promise.all([redisReady(one.context.redis), redisReady(two.context.redis)])
  worker = startBackOffice(one, sentinels.url)
}, START_WITHIN_MS)
afterAll(async () => {
  await worker?.stop()
  await two?.close()
  await one?.close()
  await sentinels?.stop()
  rmSync(dir, { recursive: true, force: true })
}, START_WITHIN_MS)

test(
  'a sale goes on when the master is killed, and every seat is sold once',
  async () => {
    const { eventId } = await one.event({ room: ROOM })
    const refusals = new Map<string, number>()
    const { over } = await sell(eventId, refusals)
    const underWay = async () => (await soldSeats(eventId)) >= SOLD_BEFORE
    await eventually('the sale is under way', underWay, GOES_ON_WITHIN_MS)

    const before = await soldSeats(eventId)
    process.kill(sentinels.master.pid, 'SIGKILL')
    const killedAt = performance.now()
    const since = () => ((performance.now() - killedAt) / 1_000).toFixed(1)
    const [written, heard] = await Promise.all([writeSucceeds().then(since), announcementHeard().then(since)])
    const told = `writes go on after ${written} s, announcements are heard after ${heard} s`
    expect(before).toBeLessThan(SEATS)

    const records = await over
    const { outcomes, overtakings } = makeReport(records, refusals, 0)
    console.log(`${told}; ${before} of ${SEATS} seats sold before, all of them ${since()} s after the kill`)
    expect(outcomes).toEqual({ bought: SEATS, sold_out: BUYERS - SEATS })
    expect(overtakings).toEqual([])
    expect([...refusals.keys()].filter((code) => !IN_ORDER.includes(code))).toEqual([])
    expect(await soldSeats(eventId)).toBe(SEATS)
    expect(await sentinels.masterPort()).toBe(sentinels.replica.port)
    const { ledger, redis } = one.context
    await eventually(
      'the audit is clean',
      async () => (await runAudit({ db: ledger.db, redis })).every(({ ok }) => ok),
      GOES_ON_WITHIN_MS,
    )
  },
  TEST_MS,
)

/** Buyers at both servers in turn, each for one seat. Resolves when they are on their way. */
async function sell(eventId: string, refusals: Map<string, number>) {
  const events = { refused: (code: string) => void refusals.set(code, (refusals.get(code) ?? 0) + 1) }
  const deadline = Date.now() + SALE_WITHIN_MS
  const seats = new Seats(new Api(one.url, undefined, deadline, events), eventId)
  await seats.look()
  const people = await one.people(BUYERS)
  const records = people.map(newRecord)
  const plan = { party: 1, pays: true, patienceMs: PATIENCE_MS, thinkMs: THINK_MS, deadline, eventId }
  const done = people.map(({ token }, index) => {
    const { url } = index % 2 === 0 ? one : two
    const world = {
      api: new Api(url, token, deadline, events),
      seats,
      join: (listen: Parameters<typeof joinBySocket>[0]['listen']) =>
        joinBySocket({ url, eventId, token, listen }),
    }
    return runBuyer({ ...plan, room: true }, world, records[index]!)
  })
  return { over: Promise.all(done).then(() => records) }
}

/** Resolves when the Redis of a server takes a write. Throws with what it said instead, and whom the sentinels name. */
async function writeSucceeds(): Promise<void> {
  const { redis } = one.context
  const faults = new Set<string>()
  const written = () =>
    redis.set('sentinel-test', '1').then(
      () => true,
      (fault: Error) => {
        faults.add(fault.message)
        return false
      },
    )
  await eventually('somebody can write again', written, GOES_ON_WITHIN_MS).catch(async (late: Error) => {
    const { master, replica } = sentinels
    const named = await sentinels.masterPort()
    throw new Error(
      `${late.message}: ${[...faults].join(', ')}; connection ${redis.status}; sentinels name ${named}, ` +
        `master was ${master.port}, replica ${replica.port}; ${await replica.client.info('replication')}`,
    )
  })
}

/** Resolves when what one server publishes is heard at the other. */
async function announcementHeard(): Promise<void> {
  const channel = 'sentinel-test'
  let heard = false
  const ignore = two.context.channels.listen(channel, () => void (heard = true))
  const announced = async () => {
    await one.context.redis.publish(channel, 'there').catch(() => {})
    return heard
  }
  await eventually('announcements are heard again', announced, GOES_ON_WITHIN_MS)
  ignore()
}

async function soldSeats(eventId: string): Promise<number> {
  const [row] = await one.context.ledger.sql<{ sold: number }[]>`
    select count(*)::int as sold from seats where event_id = ${eventId} and status = 'SOLD'`
  return row!.sold
}
