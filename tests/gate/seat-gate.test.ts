// Holds the gate to its place: it hints, heals and announces, and whatever it says or suffers, Postgres decides.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { COMMITS, holdSeats } from '../../db/bookings/hold-seats.ts'
import { connectRedis, redisReady } from '../../db/redis.ts'
import { parseSeatFeed, seatFeedChannel, type SeatFeed } from '../../db/seat-gate/feed.ts'
import { seatLockKey, seatStatusKey } from '../../db/seat-gate/keys.ts'
import { reconcileSeats, UNMOVED_PER_PASS } from '../../db/seat-gate/reconcile.ts'
import { lockSeats, settleSeats } from '../../db/seat-gate/seat-gate.ts'
import {
  aBuyer,
  aHold,
  anEvent,
  buyers,
  openTestLedger,
  refusalOf,
  STORES_WITHIN_MS,
  until,
  type TestLedger,
} from '../support/a-ledger.ts'
import { standstill } from '../support/standstill.ts'

/** More than all that may be under way at once. */
const CROWD = 800

let t: TestLedger
beforeAll(async () => {
  t = await openTestLedger()
}, STORES_WITHIN_MS)
afterAll(() => t.close(), STORES_WITHIN_MS)

const attempt = async (eventId: string, n: number) =>
  refusalOf(await holdSeats(t.gate, { eventId, accountId: await aBuyer(t.db), seats: [n] }))
const cached = (eventId: string, n: number) => t.redis.get(seatStatusKey(eventId, n))

const never = () => new Promise<never>(() => {})
const parseChanges = (changes: unknown) => parseSeatFeed(JSON.stringify({ previous: 0, version: 1, changes }))

describe('a lock', () => {
  const eventId = Bun.randomUUIDv7()

  test('is all or none, is freed only by its owner, and ends by itself', async () => {
    const lock = (seats: number[], token: string) => lockSeats(t.redis, { eventId, seats, token })
    const unlock = (seats: number[], token: string) =>
      settleSeats(
        t.redis,
        eventId,
        [],
        seats.map((n) => ({ n, token })),
      )
    expect(await lock([1, 2], 'a')).toEqual({ locked: true })
    expect(await lock([0, 2], 'b')).toEqual({ locked: false, why: 'busy', seats: [2] })
    expect(await t.redis.exists(seatLockKey(eventId, 0))).toBe(0)
    await unlock([1, 2], 'b')
    expect(await t.redis.get(seatLockKey(eventId, 2))).toBe('a')
    expect(await t.redis.pttl(seatLockKey(eventId, 2))).toBeWithin(1, 5_001)
    await unlock([1, 2], 'a')
    expect(await lock([0, 2], 'b')).toEqual({ locked: true })
  })

  test('works again when Redis has forgotten its scripts', async () => {
    await t.redis.script('FLUSH')
    expect(await lockSeats(t.redis, { eventId, seats: [9], token: 'c' })).toEqual({ locked: true })
  })
})

describe('a settle', () => {
  test('of an older version never replaces a newer one, and says nothing', async () => {
    const eventId = Bun.randomUUIDv7()
    const listener = connectRedis(t.stores.redisUrl, { role: 'subscriber', name: 'test' })
    await redisReady(listener)
    const heard: SeatFeed[] = []
    listener.on('message', (_channel, message) => heard.push(parseSeatFeed(message)!))
    await listener.subscribe(seatFeedChannel(eventId))
    await settleSeats(t.redis, eventId, [{ n: 1, status: 'SOLD', version: 5 }])
    await settleSeats(t.redis, eventId, [{ n: 1, status: 'AVAILABLE', version: 4 }])
    await settleSeats(t.redis, eventId, [{ n: 1, status: 'SOLD', version: 5 }])
    expect(await cached(eventId, 1)).toBe('SOLD:5')
    await settleSeats(t.redis, eventId, [{ n: 1, status: 'AVAILABLE', version: 6 }])
    await until(() => heard.length === 2)
    expect(heard.map(({ changes }) => changes)).toEqual([[[1, 2]], [[1, 0]]])
    expect(heard[1]!.previous).toBe(heard[0]!.version)
    expect(heard[1]!.version).toBeGreaterThan(heard[0]!.version)
    listener.disconnect()
  })

  test('of thousands of seats goes in batches', async () => {
    const eventId = Bun.randomUUIDv7()
    const many = Array.from({ length: 1_200 }, (_, n) => ({ n, status: 'BLOCKED' as const, version: 1 }))
    await settleSeats(t.redis, eventId, many)
    expect(await cached(eventId, 1_199)).toBe('BLOCKED:1')
  })
})

