// Shows the lobby and its draw on a real Redis: who is drawn for, who stands behind, and what survives a lost server or Redis.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { expandDraw, fromHex, hashNow, placesOf, seedOf, toHex } from '../../server/protocol/draw.ts'
import { leafBytes, merkleLevels } from '../../server/protocol/merkle.ts'
import { commitmentText, inSlices, RETURN_MS, sha256, type DrawKeeper } from '../../server/room/draw.ts'
import { roomKey, roomKeys } from '../../server/room/keys.ts'
import { EPOCH_GAP } from '../../server/room/room.ts'
import { tickRoom } from '../../server/room/tick.ts'
import { enter, openLines, type TestLine } from '../support/line.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

const STORES_WITHIN_MS = 60_000
const LOBBY_MS = 10_000

let stores: FreshStores
let lines: Awaited<ReturnType<typeof openLines>>
beforeAll(async () => {
  stores = await freshStores()
  lines = await openLines(stores.redisUrl)
}, STORES_WITHIN_MS)
afterAll(async () => {
  await lines.close()
  await stores.close()
})

const people = (count: number) => Array.from({ length: count }, (_, i) => `p${i}`)
const entrant = (room: TestLine, accountId: string) => room.line.entrant(room.eventId, accountId)
const look = async (room: TestLine) => (await room.line.look(room.eventId))!
const ticketOf = (room: TestLine, accountId: string, number: number, epoch: number) =>
  room.tokens.signPlace({ accountId, eventId: room.eventId, number, epoch })

/** A room whose sale starts in LOBBY_MS, with so many people in its lobby. */
async function lobby(count: number, change: Parameters<typeof lines.make>[0] = {}): Promise<TestLine> {
  const room = await lines.make(change)
  await room.set({ onSaleAt: new Date(room.now() + LOBBY_MS), lobbyAt: new Date(room.now()) })
  for (const person of people(count)) await enter(room, person)
  await room.tick()
  return room
}
async function drawn(count: number, change: Parameters<typeof lines.make>[0] = {}): Promise<TestLine> {
  const room = await lobby(count, change)
  room.pass(LOBBY_MS)
  await room.tick()
  return room
}
/** The places the record of the draw gives. */
function placesByRecord({ keeper }: TestLine): (number: number) => number {
  const { seed, entrants } = keeper.record!
  return placesOf(hashNow(expandDraw(seed!, entrants!), sha256))
}
const back = (room: TestLine, accountId: string, number: number, epoch: number) =>
  enter(room, accountId, ticketOf(room, accountId, number, epoch))
const wipe = (room: TestLine) => room.redis.del(...roomKeys(room.eventId))
const placesOfAll = async (room: TestLine, count: number) =>
  Promise.all(people(count).map(async (person) => (await entrant(room, person)).place))

describe('the lobby', () => {
  test('gives numbers and no places, and calls nobody', async () => {
    const room = await lobby(3)
    expect(await entrant(room, 'p1')).toMatchObject({ state: 'waiting', number: 1, place: null })
    expect(await look(room)).toMatchObject({ phase: 'lobby', waiting: 3, drawn: 0, seed: null })
  })

  test('publishes the commitment from the start and the secret not before the draw', async () => {
    const room = await lines.make()
    const { commitment, seed } = await look(room)
    expect(commitment).toBe(commitmentText(room.keeper.record!))
    expect(seed).toBe(null)
  })

  test('without anybody in it draws nothing: places are numbers', async () => {
    const room = await lobby(0)
    room.pass(LOBBY_MS)
    await room.tick()
    expect(await enter(room, 'late')).toMatchObject({ number: 0, place: 0 })
    await room.tick()
    expect(room.keeper.record).toMatchObject({ entrants: 0, seed: null })
    expect((await look(room)).drawn).toBe(0)
  })
})

