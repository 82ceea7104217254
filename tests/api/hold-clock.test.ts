// Shows an outage of ours from outside: the clock of a hold stands, visibly, and the buyer pays in the end.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { createDoor } from '../../server/overload.ts'
import { Refusal } from '../../server/errors.ts'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'
import { until } from '../support/a-ledger.ts'

const WITHIN_MS = 20_000

let app: AppHarness
let buyer: Person
beforeAll(async () => {
  app = await startApp()
  buyer = await app.person()
}, START_WITHIN_MS)
afterAll(() => app.close())

const holds = async () => (await app.call('GET', '/api/v1/health/holds')).body.data
const read = async (id: string) => (await app.call('GET', `/booking/${id}`, { token: buyer.token })).body.data
const pay = (id: string) =>
  app.call('POST', `/payment/${id}/confirm`, { token: buyer.token, body: { method: 'sandbox_ok' } })
const figure = async () =>
  String((await app.call('GET', '/metrics')).body)
    .split('\n')
    .find((line) => line.startsWith('holds_frozen '))
const runs = () => until(async () => (await holds()).frozen === false, WITHIN_MS)

async function held(n: number): Promise<{ id: string; expiresAt: string }> {
  const event = await app.event({ holdSeconds: 5 })
  return (await app.hold(buyer, [event.seatId(n)])).body.data
}

test('in ordinary times holds run', async () => {
  await runs()
  expect(await holds()).toEqual({ frozen: false, since: null, reason: null, maxSeconds: 900 })
  const { id } = await held(0)
  expect((await read(id)).frozenSince).toBeNull()
})

test(
  'while the payment provider is away a hold stands still, and is paid after its first end',
  async () => {
    const { db } = app.context.ledger
    await runs()
    const { id, expiresAt } = await held(0)
    await db.execute(sql`alter table sandbox_charges rename to sandbox_away`)
    try {
      expect((await pay(id)).status).toBe(500)
      await until(async () => (await holds()).reason === 'payment_provider', WITHIN_MS)
      const { frozenSince } = await read(id)
      expect(Date.parse(frozenSince)).toBeLessThan(Date.parse(expiresAt))
      expect(await figure()).toBe('holds_frozen 1')
      await until(() => Date.now() > Date.parse(expiresAt) + 1_000, WITHIN_MS)
    } finally {
      await db.execute(sql`alter table sandbox_away rename to sandbox_charges`)
    }
    await runs()
    const after = await read(id)
    expect([after.status, after.frozenSince]).toEqual(['PENDING', null])
    expect(Date.parse(after.expiresAt)).toBeGreaterThan(Date.now())
    expect(after.timeline.map(({ what }: { what: string }) => what)).toContain('hold_frozen')
    await until(async () => (await pay(id)).status === 200, WITHIN_MS)
    expect((await read(id)).status).toBe('CONFIRMED')
  },
  2 * WITHIN_MS,
)

test(
  'while Postgres is away it is told from memory, and the time is given back when it returns',
  async () => {
    const { databaseUrl } = app.stores
    const name = new URL(databaseUrl).pathname.slice(1)
    const keeper = postgres(databaseUrl.replace(`/${name}`, '/postgres'), { max: 1, onnotice: () => {} })
    await runs()
    const { id, expiresAt } = await held(0)
    await keeper.unsafe(`alter database ${name} with allow_connections false`)
    try {
      await keeper`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`
      await until(async () => (await holds()).reason === 'postgres', WITHIN_MS)
      expect(Date.parse((await holds()).since)).toBeLessThan(Date.parse(expiresAt))
    } finally {
      await keeper.unsafe(`alter database ${name} with allow_connections true`)
      await keeper.end()
    }
    await runs()
    const after = await read(id)
    expect(after.status).toBe('PENDING')
    expect(Date.parse(after.expiresAt)).toBeGreaterThan(Date.parse(expiresAt) + 3_000)
  },
  2 * WITHIN_MS,
)

test(
  'a server that turns payments away says no longer that they can be made',
  async () => {
    let told = 0
    const { tokens } = app.context
    const door = createDoor({ tokens, turnedAway: () => (told += 1), lateMs: () => 60_000 })
    const refused = (path: string) =>
      door.enter(new Request(`http://onsale.test${path}`, { method: 'POST' }), path) instanceof Refusal
    expect([refused('/api/v1/booking'), told]).toEqual([true, 0])
    expect([refused('/api/v1/payment/x/confirm'), told]).toEqual([true, 1])
    door.stop()

    await runs()
    const turningAway = setInterval(app.context.holdClock.turnedAway, 100)
    try {
      await until(async () => (await holds()).reason === 'overloaded', WITHIN_MS)
    } finally {
      clearInterval(turningAway)
    }
    await runs()
  },
  WITHIN_MS,
)
