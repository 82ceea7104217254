// Shows that two servers whose clocks tick at once call nobody too many, and that without the script they would.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connectRedis, redisReady, type RedisClient } from '../../db/redis.ts'
import { createLine, type Line } from '../../server/room/room.ts'
import { tickRoom } from '../../server/room/tick.ts'
import { enter, openLines, type TestLine } from '../support/line.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'
import { callUnguarded } from '../support/unguarded-clock.ts'

const STORES_WITHIN_MS = 60_000
const ACTIVE_MAX = 5
const PEOPLE = 40
const ROUNDS = 60

let stores: FreshStores
let lines: Awaited<ReturnType<typeof openLines>>
/** One connection a server, so that their commands may come in any order. */
let connections: RedisClient[]
beforeAll(async () => {
  stores = await freshStores()
  lines = await openLines(stores.redisUrl)
  connections = [0, 1].map((i) => connectRedis(stores.redisUrl, { role: 'commands', name: `server-${i}` }))
  await Promise.all(connections.map((connection) => redisReady(connection)))
}, STORES_WITHIN_MS)
afterAll(async () => {
  for (const connection of connections) connection.disconnect()
  await lines.close()
  await stores.close()
})

const fill = async (room: TestLine) => {
  for (let i = 0; i < PEOPLE; i++) await enter(room, `p${i}`)
}
const server = (room: TestLine, redis: RedisClient): Line =>
  createLine({
    redis,
    clock: { now: room.now },
    tokens: room.tokens,
    loadSettings: async () => room.settings,
    startEpoch: async () => ({ epoch: 2, arrivals: 0, serving: 0 }),
    seats: async () => room.seats,
    admitted: () => {},
  })
const serving = async (room: TestLine) => (await room.line.look(room.eventId))!.serving

describe('two clocks', () => {
  test('without the script would call more than there are passes (the race is real)', async () => {
    let tooMany = 0
    for (let round = 0; round < ROUNDS && tooMany === 0; round++) {
      const room = await lines.make({ activeMax: ACTIVE_MAX })
      await fill(room)
      const called = await Promise.all(
        connections.map((connection) => callUnguarded(connection, room.eventId, ACTIVE_MAX)),
      )
      if (called[0]! + called[1]! > ACTIVE_MAX) tooMany += 1
    }
    expect(tooMany).toBeGreaterThan(0)
  })

  test('ticking at once call exactly as many as there are passes, and one of them only', async () => {
    for (let round = 0; round < 20; round++) {
      const room = await lines.make({ activeMax: ACTIVE_MAX })
      await fill(room)
      const servers = connections.map((connection) => server(room, connection))
      const ticks = await Promise.all(
        servers.flatMap((line, i) =>
          Array.from({ length: 3 }, () => tickRoom(line, room.eventId, `server-${i}`, room.seats)),
        ),
      )
      expect(await serving(room)).toBe(ACTIVE_MAX)
      expect(ticks.reduce((sum, { called }) => sum + called, 0)).toBe(ACTIVE_MAX)
      expect(new Set(ticks.map(({ holding }, i) => (holding ? Math.floor(i / 3) : -1))).size).toBe(2)
    }
  })

  test('a server that was stopped between its lease and its call changes nothing afterwards', async () => {
    const room = await lines.make({ activeMax: ACTIVE_MAX })
    const [one, two] = connections.map((connection) => server(room, connection))
    const [word, fence] = (await one!.run('hold-lease', room.eventId, ['server-0', 2_000, '', '', '']))!
    expect(word).toBe('holding')
    await fill(room)
    expect((await tickRoom(two!, room.eventId, 'server-1', null)).holding).toBe(false)
    room.pass(2_001)
    expect((await tickRoom(two!, room.eventId, 'server-1', null)).called).toBe(ACTIVE_MAX)
    await room.set({ activeMax: 100 })
    expect(await one!.run('call-next', room.eventId, [fence!, 100])).toEqual(['stale'])
    expect(await serving(room)).toBe(ACTIVE_MAX)
  })
})
