// Holds what a person would see at three in the morning: a real Prometheus, a whole stack, a small sale, and every fault.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import Redis from 'ioredis'
import postgres from 'postgres'
import { alertQuestions, findEmpty, panelQuestions } from '../../dev/surge/watched.ts'
import { roomKey } from '../../server/room/keys.ts'
import { fillInside, openSaleRoom } from '../support/journey-room.ts'
import { missingPrometheus, startPrometheus, type Prometheus } from '../support/prometheus.ts'
import { eventually } from '../support/socket-client.ts'
import { startWholeStack, type WholeStack } from '../support/whole-stack.ts'

const CROWD = join(import.meta.dir, '../../dev/crowd.ts')
const START_MS = 120_000
const TEST_MS = 180_000
const FIRES_WITHIN_MS = 90_000
const BUYERS = 30
/** Both spread the sale over several scrapes: what happens between two of them has no rate. */
const THINK_SECONDS = 2
const SECOND_WAVE_MS = 3_000
const TOKEN = 'a-token-for-prometheus'
/** The address's burst of server/rate-limit.ts is 2000; these are refused whoever asks. */
const REQUESTS = 3_000
const AT_ONCE = 100
const LOCKED_SECONDS = 2.5
/** The first of an answer never given before begins its series, and only what comes after has a rate. */
const LOCKS = 4
/** PostgreSQL takes 200. */
const CONNECTIONS = 165
/** Of a hundred looks at the clock at least one is late. */
const STOPS = 14
const STOPPED_MS = 350
const GOING_MS = 60
const COUNTED = [
  'http_requests_total',
  'tickets_sold_total',
  'bookings_total',
  'room_admitted_total',
  'event_loop_lag_seconds_count',
]
const ALERTS_CAUSED = [
  'OnsaleOutboxOld',
  'OnsaleWorkerGone',
  'OnsaleLineStalled',
  'OnsalePostgresFull',
  'OnsaleRefusing',
  'OnsaleSlow',
  'OnsaleLoopLag',
  'OnsaleRedisEvicts',
]
/** So much later an alert in a hurry would have called. */
const HEARD_OF_MS = 4_000
const NOBODYS_BOOKING = '0199d0c0-0000-7000-8000-000000000000'

const signal = (pid: number, name: NodeJS.Signals) => process.kill(pid, name)
const askUnsigned = (url: string) => fetch(`${url}/api/v1/auth/me`).then((answer) => answer.text())

/** Answers the exit code: 0 when everybody was served in order. */
function sendCrowd({ url, demo }: WholeStack['run']): Promise<number> {
  const asked = { event: demo!.eventId, buyers: BUYERS, pay: 0.8, think: THINK_SECONDS, url }
  const words = Object.entries(asked).flatMap(([name, value]) => [`--${name}`, String(value)])
  return Bun.spawn([process.execPath, CROWD, ...words, '--json'], { stdio: ['ignore', 'ignore', 'ignore'] })
    .exited
}

