// Holds availability in memory to Postgres and the feed: never asks twice, never misses a change, heals after a gap.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { connectLedger } from '../../db/client.ts'
import { connectRedis, redisReady, type RedisClient } from '../../db/redis.ts'
import { patchSeats } from '../../db/patch-seats.ts'
import { createSeats } from '../../db/seats.ts'
import { feedVersionKey, seatFeedChannel } from '../../db/seat-gate/keys.ts'
import { settleSeats } from '../../db/seat-gate/seat-gate.ts'
import { createChannels } from '../../server/channels.ts'
import { createAvailability, type Availability } from '../../server/events/availability.ts'
import type { ResyncFrame, SeatsFrame } from '../../server/protocol/socket.ts'
import { codeAt } from '../../server/protocol/seat-map.ts'
import { startApp, type AppHarness } from '../support/app-harness.ts'

let app: AppHarness
const opened: (() => Promise<void> | void)[] = []

beforeAll(async () => {
  app = await startApp({ rateLimit: false })
})
afterEach(async () => {
  for (const close of opened.splice(0)) await close()
})
afterAll(() => app.close())

interface Server {
  availability: Availability
  subscriber: RedisClient
}

/** Availability as one more server process has it. */
async function anotherServer(): Promise<Server> {
  const { databaseUrl, redisUrl } = app.stores
  const ledger = connectLedger(databaseUrl, { max: 2, name: 'availability-test' })
  const redis = connectRedis(redisUrl, { role: 'commands', name: 'availability-test' })
  const subscriber = connectRedis(redisUrl, { role: 'subscriber', name: 'availability-test-feed' })
  await Promise.all([redisReady(redis), redisReady(subscriber)])
  const availability = createAvailability({ ledger, channels: createChannels(subscriber), redis })
  opened.push(async () => {
    await availability.close()
    redis.disconnect()
    subscriber.disconnect()
    await ledger.close()
  })
  return { availability, subscriber }
}

/** Blocks seats as the ledger does, with or without telling anybody. */
async function block(eventId: string, seats: number[], { told = true } = {}): Promise<void> {
  const { ledger, redis } = app.context
  const outcome = await patchSeats(ledger.db, { eventId, seats, status: 'BLOCKED', reason: 'test' })
  if (!outcome.ok) throw new Error(outcome.refusal)
  if (told) await settleSeats(redis, eventId, outcome.changed)
}

const codeOf = async ({ availability }: Server, eventId: string, n: number) => {
  const known = await availability.find(eventId)
  return known && codeAt(known.memory.packed, n)
}

async function until(holds: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not come true in time')
    await Bun.sleep(5)
  }
}

type Frame = SeatsFrame | ResyncFrame
function watch({ availability }: Server, eventId: string, version?: number) {
  const frames: Frame[] = []
  const stop = availability.watch(eventId, version, (frame, text) => {
    expect(JSON.parse(text)).toEqual(frame)
    frames.push(frame)
  })
  opened.push(stop)
  return { frames, stop }
}
const seatsOf = (frames: Frame[]) => frames.flatMap((frame) => (frame.type === 'seats' ? frame.changes : []))

