// Shows what a worker tells of itself: snapshots of its metrics each second, and log lines without anybody's address.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { MetricObjectWithValues, MetricValue } from 'prom-client'
import { connectRedis, type RedisClient } from '../../db/redis.ts'
import { holdSeats } from '../../db/bookings/hold-seats.ts'
import { createLog, describeFault } from '../../worker/log.ts'
import { eventually } from './eventually.ts'
import { createBuyer, createSale, openStage, type SpawnedWorker, type Stage } from './stage.ts'

interface Snapshot {
  process: string
  at: number
  metrics: MetricObjectWithValues<MetricValue<string>>[]
}

let stage: Stage
let worker: SpawnedWorker
let subscriber: RedisClient
const snapshots: Snapshot[] = []

beforeAll(async () => {
  stage = await openStage()
  subscriber = connectRedis(stage.stores.redisUrl, { role: 'subscriber', name: 'telemetry-test' })
  worker = await stage.spawnWorker()
  // Channels know no database number: workers of other tests on the same Redis report here too.
  subscriber.on('message', (_channel, message: string) => {
    const snapshot = JSON.parse(message) as Snapshot
    if (snapshot.process === `worker-${worker.process.pid}`) snapshots.push(snapshot)
  })
  await subscriber.subscribe('metrics')
})
afterAll(async () => {
  subscriber.disconnect()
  await stage.close()
})

function latest(name: string, labels: Record<string, string> = {}): number | undefined {
  const metric = snapshots.at(-1)?.metrics.find((one) => one.name === name)
  return metric?.values.find((value) => Bun.deepEquals(value.labels, labels))?.value
}

test('the contract’s gauges and counters are published about each second', async () => {
  await eventually(() => snapshots.length >= 3)
  const [first, last] = [snapshots[0]!, snapshots.at(-1)!]
  expect((last.at - first.at) / (snapshots.length - 1)).toBeLessThan(2_000)
  expect(last.metrics.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'bookings_total',
      'bookings_expired_total',
      'bookings_pending',
      'outbox_oldest_seconds',
      'queue_jobs',
      'invariant_violations',
      'process_cpu_seconds_total',
    ]),
  )
})

test('what is pending, delayed and broken is measured', async () => {
  const eventId = await createSale(stage.ledger, 10)
  const { accountId } = await createBuyer(stage.ledger)
  const held = await holdSeats(
    { db: stage.ledger.db, redis: stage.redis },
    { accountId, eventId, seats: [0] },
  )
  expect(held.ok).toBe(true)
  await eventually(() => latest('bookings_pending') === 1)
  await eventually(() => latest('queue_jobs', { queue: 'ticket-cleanup', state: 'delayed' }) === 1)
  expect(latest('invariant_violations')).toBe(0)
  expect(latest('outbox_oldest_seconds')).toBe(0)
})

test('a log line has no address, no password of a URL and none of a statement’s values', () => {
  const lines: string[] = []
  const log = createLog('info', (line) => void lines.push(line))
  const cause = Object.assign(new Error('duplicate key'), { code: '23505' })
  const fault = new Error('Failed query: insert into accounts\nparams: ada@mail.test,se-cret', { cause })
  log.error('round_failed', { fault: describeFault(fault) })
  log.warn('connection_failed', {
    fault: describeFault(new Error('cannot reach redis://:se-cret@cache.internal:6379 or <ada@mail.test>')),
  })
  log.debug('not_said')
  expect(lines).toHaveLength(2)
  expect(JSON.parse(lines[0]!)).toMatchObject({
    level: 'error',
    event: 'round_failed',
    fault: '23505 duplicate key',
  })
  expect(lines.join('')).not.toMatch(/se-cret|ada@mail/)
})

test('nothing a worker says names an address', () => {
  expect(worker.lines.join('\n')).not.toContain('@')
})
