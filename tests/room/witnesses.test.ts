// Shows what several servers remember of a lost Redis together: never more live passes than activeMax, whoever knows
// that a pass is over is right, and whoever had one keeps it.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { openLines } from '../support/line.ts'
import { openServers, type Servers } from '../support/servers.ts'
import { randomOf } from '../support/fuzz/random.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

const ACTIVE_MAX = 3
const ROOM = { activeMax: ACTIVE_MAX, doorSeconds: 5, passSeconds: 20, graceSeconds: 30 }
const RETURN_MS = 15_000
const RETURN_SECONDS = RETURN_MS / 1_000 + 2
const PEOPLE = Array.from({ length: 10 }, (_, i) => `p${i}`)
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]
const STEPS = 250

let stores: FreshStores
let lines: Awaited<ReturnType<typeof openLines>>
beforeAll(async () => {
  stores = await freshStores()
  lines = await openLines(stores.redisUrl)
}, 60_000)
afterAll(async () => {
  await lines.close()
  await stores.close()
})

/** The first three are admitted over server 0, and every server knows it; two more wait. */
async function threeInside(change: Partial<typeof ROOM> = {}): Promise<Servers> {
  const room = await openServers(lines, 2, { ...ROOM, ...change })
  for (const at of [0, 1]) await room.join(at, `guest${at}`)
  for (const at of [0, 1]) await room.leave(at, `guest${at}`)
  for (const who of PEOPLE.slice(0, 5)) await room.join(0, who)
  await room.second()
  for (const who of PEOPLE.slice(0, ACTIVE_MAX)) await room.claim(0, who)
  await room.second()
  expect(await room.active()).toHaveLength(ACTIVE_MAX)
  return room
}

/** `who` leaves over a server, and the next in line gets the pass over it. */
async function replace(room: Servers, at: number, who: string, by: string): Promise<void> {
  await room.leave(at, who)
  await room.tick()
  expect((await room.claim(at, by))?.state).toBe('admitted')
}

describe('passes after a lost Redis', () => {
  test('of those who had left are not live again, when nobody has a socket', async () => {
    const room = await threeInside()
    await replace(room, 0, 'p0', 'p3')
    await replace(room, 1, 'p1', 'p4')
    await room.second()
    room.kill(1)
    await room.empty()
    for (let n = 0; n < 3; n++) await room.second()
    expect(await room.active()).toEqual(['p2', 'p3', 'p4'])
    await room.close()
  })

  for (const order of [
    [0, 1],
    [1, 0],
  ])
    test(`of those who left while a server stood still are over, server ${order[0]} speaking first`, async () => {
      const room = await threeInside()
      room.freeze(1)
      await replace(room, 0, 'p0', 'p3')
      await room.empty()
      await room.line.ensure(room.settings)
      room.thaw(1, { deaf: true })
      for (const at of order) await room.say(at)
      expect(await room.active()).toEqual(['p1', 'p2', 'p3'])
      expect((await room.line.look(room.eventId))!.heldUntil - room.now()).toBe(RETURN_MS)
      await room.close()
    })

  test('are never more than activeMax, whatever one server thinks; the hold then lasts to the end of the last', async () => {
    const room = await threeInside({ passSeconds: 60 })
    room.freeze(1)
    await replace(room, 0, 'p0', 'p3')
    await room.second()
    // Nobody is left who knows that p0 has gone.
    room.kill(0)
    await room.join(0, 'p9')
    await room.say(0)
    await room.leave(0, 'p9')
    await room.empty()
    await room.line.ensure(room.settings)
    room.thaw(1, { deaf: true })
    for (const at of [1, 0, 1, 0]) await room.say(at)
    expect((await room.active()).length).toBe(ACTIVE_MAX)
    await room.leave(1, 'p0')
    for (let n = 0; n < RETURN_SECONDS; n++) await room.second()
    expect((await room.line.look(room.eventId))!.heldUntil).toBeGreaterThan(room.now())
    await room.close()
  })

  test('of news that was lost are put right when all are read again', async () => {
    const room = await threeInside()
    room.freeze(1)
    await room.leave(0, 'p0')
    room.thaw(1, { deaf: true })
    room.pass(10_000)
    for (let n = 0; n < 3; n++) await room.second()
    room.kill(0)
    await room.empty()
    for (let n = 0; n < 2; n++) await room.second()
    expect(await room.active()).toEqual(['p1', 'p2'])
    await room.close()
  })

  test('are not taken back before the limit is known', async () => {
    const room = await threeInside()
    await room.empty()
    await room.line.run('restore', room.eventId, [
      2,
      100_010,
      5,
      room.now() + 20_000,
      '',
      '',
      '',
      '',
      '',
      '',
      '',
    ])
    await room.say(0)
    expect(await room.active()).toEqual([])
    await room.line.push(room.settings)
    await room.say(0)
    expect(await room.active()).toHaveLength(ACTIVE_MAX)
    await room.close()
  })
})

describe('servers that stand still, die and go on around a Redis that is emptied', () => {
  for (const seed of [...SEEDS, Math.floor(Math.random() * 1e9)])
    test(`seed ${seed}: activeMax holds, and the line goes on`, async () => {
      const random = randomOf(seed)
      const room = await openServers(lines, 3, ROOM)
      const trace: string[] = []
      const running = () => [0, 1, 2].filter((at) => !room.stands(at))
      for (let step = 0; step < STEPS; step++) {
        const who = random.pick(PEOPLE)
        const at = random.pick(running().length > 0 ? running() : [0])
        const any = random.below(3)
        const [name, move] = random.weighted<[string, () => unknown]>([
          [6, [`join ${who} ${at}`, () => room.join(at, who)]],
          [8, [`claim ${who} ${at}`, () => room.claim(at, who)]],
          [5, [`leave ${who} ${at}`, () => room.leave(at, who)]],
          [6, [`say ${at}`, () => room.say(at)]],
          [8, ['second', () => room.second()]],
          [3, ['tick', () => room.tick()]],
          [1.5, [`freeze ${any}`, () => running().length > 1 && room.freeze(any)]],
          [2, [`thaw ${any}`, () => room.thaw(any, { deaf: random.chance(0.5) })]],
          [0.5, [`kill ${any}`, () => room.kill(any)]],
          [0.7, ['empty', () => room.empty()]],
        ])
        trace.push(name)
        await move()
        const active = await room.active()
        if (active.length > ACTIVE_MAX)
          throw new Error(
            `${active.length} live passes (${active.join()}) after ${trace.slice(-40).join(', ')}`,
          )
      }
      for (const at of [0, 1, 2]) room.thaw(at)
      let state: string | undefined
      for (let n = 0; n < 120 && state !== 'admitted'; n++) {
        await room.second()
        await room.join(0, 'last')
        state = (await room.claim(0, 'last'))?.state
      }
      expect(state).toBe('admitted')
      await room.close()
    }, 60_000)
})