describe('reading', () => {
  test('once loaded, availability is answered while every table is locked', async () => {
    const { eventId } = await app.event()
    const path = `/event/${eventId}/availability`
    expect((await app.call('GET', path)).status).toBe(200)
    const lock = connectLedger(app.stores.databaseUrl, { max: 1, name: 'locker' })
    await lock.sql.begin(async (tx) => {
      await tx`lock table events, seats, sections, tiers in access exclusive mode`
      const answers = await Promise.all(Array.from({ length: 50 }, () => app.call('GET', path)))
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    })
    await lock.close()
  })

  test('a hundred first questions at once read Postgres once', async () => {
    const { eventId } = await app.event()
    const server = await anotherServer()
    const answers = await Promise.all(Array.from({ length: 100 }, () => server.availability.find(eventId)))
    expect(new Set(answers.map((known) => known?.memory)).size).toBe(1)
  })

  test('an event that does not exist is null, and nothing is kept of it', async () => {
    const { availability } = await anotherServer()
    const unknown = Bun.randomUUIDv7()
    expect(await availability.find(unknown)).toBeNull()
    expect(await availability.find('nonsense')).toBeNull()
    expect(availability.peek(unknown)).toBeNull()
    expect(availability.packed(unknown)).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('following', () => {
  test('two servers see a change made through a third', async () => {
    const { eventId } = await app.event()
    const servers = [await anotherServer(), await anotherServer()]
    for (const server of servers) expect(await codeOf(server, eventId, 7)).toBe(0)
    await block(eventId, [7, 8])
    for (const server of servers) {
      await until(async () => (await codeOf(server, eventId, 7)) === 3)
      expect(await server.availability.counts(eventId)).toEqual([18, 0, 0, 2])
      expect(await server.availability.seatsLeft(eventId)).toBe(18)
    }
  })

  test('loading while seats change ends with what Postgres says', async () => {
    const { eventId } = await app.event({
      sections: [{ name: 'Floor', tier: { name: 'A', price: 1 }, capacity: 300 }],
    })
    const changing = (async () => {
      for (let n = 0; n < 300; n += 3) await block(eventId, [n, n + 1])
    })()
    const servers: Server[] = []
    for (let at = 0; at < 6; at++) {
      const server = await anotherServer()
      await server.availability.find(eventId)
      servers.push(server)
    }
    await changing
    for (const { availability } of servers)
      await until(async () => (await availability.counts(eventId))[3] === 200)
  })

  test('a lost announcement is noticed with the next one', async () => {
    const { eventId } = await app.event()
    const server = await anotherServer()
    await block(eventId, [0])
    expect(await codeOf(server, eventId, 0)).toBe(3)
    await block(eventId, [1], { told: false })
    await app.context.redis.set(feedVersionKey(eventId), Date.now() + 10)
    await block(eventId, [2])
    await until(async () => (await codeOf(server, eventId, 2)) === 3)
    expect(await codeOf(server, eventId, 1)).toBe(3)
  })

  test('an emptied Redis costs a reload, not a change', async () => {
    const { eventId } = await app.event()
    const server = await anotherServer()
    await block(eventId, [0])
    await until(async () => (await codeOf(server, eventId, 0)) === 3)
    await app.context.redis.flushdb()
    await block(eventId, [1])
    await until(async () => (await codeOf(server, eventId, 1)) === 3)
    await block(eventId, [2])
    await until(async () => (await codeOf(server, eventId, 2)) === 3)
    expect(await server.availability.counts(eventId)).toEqual([17, 0, 0, 3])
  })

  test('what happened while the subscription was cut is read again when it is back', async () => {
    const { eventId } = await app.event()
    const server = await anotherServer()
    const { frames } = watch(server, eventId, (await server.availability.packed(eventId)).version)
    const pid = await server.subscriber.client('ID')
    await block(eventId, [3], { told: false })
    await app.context.redis.client('KILL', 'ID', pid)
    await until(async () => (await codeOf(server, eventId, 3)) === 3)
    await until(() => frames.some((frame) => frame.type === 'resync'))
  })

  test('new seats announced by one server are known to the others', async () => {
    const { eventId } = await app.event()
    const server = await anotherServer()
    const { frames } = watch(server, eventId, (await server.availability.packed(eventId)).version)
    await createSeats(app.context.ledger.db, eventId, [
      { name: 'Rear', tier: { name: 'B', price: 1 }, capacity: 9 },
    ])
    await app.context.availability.changed(eventId)
    await until(async () => (await server.availability.packed(eventId)).total === 29)
    expect(frames.at(-1)?.type).toBe('resync')
  })
})

describe('watching', () => {
  test('changes come together, some 100 to 250 ms after the first', async () => {
    const { eventId } = await app.event()
    const server = await anotherServer()
    const { version } = await server.availability.packed(eventId)
    const { frames } = watch(server, eventId, version)
    const began = performance.now()
    for (let n = 0; n < 8; n++) await block(eventId, [n])
    await until(() => seatsOf(frames).length >= 8)
    const tookMs = performance.now() - began
    expect(seatsOf(frames).toSorted(([a], [b]) => a - b)).toEqual(Array.from({ length: 8 }, (_, n) => [n, 3]))
    expect(tookMs).toBeGreaterThan(100)
    expect(frames.length).toBeLessThanOrEqual(Math.ceil(tookMs / 100))
    expect(frames.at(-1)!.version).toBe((await server.availability.packed(eventId)).version)
  })

  test('a recent version is replayed, an unknown one told to fetch, the current one told nothing', async () => {
    const { eventId } = await app.event()
    const server = await anotherServer()
    await block(eventId, [0])
    const { version: first } = await server.availability.packed(eventId)
    await block(eventId, [1])
    await block(eventId, [2])
    await until(async () => (await codeOf(server, eventId, 2)) === 3)
    const { version } = await server.availability.packed(eventId)
    expect(watch(server, eventId, first).frames).toEqual([
      {
        type: 'seats',
        version,
        changes: [
          [1, 3],
          [2, 3],
        ],
      },
    ])
    expect(watch(server, eventId, 1).frames).toEqual([{ type: 'resync', version }])
    expect(watch(server, eventId).frames).toEqual([{ type: 'resync', version }])
    expect(watch(server, eventId, version).frames).toEqual([])
  })

  test('a client that replays frames over its copy always agrees with the server', async () => {
    const { eventId } = await app.event()
    const server = await anotherServer()
    const { version } = await server.availability.packed(eventId)
    const copy = new Map<number, number>()
    const apply = (frames: Frame[]) => {
      for (const [n, code] of seatsOf(frames)) copy.set(n, code)
    }
    const first = watch(server, eventId, version)
    await block(eventId, [0, 1])
    await until(() => first.frames.length > 0)
    first.stop()
    apply(first.frames)
    await block(eventId, [5])
    const second = watch(server, eventId, first.frames.at(-1)!.version)
    await block(eventId, [6])
    await until(() => seatsOf(second.frames).some(([n]) => n === 6))
    apply(second.frames)
    expect([...copy.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 5, 6])
  })

  test('more changes at once than a frame may hold become a resync', async () => {
    const { eventId } = await app.event({
      sections: [{ name: 'Floor', tier: { name: 'A', price: 1 }, capacity: 1_500 }],
    })
    const server = await anotherServer()
    const { frames } = watch(server, eventId, (await server.availability.packed(eventId)).version)
    await block(
      eventId,
      Array.from({ length: 1_500 }, (_, n) => n),
    )
    await until(() => frames.length > 0)
    expect(frames.map(({ type }) => type)).toContain('resync')
    expect(await server.availability.seatsLeft(eventId)).toBe(0)
  })

  test('who stopped hears nothing more', async () => {
    const { eventId } = await app.event()
    const server = await anotherServer()
    const { frames, stop } = watch(server, eventId, (await server.availability.packed(eventId)).version)
    const witness = watch(server, eventId, (await server.availability.packed(eventId)).version)
    stop()
    await block(eventId, [0])
    await until(() => witness.frames.length > 0)
    expect(frames).toEqual([])
  })

  test('an announcement that is not one of ours is ignored', async () => {
    const { eventId } = await app.event()
    const server = await anotherServer()
    const { version } = await server.availability.packed(eventId)
    for (const message of ['', 'null', '{}', '[1]', '{"previous":0,"version":"x","changes":[]}'])
      await app.context.redis.publish(seatFeedChannel(eventId), message)
    await block(eventId, [0])
    await until(async () => (await codeOf(server, eventId, 0)) === 3)
    expect((await server.availability.packed(eventId)).version).toBeGreaterThan(version)
  })
})
