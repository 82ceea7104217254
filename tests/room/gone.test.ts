// Holds the curve of leavers to its word: people ahead right to 2 % or one person at every place of a long line.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { peopleAhead } from '../../server/protocol/forecast.ts'
import { roomKey, roomKeys } from '../../server/room/keys.ts'
import { openLines, type TestLine } from '../support/line.ts'
import { randomOf } from '../support/sale.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

const STORES_WITHIN_MS = 60_000
const LONG_MS = 180_000
const ENTRANTS = 100_000
const AT_ONCE = 300
const SHARE = 0.02
const BUCKETS_MAX = 96
const FRAME_BYTES_MAX = 1_500

let stores: FreshStores
let lines: Awaited<ReturnType<typeof openLines>>
let full: TestLine
const person = (i: number) => `person-${i}`
beforeAll(async () => {
  stores = await freshStores()
  lines = await openLines(stores.redisUrl)
  full = await lines.make()
  await inBatches(ENTRANTS, (i) => full.line.join(full.eventId, person(i), { socket: 's' }))
}, LONG_MS)
afterAll(async () => {
  await lines.close()
  await stores.close()
}, STORES_WITHIN_MS)

async function inBatches(count: number, work: (i: number) => Promise<unknown>) {
  for (let from = 0; from < count; from += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => work(from + i)))
}

/** The same line again, for another way to leave it. */
async function copyOfFull(): Promise<TestLine> {
  const room = await lines.make()
  const names = roomKeys(full.eventId)
  for (const [i, key] of roomKeys(room.eventId).entries()) await room.redis.copy(names[i]!, key, 'REPLACE')
  return room
}

/** How far off the people ahead are, over all places: more than one person, as a share of those really ahead. */
function errors(stays: Uint8Array, view: { serving: number; gone: [number, number][] }) {
  const found: number[] = []
  let ahead = 0
  for (let place = view.serving; place < stays.length; place++) {
    const off = Math.abs(peopleAhead(place, view) - ahead)
    found.push(off <= 1 ? 0 : off / ahead)
    ahead += stays[place]!
  }
  found.sort((a, b) => a - b)
  return { worst: found.at(-1)!, p99: found[Math.floor(found.length * 0.99)]! }
}

const random = randomOf(20_261_123)
const PATTERNS: Record<string, (place: number) => number> = {
  evenly: () => 0.4,
  'from the end': (place) => (place > ENTRANTS / 2 ? 0.75 : 0.05),
  'near the front': (place) => (place < ENTRANTS * 0.45 ? 0.85 : 0.03),
  'in waves': (place) => 0.4 + 0.4 * Math.sin(place / 300),
  'in blocks': (place) => (place % 5_000 < 2_000 ? 1 : 0),
}

for (const [name, chance] of Object.entries(PATTERNS))
  test(
    `with 40 % of ${ENTRANTS} gone ${name}, people ahead are right within 2 % at every place`,
    async () => {
      const room = await copyOfFull()
      const stays = Uint8Array.from({ length: ENTRANTS }, (_, place) => (random() < chance(place) ? 0 : 1))
      const leavers = [...stays.keys()].filter((place) => stays[place] === 0)
      expect(leavers.length / ENTRANTS).toBeWithin(0.38, 0.42)
      await inBatches(leavers.length, (i) => room.line.leave(room.eventId, person(leavers[i]!)))
      const view = (await room.line.look(room.eventId))!
      const { worst, p99 } = errors(stays, view)
      const bytes = JSON.stringify(view.gone).length
      console.log(
        `gone ${name}: worst ${percent(worst)}, 99 % of places ${percent(p99)}, ${view.gone.length} buckets, ${bytes} bytes`,
      )
      expect(worst).toBeLessThanOrEqual(SHARE)
      expect(view.gone.length).toBeLessThanOrEqual(BUCKETS_MAX)
      expect(bytes).toBeLessThanOrEqual(FRAME_BYTES_MAX)

      // The measure would see it if leavers were counted a bucket too late.
      const shifted = view.gone.map(
        ([first, left], i) => [view.gone[i + 1]?.[0] ?? first, left] as [number, number],
      )
      expect(errors(stays, { ...view, gone: shifted }).worst).toBeGreaterThan(SHARE)
      await room.redis.del(...roomKeys(room.eventId))
    },
    LONG_MS,
  )

test('the curve is drawn once while the front stands still, and again when it moves', async () => {
  const room = await lines.make({ activeMax: 10 })
  await inBatches(50, (i) => room.line.join(room.eventId, person(i), { socket: 's' }))
  const gone = async () => (await room.line.look(room.eventId))!.gone.reduce((all, [, left]) => all + left, 0)
  await room.line.leave(room.eventId, person(40))
  expect(await gone()).toBe(1)
  const drawn = await room.redis.get(roomKey(room.eventId, 'curve'))
  await room.line.leave(room.eventId, person(41))
  expect(await gone()).toBe(1)
  expect(await room.redis.get(roomKey(room.eventId, 'curve'))).toBe(drawn)
  room.pass(1_000)
  expect(await gone()).toBe(2)
  await room.line.leave(room.eventId, person(42))
  await room.tick()
  expect((await room.line.look(room.eventId))!.serving).toBe(10)
  expect(await gone()).toBe(3)
})

const percent = (share: number) => `${(share * 100).toFixed(2)} %`