const absent = missingPrometheus()
describe.skipIf(absent)('a stack that is watched', () => {
  let stack: WholeStack
  let prometheus: Prometheus
  let sql: postgres.Sql
  let redis: Redis
  let buyer: string

  beforeAll(async () => {
    stack = await startWholeStack({ SERVERS: '2', METRICS_TOKEN: TOKEN })
    const { run } = stack
    sql = postgres(run.postgres.url, { max: 4, onnotice: () => {} })
    redis = new Redis(run.redis.url)
    redis.on('error', () => {})
    prometheus = await startPrometheus({ target: new URL(run.url).host, token: TOKEN, hurried: true })
    // Its first scrape comes up to five seconds late, and what was counted before has no rate.
    await eventually('it scrapes', async () => (await prometheus.target())?.health === 'up', FIRES_WITHIN_MS)
    const crowds = await Promise.all([sendCrowd(run), Bun.sleep(SECOND_WAVE_MS).then(() => sendCrowd(run))])
    expect(crowds).toEqual([0, 0])
    const made = await fetch(`${run.url}/api/v1/dev/buyers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"count":1}',
    })
    buyer = ((await made.json()) as { data: { accessToken: string }[] }).data[0]!.accessToken
  }, START_MS)
  afterAll(async () => {
    await prometheus?.stop()
    await sql?.end({ timeout: 1 })
    redis?.disconnect()
    await stack?.stop()
  }, START_MS)

  const fires = (name: string) =>
    eventually(`${name} fires`, async () => (await prometheus.firing()).includes(name), FIRES_WITHIN_MS)
  const run = () => stack.now()
  const admitted = async () => (await prometheus.query('sum(room_admitted_total)'))[0]!.value
  const pay = () =>
    fetch(`${run().url}/api/v1/payment/${NOBODYS_BOOKING}/confirm`, {
      method: 'POST',
      headers: { authorization: `Bearer ${buyer}`, 'content-type': 'application/json' },
      body: '{"method":"sandbox_ok"}',
    })

  /** And a row that it does not see to. */
  async function freezeWorker(): Promise<number> {
    const { pid } = run().worker
    signal(pid, 'SIGSTOP')
    await sql`insert into outbox (kind, payload, created_at)
      values ('booking_expired', '{"eventId":"","bookingId":""}', now() - interval '61 seconds')`
    return pid
  }

  async function crowdPostgres(): Promise<postgres.Sql> {
    const many = postgres(run().postgres.url, { max: CONNECTIONS, onnotice: () => {}, connect_timeout: 20 })
    await Promise.all(Array.from({ length: CONNECTIONS }, () => many`select pg_sleep(0.5)`))
    return many
  }

  async function flood(): Promise<void> {
    for (let sent = 0; sent < REQUESTS; sent += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, () => askUnsigned(run().url)))
  }

  /** Payments of that time wait for the table. */
  async function lockBookings(): Promise<void> {
    let paying: Promise<unknown> = Promise.resolve()
    await sql.begin(async (tx) => {
      await tx`lock table bookings in access exclusive mode`
      paying = Promise.all([pay(), pay(), pay()])
      await tx`select pg_sleep(${LOCKED_SECONDS})`
    })
    await paying
  }

  async function comeLate(): Promise<void> {
    const pids = run().servers.map(({ pid }) => pid)
    for (let stops = 0; stops < STOPS; stops += 1) {
      for (const pid of pids) signal(pid, 'SIGSTOP')
      await Bun.sleep(STOPPED_MS)
      for (const pid of pids) signal(pid, 'SIGCONT')
      await Bun.sleep(GOING_MS)
    }
  }

  /** Until somebody is called: whoever asks the provider waits for its book. */
  async function silenceProvider(): Promise<void> {
    await sql.begin(async (tx) => {
      await tx`lock table sandbox_charges in access exclusive mode`
      await fires('OnsaleHoldsFrozen')
    })
  }

  /** Whoever has the only pass keeps it, and one waits behind: seen by a Prometheus that came after the last admission. */
  async function stopLine(): Promise<void> {
    const before = await admitted()
    const room = await openSaleRoom({ run })
    await fillInside(room)
    const [waiting] = await room.strangers(1)
    await eventually('it is told', async () => (await admitted()) === before + 1, FIRES_WITHIN_MS)
    const late = await startPrometheus({ target: new URL(run().url).host, token: TOKEN, hurried: true })
    const calls = async () => (await late.firing()).includes('OnsaleLineNotMoving')
    try {
      await eventually('OnsaleLineNotMoving fires', calls, FIRES_WITHIN_MS)
      await room.set({ activeMax: 2 })
      const called = async () => (await waiting!.me()).state === 'called'
      await eventually('the next is called', called, FIRES_WITHIN_MS)
      await waiting!.claim()
      await eventually('it calls no more', async () => !(await calls()), FIRES_WITHIN_MS)
    } finally {
      await late.stop()
    }
  }

  async function makeRedisEvict(): Promise<void> {
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await redis.config('SET', 'maxmemory', '1mb')
    await redis.set('filler', 'x'.repeat(100_000)).catch(() => {})
  }

  test(
    'no panel and no alert is without data after a sale',
    async () => {
      const asked = [...panelQuestions(), ...alertQuestions()]
      expect(asked.length).toBeGreaterThan(80)
      expect(await findEmpty(prometheus, asked, { since: Date.now(), withinMs: FIRES_WITHIN_MS })).toEqual([])
      const [sold] = await prometheus.query('sum(tickets_sold_total)')
      expect(sold!.value).toBeGreaterThan(BUYERS)
      const [servers] = await prometheus.query('sum(processes{kind="server"})')
      expect(servers!.value).toBe(2)
      expect(await prometheus.firing()).toEqual([])
    },
    TEST_MS,
  )

  test(
    'holds that stand still call somebody, and so does a line that does not move although it could',
    async () => {
      await Promise.all([silenceProvider(), stopLine()])
      await eventually('all is well', async () => (await prometheus.firing()).length === 0, FIRES_WITHIN_MS)
    },
    TEST_MS,
  )

  test(
    'a Redis that is away calls somebody, and not for the worker that it no longer tells of',
    async () => {
      const redisPid = run().redis.pid!
      signal(redisPid, 'SIGSTOP')
      await fires('OnsaleStoreAway')
      await eventually(
        'nobody hears of the worker',
        async () => {
          const [workers] = await prometheus.query('sum(processes{kind="worker"})')
          return workers?.value === 0
        },
        FIRES_WITHIN_MS,
      )
      await Bun.sleep(HEARD_OF_MS)
      const called = await prometheus.firing()
      signal(redisPid, 'SIGCONT')
      expect(called).not.toContain('OnsaleWorkerGone')
      await eventually('all is well', async () => (await prometheus.firing()).length === 0, FIRES_WITHIN_MS)
    },
    TEST_MS,
  )

  test(
    'every fault calls somebody',
    async () => {
      await pay()
      await sql`update bookings set total = total + 1 where id = (select id from bookings limit 1)`
      await sql`insert into outbox (kind, payload, dead_at) values ('booking_expired', '{}', now())`
      // The audit runs when a worker starts, then once a minute.
      signal(run().worker.pid, 'SIGKILL')
      signal(run().servers[0]!.pid, 'SIGKILL')
      await Promise.all([fires('OnsaleInvariantViolated'), fires('OnsaleDeadLetters')])
      const called = ALERTS_CAUSED.map(fires)
      const frozen = await freezeWorker()
      const key = roomKey(run().demo!.eventId, 'turns')
      await redis.del(key)
      await redis.set(key, 'not what a script expects')
      const many = await crowdPostgres()
      await flood()
      for (let locks = 0; locks < LOCKS && !(await prometheus.firing()).includes('OnsaleSlow'); locks += 1)
        await lockBookings()
      await comeLate()
      // A server and a worker died meanwhile: rates saw no counter begin anew.
      for (const name of COUNTED) {
        const [resets] = await prometheus.query(`sum(resets(${name}[5m]))`)
        expect([name, resets?.value]).toEqual([name, 0])
      }
      await makeRedisEvict()
      await Promise.all(called)
      signal(frozen, 'SIGCONT')
      await many.end({ timeout: 1 })
    },
    TEST_MS,
  )

  test(
    'a wrong token is said on the page of targets, and nobody who answers a scrape calls somebody',
    async () => {
      const wrong = await startPrometheus({
        target: new URL(run().url).host,
        token: 'another-token',
        hurried: true,
      })
      await eventually('the target is down', async () => (await wrong.target())?.health === 'down')
      expect((await wrong.target())?.lastError).toContain('401')
      await wrong.stop()
      await stack.stop()
      await fires('OnsaleScrapeDown')
      expect((await prometheus.target())?.lastError).not.toBe('')
    },
    TEST_MS,
  )
})
