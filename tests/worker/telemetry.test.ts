// Shows what a worker tells of itself: a report of its figures each second, and log lines without anybody's address.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { reportFigures, type FiguresReport } from '../../db/figures/figures.ts'
import { FIGURES_KEY } from '../../db/figures/keys.ts'
import { holdSeats } from '../../db/bookings/hold-seats.ts'
import { measureLedger } from '../../db/ledger-figures.ts'
import { createLog, describeFault } from '../../worker/log.ts'
import { eventually } from './eventually.ts'
import { createBuyer, createSale, openStage, type SpawnedWorker, type Stage } from './stage.ts'

let stage: Stage
let worker: SpawnedWorker
let reader: FiguresReport

beforeAll(async () => {
  stage = await openStage()
  worker = await stage.spawnWorker()
  reader = reportFigures(stage.redis, { name: 'server-0-test', read: async () => [] })
})
afterAll(() => stage.close())

const figures = async () => (await reader.readAll()).parts.flat()
const reportedAt = async () => Number(await stage.redis.hget(FIGURES_KEY, `at:worker-${worker.process.pid}`))

async function latest(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
  const figure = (await figures()).find((one) => one.name === name)
  return figure?.values.find((value) => Bun.deepEquals(value.labels, labels))?.value
}

test('the contract’s gauges and counters are reported about each second', async () => {
  await eventually(async () => (await reportedAt()) > 0)
  const first = await reportedAt()
  await eventually(async () => (await reportedAt()) > first)
  expect((await reportedAt()) - first).toBeLessThan(3_000)
  expect((await reader.readAll()).live).toContain(`worker-${worker.process.pid}`)
  expect((await figures()).map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'bookings_total',
      'bookings_expired_total',
      'tickets_sold_total',
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
  await eventually(
    async () => (await latest('queue_jobs', { queue: 'ticket-cleanup', state: 'delayed' })) === 1,
  )
  expect(await latest('invariant_violations')).toBe(0)
  // A worker that stands still would not say what waits for it: the servers ask the stores themselves.
  expect(await measureLedger(stage.ledger)).toMatchObject({
    bookingsPending: 1,
    outboxOldestSeconds: 0,
    deadLetters: 0,
  })
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