describe('the draw', () => {
  test('gives everybody the place that the published seed gives, in every answer of the line', async () => {
    const room = await drawn(40, { activeMax: 40 })
    const placeOf = placesByRecord(room)
    expect(await placesOfAll(room, 40)).toEqual(people(40).map((_, number) => placeOf(number)))
    const { seed, root, entrants, secret } = room.keeper.record!
    expect(await look(room)).toMatchObject({
      phase: 'open',
      drawn: 40,
      seed: toHex(seed!),
      root: toHex(root!),
    })
    const leaves = people(40).map((person, number) => sha256(leafBytes(number, person)))
    const levels = await inSlices(merkleLevels(Buffer.concat(leaves), sha256))
    expect(toHex(levels.at(-1)!)).toBe(toHex(root!))
    expect(toHex(hashNow(seedOf(secret, root!, new Uint8Array(0)), sha256))).toBe(toHex(seed!))
    expect(entrants).toBe(40)
  })

  test('is what calls go by, and those who come after it line up behind in order of arrival', async () => {
    const room = await drawn(10, { activeMax: 4 })
    const placeOf = placesByRecord(room)
    const states = await Promise.all(people(10).map(async (person) => (await entrant(room, person)).state))
    expect(states).toEqual(people(10).map((_, number) => (placeOf(number) < 4 ? 'called' : 'waiting')))
    expect(await enter(room, 'late')).toMatchObject({ number: 10, place: 10 })
    expect(await enter(room, 'later')).toMatchObject({ number: 11, place: 11 })
  })

  test('begins by hand as well, and waits while the room is paused', async () => {
    const room = await lobby(3)
    await room.set({ control: 'paused' })
    room.pass(LOBBY_MS)
    await room.tick()
    expect(room.keeper.record!.closedAt).toBe(null)
    await enter(room, 'in-the-pause')
    await room.set({ control: 'open' })
    await room.tick()
    expect(room.keeper.record!.entrants).toBe(4)
    expect((await look(room)).phase).toBe('open')
  })

  test('leaves out whoever left, swept or gone by themselves, before, while and after the list is read', async () => {
    const room = await lobby(30, { activeMax: 1, graceSeconds: 1 })
    await room.line.leave(room.eventId, 'p3')
    await room.line.drop(room.eventId, 'p4', 'p4')
    room.pass(LOBBY_MS)
    const leave = (at: keyof DrawKeeper, who: string) => {
      const step = room.keeper[at] as (...args: unknown[]) => Promise<unknown>
      Object.assign(room.keeper, {
        [at]: async (...args: unknown[]) => {
          await room.line.leave(room.eventId, who)
          return step(...args)
        },
      })
    }
    leave('close', 'p5')
    leave('fix', 'p6')
    leave('seal', 'p7')
    await room.tick()
    const placeOf = placesByRecord(room)
    const gone = [3, 4, 5, 6, 7].map(placeOf)
    expect((await look(room)).waiting + (await look(room)).called).toBe(25)
    const kept = await room.redis.zrange(roomKey(room.eventId, 'gone'), '0', '-1')
    const { serving } = await look(room)
    expect(kept.map(Number).toSorted((a, b) => a - b)).toEqual(
      gone.filter((place) => place >= serving).toSorted((a, b) => a - b),
    )
    const unread = (await room.keeper.leaves(room.eventId, 3, 6)).toHex()
    expect(unread).toBe([3, 4, 5].map((number) => toHex(sha256(leafBytes(number, '')))).join(''))
    expect(await enter(room, 'p3')).toMatchObject({ number: 30, place: 30 })
  })

  test('passes over those who are away without counting them', async () => {
    const room = await lobby(20, { activeMax: 5, graceSeconds: 600 })
    for (const person of people(10)) await room.line.drop(room.eventId, person, person)
    room.pass(LOBBY_MS)
    await room.tick()
    const states = await Promise.all(people(20).map(async (person) => (await entrant(room, person)).state))
    expect(states.slice(10).filter((state) => state === 'called')).toHaveLength(5)
    expect((await look(room)).called).toBe(5)
  })

  test('takes as little as one person', async () => {
    const room = await drawn(1)
    expect(await entrant(room, 'p0')).toMatchObject({ state: 'called', place: 0 })
  })

  test('of a room that was closed meanwhile calls nobody of before', async () => {
    const room = await lobby(5, { activeMax: 2 })
    await room.set({ control: 'closed' })
    expect((await look(room)).waiting).toBe(0)
    await room.set({ control: 'auto' })
    await enter(room, 'new')
    room.pass(LOBBY_MS)
    await room.tick()
    expect(room.keeper.record!.entrants).toBe(6)
    expect((await entrant(room, 'new')).state).toBe('called')
    expect(await entrant(room, 'p1')).toMatchObject({ state: 'outside', why: 'closed' })
  })
})