describe('a cache that lies', () => {
  test('free where Postgres says taken: Postgres refuses', async () => {
    const eventId = await anEvent(t.db)
    await aHold(t.gate, { eventId, seats: [0] })
    for (const lie of ['AVAILABLE:99', 'AVAILABLE', 'nonsense', '']) {
      await t.redis.set(seatStatusKey(eventId, 0), lie)
      expect(await attempt(eventId, 0)).toBe('seat_taken')
    }
  })

  test('taken where Postgres says free: refused until reconciled, then sold', async () => {
    const eventId = await anEvent(t.db)
    for (const [n, lie] of ['SOLD:7', 'RESERVED', 'BLOCKED:0', 'SOLD:99999'].entries()) {
      await t.redis.set(seatStatusKey(eventId, n), lie)
      expect(await attempt(eventId, n)).toBe('seat_taken')
    }
    expect(await reconcileSeats(t, eventId)).toEqual({ repaired: 4, next: 0 })
    for (const n of [0, 1, 2, 3]) expect(await attempt(eventId, n)).toBe('held')
    expect(await reconcileSeats(t, eventId)).toEqual({ repaired: 0, next: 0 })
  })

  test('about a seat nobody ever moved is found when its turn comes, about a moved one in every pass', async () => {
    const eventId = await anEvent(t.db, { seats: UNMOVED_PER_PASS + 10 })
    const last = UNMOVED_PER_PASS + 9
    await aHold(t.gate, { eventId, seats: [last - 1] })
    await t.redis.set(seatStatusKey(eventId, last), 'SOLD:7')
    await t.redis.del(seatStatusKey(eventId, last - 1))
    expect(await reconcileSeats(t, eventId)).toEqual({ repaired: 1, next: UNMOVED_PER_PASS })
    expect(await cached(eventId, last - 1)).toBe('RESERVED:1')
    expect(await reconcileSeats(t, eventId, UNMOVED_PER_PASS)).toEqual({ repaired: 1, next: 0 })
    expect(await attempt(eventId, last)).toBe('held')
  })

  test('wiped: reconciling fills it again with what is not free', async () => {
    const eventId = await anEvent(t.db)
    await aHold(t.gate, { eventId, seats: [0, 1] })
    await t.redis.flushdb()
    expect(await reconcileSeats(t, eventId)).toEqual({ repaired: 2, next: 0 })
    expect(await cached(eventId, 0)).toBe('RESERVED:1')
    expect(await t.redis.pttl(seatStatusKey(eventId, 0))).toBeGreaterThan(0)
  })
})

describe('a Redis that fails', () => {
  test('frozen: a hold is served within bounds, and the next ones do not wait', async () => {
    const frozen = connectRedis(t.stores.redisUrl, { role: 'commands', name: 'frozen' })
    await redisReady(frozen)
    const stuck = new Proxy(frozen, {
      get: (target, name) =>
        name === 'evalsha' || name === 'eval' ? never : (Reflect.get(target, name) as unknown),
    })
    const faults: string[] = []
    const gate = { db: t.db, redis: stuck, onFault: (what: string) => faults.push(what) }
    const eventId = await anEvent(t.db)
    const accountId = await aBuyer(t.db)
    expect(refusalOf(await holdSeats(gate, { eventId, accountId, seats: [0] }))).toBe('held')
    expect(faults).toEqual(['lock_failed'])
    const from = performance.now()
    expect(refusalOf(await holdSeats(gate, { eventId, accountId, seats: [1] }))).toBe('held')
    expect(performance.now() - from).toBeLessThan(450)
    frozen.disconnect()
  })

  test('gone: however many come, Postgres has no more under way than stated, and everybody is served', async () => {
    const gone = connectRedis('redis://127.0.0.1:9', { role: 'commands', name: 'gone' })
    const gate = { db: t.db, redis: gone }
    const eventId = await anEvent(t.db, { seats: CROWD })
    const who = await buyers(t.db, CROWD)
    const keeper = await standstill(t, 'lock table bookings in exclusive mode')
    const asked = who.map((accountId, n) => holdSeats(gate, { eventId, accountId, seats: [n] }))
    await keeper.waiting(COMMITS.inFlightMax, Promise.all(asked))
    await Bun.sleep(4 * COMMITS.alongsideAfterMs)
    const [row] = await t.db.execute<{ count: number }>(
      sql`select count(*)::int from pg_locks where not granted and database = (
        select oid from pg_database where datname = current_database())`,
    )
    expect(row!.count).toBe(COMMITS.inFlightMax)
    await keeper.end()
    expect(new Set((await Promise.all(asked)).map(refusalOf))).toEqual(new Set(['held']))
    gone.disconnect()
  })
})

describe('the feed', () => {
  test('understands only what is ours', () => {
    for (const message of ['', '{', '[]', 'null', '{"previous":0,"version":1}'])
      expect(parseSeatFeed(message)).toBeNull()
    for (const changes of [[[0]], [[0, 4]], [[-1, 0]], [['0', 1]], {}])
      expect(parseChanges(changes)).toBeNull()
    expect(parseChanges([[7, 3]])).toEqual({ previous: 0, version: 1, changes: [[7, 3]] })
  })
})
