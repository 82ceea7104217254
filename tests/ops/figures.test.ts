// Holds that one scrape tells what all processes counted: nothing twice, nothing lost with a process, nothing back.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { reportFigures, type FiguresReport } from '../../db/figures/figures.ts'
import { FIGURES_KEY } from '../../db/figures/keys.ts'
import type { Figure } from '../../db/figures/sums.ts'
import { connectRedis, redisReady, type RedisClient } from '../../db/redis.ts'
import { tellFigures } from '../../server/health/tell-figures.ts'
import { startServerProcesses } from '../support/server-processes.ts'
import { eventually } from '../support/socket-client.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

const START_MS = 60_000
const HOUR_MS = 3_600_000

let stores: FreshStores
let redis: RedisClient
beforeAll(async () => {
  stores = await freshStores()
  redis = connectRedis(stores.redisUrl, { role: 'commands', name: 'test' })
  await redisReady(redis)
}, START_MS)
afterAll(async () => {
  redis.disconnect()
  await stores.close()
})

/** A process that has sold `sold` and has `sockets` open. */
function aProcess(name: string) {
  const state = { sold: 0, sockets: 0 }
  const labels = { kind: 'a' }
  const read = async (): Promise<Figure[]> => [
    {
      name: 'sold_total',
      help: 'sold',
      type: 'counter',
      aggregator: 'sum',
      values: [{ value: state.sold, labels }],
    },
    {
      name: 'sockets',
      help: 'open',
      type: 'gauge',
      aggregator: 'sum',
      values: [{ value: state.sockets, labels: {} }],
    },
  ]
  return { state, ...reportFigures(redis, { name, read }) }
}

async function scrape(from: FiguresReport): Promise<Record<string, number>> {
  return parse((await tellFigures(await from.readAll())).body)
}

const parse = (text: string) =>
  Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )

const nothing = async (): Promise<Figure[]> => []

/** A Redis that is read at once, and written to when told. */
function lateToWrite(to: RedisClient) {
  const [written, asked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const late = {
    hgetallBuffer: (key: string) => to.hgetallBuffer(key),
    eval: async (...args: Parameters<RedisClient['eval']>) => {
      asked.resolve()
      await written.promise
      return to.eval(...args)
    },
  }
  return { redis: late as unknown as RedisClient, asked: asked.promise, write: written.resolve }
}

/** As if a process had reported last so long ago. */
const silent = (name: string, sinceMs: number) => redis.hset(FIGURES_KEY, `at:${name}`, Date.now() - sinceMs)

const SOLD = 'sold_total{kind="a"}'

describe('what all processes counted', () => {
  test('is the sum whoever is asked, and what a silent process measured leaves while what it counted stays', async () => {
    await redis.del(FIGURES_KEY)
    const [one, other] = [aProcess('server-0-1'), aProcess('worker-2')]
    Object.assign(one.state, { sold: 3, sockets: 10 })
    Object.assign(other.state, { sold: 4, sockets: 5 })
    await other.report()
    const first = await scrape(one)
    expect(first).toMatchObject({ [SOLD]: 7, sockets: 15, 'processes{kind="server"}': 1 })
    expect(await scrape(other)).toMatchObject({ [SOLD]: 7, sockets: 15, 'processes{kind="worker"}': 1 })
    await silent('worker-2', 20_000)
    expect(await scrape(one)).toMatchObject({ [SOLD]: 7, sockets: 10, 'processes{kind="worker"}': 0 })
  })

  test('stays the same when a process is added to the ended ones, also for a server that starts after that', async () => {
    await redis.del(FIGURES_KEY)
    const [one, other] = [aProcess('server-0-1'), aProcess('server-1-2')]
    one.state.sold = 3
    other.state.sold = 4
    await Promise.all([one.report(), other.report()])
    await silent('server-1-2', HOUR_MS)
    await one.tidy()
    expect(await redis.hexists(FIGURES_KEY, 'at:server-1-2')).toBe(0)
    expect((await scrape(one))[SOLD]).toBe(7)
    expect((await scrape(aProcess('server-1-3')))[SOLD]).toBe(7)
  })

  test('counts a process that was taken for dead and goes on neither twice nor less', async () => {
    await redis.del(FIGURES_KEY)
    const [one, other] = [aProcess('server-0-1'), aProcess('server-1-2')]
    one.state.sold = 3
    other.state.sold = 4
    await Promise.all([one.report(), other.report()])
    await silent('server-1-2', HOUR_MS)
    await one.tidy()
    other.state.sold = 6
    await other.report()
    expect((await scrape(one))[SOLD]).toBe(9)
    await silent('server-1-2+2', HOUR_MS)
    await one.tidy()
    other.state.sold = 7
    expect((await scrape(other))[SOLD]).toBe(10)
  })

  test('is kept when a server tidies by what it had read before another one did', async () => {
    await redis.del(FIGURES_KEY)
    const all = [aProcess('server-0-1'), aProcess('server-1-2'), aProcess('server-2-3')]
    for (const each of all) each.state.sold = 1
    await Promise.all(all.map((each) => each.report()))
    await silent('server-1-2', HOUR_MS)
    const late = lateToWrite(redis)
    const tidied = reportFigures(late.redis, { name: 'server-3-4', read: nothing }).tidy()
    await late.asked
    await silent('server-2-3', HOUR_MS)
    await all[0]!.tidy()
    late.write()
    await tidied
    expect((await scrape(all[0]!))[SOLD]).toBe(3)
  })

  test('is still told, as far as known, while Redis is away', async () => {
    await redis.del(FIGURES_KEY)
    const away = connectRedis(stores.redisUrl, { role: 'commands', name: 'leaves' })
    await redisReady(away)
    const other = aProcess('server-1-2')
    other.state.sold = 4
    await other.report()
    const one = reportFigures(away, { name: 'server-0-1', read: nothing })
    expect((await scrape(one))[SOLD]).toBe(4)
    away.disconnect()
    expect((await scrape(one))[SOLD]).toBe(4)
  })
})

test(
  'servers that share a port answer alike, and the counters of one that is killed never go back',
  async () => {
    const own = await freshStores()
    const processes = await startServerProcesses(2, {
      stores: own,
      jwtSecret: 'a secret of the tests, long enough for HS256',
    })
    const metrics = async () => parse(await (await fetch(`${processes.url}/metrics`)).text())
    const live = (await metrics()) && 'http_requests_total{method="GET",route="/health/live",status="200"}'
    try {
      // Connections are spread by the system, so some of many reach each server.
      for (let asked = 0; asked < 60; asked += 1)
        await fetch(`${processes.url}/health/live`, { headers: { connection: 'close' } })
      await eventually('both have told', async () => (await metrics())[live] === 60)
      expect((await metrics())['processes{kind="server"}']).toBe(2)
      processes.all[0]!.kill('SIGKILL')
      await processes.all[0]!.exited
      for (let looked = 0; looked < 10; looked += 1) {
        expect((await metrics())[live]).toBe(60)
        await Bun.sleep(50)
      }
    } finally {
      await processes.close()
      await own.close()
    }
  },
  START_MS,
)