describe('a server killed in the middle of the draw', () => {
  const steps = ['close', 'fix', 'seal'] as const
  for (const step of steps)
    for (const when of ['before', 'after'] as const)
      test(`${when} ${step} leaves a draw that the next server finishes, with one list and one seed`, async () => {
        const room = await lobby(20, { activeMax: 20 })
        room.pass(LOBBY_MS)
        const stored = room.keeper[step] as (...args: unknown[]) => Promise<unknown>
        Object.assign(room.keeper, {
          [step]: async (...args: unknown[]) => {
            Object.assign(room.keeper, { [step]: stored })
            if (when === 'after') await stored(...args)
            throw new Error('killed')
          },
        })
        await expect(room.tick('one')).rejects.toThrow('killed')
        expect((await look(room)).phase).toBe('lobby')
        expect(await enter(room, 'late')).toMatchObject({ number: 20, place: 20 })
        const before = { ...room.keeper.record! }
        room.pass(3_000)
        await room.tick('two')
        const after = room.keeper.record!
        for (const field of ['secret', 'closedAt', 'root', 'seed'] as const)
          if (before[field]) expect(after[field]).toEqual(before[field])
        expect(after.entrants).toBe(20)
        expect(await placesOfAll(room, 20)).toEqual(people(20).map((_, n) => placesByRecord(room)(n)))
      })

  test('between staging and the one script that draws: nothing of it shows, and the next server draws', async () => {
    const room = await lobby(20, { activeMax: 20 })
    await room.line.leave(room.eventId, 'p2')
    room.pass(LOBBY_MS)
    const { run } = room.line
    const ticked = await tickRoom(room.line, room.eventId, 'one', room.seats)
    room.line.run = async (name, ...rest) => {
      if (name === 'draw-places') throw new Error('killed')
      return run(name, ...rest)
    }
    await expect(room.draw(ticked.drawDue!)).rejects.toThrow('killed')
    room.line.run = run
    expect(await look(room)).toMatchObject({ phase: 'lobby', drawn: 0 })
    expect((await entrant(room, 'p1')).place).toBe(null)
    room.pass(3_000)
    await room.tick('two')
    expect((await look(room)).drawn).toBe(20)
    expect((await entrant(room, 'p1')).place).toBe(placesByRecord(room)(1))
  })

  test('two holders at once draw once: whoever lost the lease changes nothing', async () => {
    const room = await lobby(20, { activeMax: 20 })
    room.pass(LOBBY_MS)
    const first = (await tickRoom(room.line, room.eventId, 'one', room.seats)).drawDue!
    room.pass(3_000)
    const second = (await tickRoom(room.line, room.eventId, 'two', room.seats)).drawDue!
    expect(second).not.toBe(first)
    const outcomes = await Promise.all([room.draw(first), room.draw(second), room.draw(second)])
    expect(outcomes).toEqual(['stale', 'drawn', 'drawn'])
    expect(await room.draw(first)).toBe('stale')
    expect((await look(room)).drawn).toBe(20)
  })

  test('a holder that loses the lease before the last step does not take it', async () => {
    const room = await lobby(5)
    room.pass(LOBBY_MS)
    const fence = (await tickRoom(room.line, room.eventId, 'one', room.seats)).drawDue!
    const { run } = room.line
    room.line.run = async (name, ...rest) => {
      if (name === 'draw-places') {
        room.line.run = run
        room.pass(3_000)
        await tickRoom(room.line, room.eventId, 'two', room.seats)
      }
      return run(name, ...rest)
    }
    expect(await room.draw(fence)).toBe('stale')
    expect(await look(room)).toMatchObject({ phase: 'lobby', drawn: 0 })
    await room.tick('two')
    expect((await look(room)).drawn).toBe(5)
  })
})

