// Holds the breaker to its promise: an outage of Redis costs everybody together one patience, and then nobody any time.
import { expect, test } from 'bun:test'
import type { RedisClient } from '../../db/redis.ts'
import { askRedis, REDIS_LOOK_EVERY_MS, REDIS_PATIENCE_MS } from '../../db/redis-breaker.ts'

/** Answers a question when `awake`, and otherwise never. */
function aRedis() {
  const redis = { status: 'ready', awake: true, asked: 0, pings: 0 }
  const answer = () => (redis.awake ? Promise.resolve('PONG') : new Promise<never>(() => {}))
  const client = {
    get status() {
      return redis.status
    },
    ping: () => ((redis.pings += 1), answer()),
    get: () => ((redis.asked += 1), answer()),
  }
  return { redis, client: client as unknown as RedisClient }
}
const ask = (client: RedisClient) => askRedis(client, (redis) => redis.get('key'))
async function timed<T>(work: Promise<T>): Promise<{ took: number; said: T }> {
  const from = performance.now()
  const said = await work
  return { took: performance.now() - from, said }
}

test('who waits longest releases all who wait, and whoever comes then is not kept at all', async () => {
  const { redis, client } = aRedis()
  expect(await ask(client)).toBe('PONG')
  redis.awake = false
  const first = timed(ask(client))
  await Bun.sleep(REDIS_PATIENCE_MS * 0.8)
  const later = await Promise.all(Array.from({ length: 50 }, () => timed(ask(client))))
  expect((await first).said).toBeUndefined()
  for (const { took, said } of later) {
    expect(said).toBeUndefined()
    expect(took).toBeLessThan(REDIS_PATIENCE_MS * 0.6)
  }
  const asked = redis.asked
  const { took } = await timed(ask(client))
  expect(took).toBeLessThan(50)
  expect(redis.asked).toBe(asked)
})

test('a Redis that answers again is asked again, and is looked for no more often than stated', async () => {
  const { redis, client } = aRedis()
  redis.awake = false
  await ask(client)
  for (let i = 0; i < 10; i++) await ask(client)
  expect(redis.pings).toBe(0)
  await Bun.sleep(REDIS_LOOK_EVERY_MS + 20)
  redis.awake = true
  for (let i = 0; i < 10; i++) void ask(client)
  expect(redis.pings).toBe(1)
  await Bun.sleep(20)
  expect(await ask(client)).toBe('PONG')
})

test('a failure of one is told to that one, and lets the others go', async () => {
  const { redis, client } = aRedis()
  redis.awake = false
  const told: string[] = []
  const onFault = (fault: unknown) => void told.push((fault as Error).message)
  const waits = timed(askRedis(client, (one) => one.get('key'), { onFault, tells: false }))
  await askRedis(client, () => Promise.reject(new Error('LOADING')), { onFault })
  expect((await waits).took).toBeLessThan(100)
  expect(told).toContain('LOADING')
})

test('work that asks elsewhere too may fail, and Redis is asked as before', async () => {
  const { client } = aRedis()
  const work = askRedis(client, () => Promise.reject(new Error('Postgres is away')), { tells: false })
  expect(await work).toBeUndefined()
  expect(await ask(client)).toBe('PONG')
})

test('without a connection nothing is asked', async () => {
  const { redis, client } = aRedis()
  redis.status = 'reconnecting'
  expect(await ask(client)).toBeUndefined()
  expect(redis.asked).toBe(0)
})

test('work that asks elsewhere too is waited for no longer than Redis itself', async () => {
  const { client } = aRedis()
  const { took, said } = await timed(askRedis(client, () => new Promise(() => {}), { tells: false }))
  expect(said).toBeUndefined()
  expect(took).toBeLessThan(REDIS_PATIENCE_MS * 1.5)
  expect(await ask(client)).toBe('PONG')
})