describe('a Redis lost', () => {
  test('before the draw: tickets get their numbers back, the gap is nobody, and the list waits for them', async () => {
    const room = await lobby(10, { activeMax: 4 })
    await room.save()
    await wipe(room)
    room.pass(LOBBY_MS)
    await room.tick()
    expect(await look(room)).toMatchObject({ phase: 'lobby', epoch: 2, arrivals: 10 + EPOCH_GAP })
    for (const number of [0, 1, 2, 3, 4, 5, 6]) await back(room, `p${number}`, number, 1)
    expect(await enter(room, 'new')).toMatchObject({ number: 10 + EPOCH_GAP, place: 10 + EPOCH_GAP })
    await room.tick()
    expect(room.keeper.record).toMatchObject({ entrants: 10 + EPOCH_GAP, root: null })
    room.pass(RETURN_MS)
    await room.tick()
    const placeOf = placesByRecord(room)
    expect((await look(room)).drawn).toBe(10 + EPOCH_GAP)
    expect((await entrant(room, 'p3')).place).toBe(placeOf(3))
    const called = await Promise.all(people(7).map(async (person) => (await entrant(room, person)).state))
    const order = people(7)
      .map((_, number) => number)
      .toSorted((a, b) => placeOf(a) - placeOf(b))
    expect(order.slice(0, 4).map((number) => called[number])).toEqual(Array(4).fill('called'))
    expect(order.slice(4).map((number) => called[number])).toEqual(Array(3).fill('waiting'))
    // Too late for the list: a new number, behind.
    expect((await back(room, 'p8', 8, 1)).number).toBe(11 + EPOCH_GAP)
  })

  test('after the close, before the list is read: the list stays as long, and nobody behind gets onto it', async () => {
    const room = await lobby(10, { activeMax: 4 })
    room.pass(LOBBY_MS)
    room.keeper.dieBefore = 'fix'
    await expect(room.tick()).rejects.toThrow('killed')
    await enter(room, 'late')
    await room.save()
    await wipe(room)
    await room.tick()
    for (let number = 0; number < 10; number++) await back(room, `p${number}`, number, 1)
    expect(await back(room, 'late', 10, 1)).toMatchObject({ number: 10, place: 10 })
    room.pass(RETURN_MS)
    await room.tick()
    expect(room.keeper.record!.entrants).toBe(10)
    expect(await placesOfAll(room, 10)).toEqual(people(10).map((_, n) => placesByRecord(room)(n)))
    expect((await entrant(room, 'late')).place).toBe(10)
    expect((await look(room)).waiting + (await look(room)).called).toBe(11)
  })

  for (const [when, step] of [
    ['once the root is fixed', 'seal'],
    ['once the seed is fixed', null],
  ] as const)
    test(`${when}: the draw comes back with the line, and everybody listed to the drawn place`, async () => {
      const room = await lobby(10, { activeMax: 4 })
      room.pass(LOBBY_MS)
      const { run } = room.line
      room.keeper.dieBefore = step
      room.line.run = async (name, ...rest) => {
        if (name === 'draw-places') throw new Error('killed')
        return run(name, ...rest)
      }
      await expect(room.tick()).rejects.toThrow('killed')
      room.line.run = run
      const { root } = room.keeper.record!
      expect(root).not.toBe(null)
      await room.save()
      await wipe(room)
      await room.tick()
      expect((await look(room)).drawn).toBe(10)
      expect(room.keeper.record!.root).toEqual(root)
      for (const number of [0, 1, 2, 3, 4, 5]) await back(room, `p${number}`, number, 1)
      const placeOf = placesByRecord(room)
      for (const number of [0, 1, 2, 3, 4, 5])
        expect((await entrant(room, `p${number}`)).place).toBe(placeOf(number))
      expect((await look(room)).waiting).toBe(6)
    })

  test('after the draw: listed tickets get their places back, forged and unlisted numbers do not', async () => {
    const room = await lobby(12, { activeMax: 2 })
    await room.line.leave(room.eventId, 'p5')
    room.pass(LOBBY_MS)
    await room.tick()
    const placeOf = placesByRecord(room)
    const { serving } = await look(room)
    await enter(room, 'late')
    await room.save()
    await wipe(room)
    const returned = people(12).filter((person) => person !== 'p5')
    for (const person of returned) {
      const number = Number(person.slice(1))
      const { place } = await back(room, person, number, 1)
      expect(place).toBe(placeOf(number))
    }
    expect(await back(room, 'late', 12, 1)).toMatchObject({ place: 12 })
    // The number of somebody who had left before the list was closed, and another's: genuine signatures, not listed.
    expect((await back(room, 'p5', 5, 1)).number).toBe(13 + EPOCH_GAP)
    expect((await back(room, 'thief', 6, 1)).number).toBe(14 + EPOCH_GAP)
    room.pass(room.settings.passSeconds * 1_000)
    await room.tick()
    const called = await Promise.all(
      returned.map(async (person) => [(await entrant(room, person)).state, placeOf(Number(person.slice(1)))]),
    )
    const lowest = called
      .map(([, place]) => place as number)
      .toSorted((a, b) => a - b)
      .slice(0, 2)
    for (const [state, place] of called)
      expect(state).toBe(lowest.includes(place as number) ? 'called' : 'waiting')
    expect(serving).toBeGreaterThan(0)
  })

  test('a ticket that comes while the list is read is too late for it, and gets a number behind', async () => {
    const room = await lobby(10)
    await room.save()
    await wipe(room)
    room.pass(LOBBY_MS)
    await back(room, 'p1', 1, 1)
    await room.tick()
    room.pass(RETURN_MS)
    const { fix } = room.keeper
    const late: (number | null)[] = []
    room.keeper.fix = async (...args) => {
      late.push((await back(room, 'p2', 2, 1)).number)
      return fix(...args)
    }
    await room.tick()
    expect(late).toEqual([10 + EPOCH_GAP])
    expect((await look(room)).waiting + (await look(room)).called).toBe(2)
  })

  test('in the lobby holds nobody up: no pass of the lost epoch can be in use', async () => {
    const room = await lobby(3)
    await room.save()
    await wipe(room)
    await room.tick()
    expect((await look(room)).heldUntil).toBe(0)
  })
})

test('a hex text of another length or alphabet is none', () => {
  expect(fromHex('00ff', 2)).toEqual(Uint8Array.of(0, 255))
  expect([fromHex('00f', 2), fromHex('00FF', 2), fromHex('00fg', 2)]).toEqual([null, null, null])
})
