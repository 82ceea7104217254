// Shows each rule of the line on its own: real scripts, a clock the test moves.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { auditedRoomKey, checkPasses } from '../../db/audit/room-checks.ts'
import { DEFER_PLACES, EPOCH_GAP } from '../../server/room/room.ts'
import { enter, openLines, type TestLine } from '../support/line.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

/** Stores start with the first file that needs them. */
const STORES_WITHIN_MS = 60_000

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
const stateOf = async (room: TestLine, accountId: string) =>
  (await room.line.entrant(room.eventId, accountId)).state
const claim = async (room: TestLine, accountId: string) => {
  const move = await room.line.claim(room.eventId, accountId)
  if (!move.ok) throw new Error(move.refusal)
  return move.entrant
}
const enterAll = async (room: TestLine, count: number) => {
  for (const person of people(count)) await enter(room, person)
}

describe('joining', () => {
  test('gives numbers in order of arrival, and one place an account', async () => {
    const room = await lines.make()
    expect((await enter(room, 'a')).number).toBe(0)
    expect((await enter(room, 'b')).number).toBe(1)
    const again = await enter(room, 'a')
    expect(again.number).toBe(0)
    expect(again.place).toBe(0)
    expect((await room.line.look(room.eventId))?.arrivals).toBe(2)
  })

  test('is refused before the lobby opens and once the room is closed', async () => {
    const room = await lines.make()
    await room.set({ onSaleAt: new Date(room.now() + 20_000), lobbyAt: new Date(room.now() + 10_000) })
    expect(await room.line.join(room.eventId, 'a')).toMatchObject({ ok: false, refusal: 'event_not_on_sale' })
    room.pass(10_000)
    expect((await room.line.join(room.eventId, 'a')).ok).toBe(true)
    await room.set({ control: 'closed' })
    expect(await room.line.join(room.eventId, 'b')).toMatchObject({ ok: false, refusal: 'event_not_on_sale' })
  })

  test('gives a new number to somebody who left', async () => {
    const room = await lines.make()
    await enterAll(room, 2)
    await room.line.leave(room.eventId, 'p0')
    expect(await stateOf(room, 'p0')).toBe('outside')
    expect((await enter(room, 'p0')).number).toBe(2)
  })
})

describe('the phase', () => {
  test('goes from scheduled over lobby to open, and nobody is called in the lobby', async () => {
    const room = await lines.make()
    await room.set({ onSaleAt: new Date(room.now() + 20_000), lobbyAt: new Date(room.now() + 10_000) })
    const phase = async () => (await room.line.look(room.eventId))?.phase
    expect(await phase()).toBe('scheduled')
    room.pass(10_000)
    expect(await phase()).toBe('lobby')
    await enter(room, 'a')
    await room.tick()
    expect(await stateOf(room, 'a')).toBe('waiting')
    room.pass(10_000)
    await room.tick()
    expect(await phase()).toBe('open')
    expect(await stateOf(room, 'a')).toBe('called')
  })

  test('is sold out when no seat is free or reserved, keeps the line, and opens again for returned seats', async () => {
    const room = await lines.make()
    await enter(room, 'a')
    room.seats = { total: 5, available: 0, reserved: 0 }
    await room.tick()
    expect((await room.line.look(room.eventId))?.phase).toBe('sold_out')
    expect(await stateOf(room, 'a')).toBe('waiting')
    room.seats = { total: 5, available: 1, reserved: 0 }
    await room.tick()
    expect(await stateOf(room, 'a')).toBe('called')
  })

  test('stays open but calls nobody while every seat left is reserved', async () => {
    const room = await lines.make()
    await enter(room, 'a')
    room.seats = { total: 5, available: 0, reserved: 1 }
    await room.tick()
    expect((await room.line.look(room.eventId))?.phase).toBe('open')
    expect(await stateOf(room, 'a')).toBe('waiting')
  })

  test('an older settings push never overwrites a newer one', async () => {
    const room = await lines.make()
    const older = { ...room.settings }
    await room.set({ control: 'paused' })
    await room.line.push(older)
    expect((await room.line.look(room.eventId))?.phase).toBe('paused')
  })
})

describe('calling', () => {
  test('calls the lowest places first, as many as there are passes', async () => {
    const room = await lines.make({ activeMax: 3 })
    await enterAll(room, 5)
    await room.tick()
    expect(await Promise.all(people(5).map((p) => stateOf(room, p)))).toEqual([
      'called',
      'called',
      'called',
      'waiting',
      'waiting',
    ])
    await room.tick()
    expect((await room.line.look(room.eventId))?.serving).toBe(3)
  })

  test('passes over those who left, without counting them', async () => {
    const room = await lines.make({ activeMax: 2 })
    await enterAll(room, 6)
    for (const person of ['p0', 'p2', 'p3']) await room.line.leave(room.eventId, person)
    const before = (await room.line.look(room.eventId))!
    expect(before.waiting).toBe(3)
    expect(before.gone.reduce((sum, [, left]) => sum + left, 0)).toBe(3)
    await room.tick()
    expect(await stateOf(room, 'p1')).toBe('called')
    expect(await stateOf(room, 'p4')).toBe('called')
    expect(await stateOf(room, 'p5')).toBe('waiting')
  })

  test('a turn nobody claims ends at claimBefore and goes to the next, whoever asks', async () => {
    const room = await lines.make({ activeMax: 1, doorSeconds: 10 })
    await enterAll(room, 2)
    await room.tick()
    room.pass(9_999)
    await room.tick()
    expect(await stateOf(room, 'p0')).toBe('called')
    room.pass(1)
    expect(await stateOf(room, 'p0')).toBe('outside')
    const ticked = await room.tick()
    expect(ticked.noShows).toBe(1)
    expect(await stateOf(room, 'p1')).toBe('called')
    expect(await claim(room, 'p0')).toMatchObject({ state: 'outside', why: 'no_show' })
    expect((await enter(room, 'p0')).number).toBe(2)
  })

  test('counts the no-shows of a turn without those who claimed or left', async () => {
    const room = await lines.make({ activeMax: 5, doorSeconds: 10 })
    await enterAll(room, 5)
    await room.tick()
    await claim(room, 'p3')
    await room.line.leave(room.eventId, 'p1')
    room.pass(10_000)
    expect((await room.tick()).noShows).toBe(3)
    expect(await stateOf(room, 'p3')).toBe('admitted')
  })

  test('steps back once, behind a stated number, and the turn is free at once', async () => {
    const room = await lines.make({ activeMax: 1 })
    const count = DEFER_PLACES + 3
    await enterAll(room, count)
    await room.tick()
    const deferred = await room.line.defer(room.eventId, 'p0')
    expect(deferred).toMatchObject({ ok: true, entrant: { state: 'waiting', place: DEFER_PLACES } })
    for (let i = 1; i <= DEFER_PLACES; i++) {
      await room.tick()
      expect(await stateOf(room, `p${i}`)).toBe('called')
      expect(await stateOf(room, 'p0')).toBe('waiting')
      await room.line.leave(room.eventId, `p${i}`)
    }
    await room.tick()
    expect(await stateOf(room, 'p0')).toBe('called')
    expect((await room.line.defer(room.eventId, 'p0')).ok).toBe(false)
    await room.line.leave(room.eventId, 'p0')
    await room.tick()
    expect(await stateOf(room, `p${DEFER_PLACES + 1}`)).toBe('called')
  })

  test('somebody who stepped back is not forgotten when nobody else is left', async () => {
    const room = await lines.make({ activeMax: 1 })
    await enter(room, 'a')
    await room.tick()
    await room.line.defer(room.eventId, 'a')
    await room.tick()
    expect(await stateOf(room, 'a')).toBe('called')
  })
})

describe('passes', () => {
  test('claiming twice is the same pass', async () => {
    const room = await lines.make()
    await enter(room, 'a')
    await room.tick()
    const first = await claim(room, 'a')
    room.pass(5_000)
    expect((await claim(room, 'a')).expiresAt).toEqual(first.expiresAt)
  })

  test('a claim before the turn keeps waiting', async () => {
    const room = await lines.make({ activeMax: 1 })
    await enterAll(room, 2)
    await room.tick()
    expect(await claim(room, 'p1')).toMatchObject({ state: 'waiting' })
  })

  test('end after passSeconds, and the next is called', async () => {
    const room = await lines.make({ activeMax: 1, passSeconds: 20 })
    await enterAll(room, 2)
    await room.tick()
    await claim(room, 'p0')
    await room.tick()
    expect(await stateOf(room, 'p1')).toBe('waiting')
    room.pass(20_000)
    expect(await stateOf(room, 'p0')).toBe('outside')
    await room.tick()
    expect(await stateOf(room, 'p1')).toBe('called')
  })

  test('given up by leaving, go to the next at once', async () => {
    const room = await lines.make({ activeMax: 1 })
    await enterAll(room, 2)
    await room.tick()
    await claim(room, 'p0')
    await room.line.leave(room.eventId, 'p0')
    await room.tick()
    expect(await stateOf(room, 'p1')).toBe('called')
  })

  test('are never issued faster than admitPerMinute in any 60 s', async () => {
    const room = await lines.make({ activeMax: 100, admitPerMinute: 3, doorSeconds: 5 })
    await enterAll(room, 8)
    const admittedAt: number[] = []
    const step = async (ms: number) => {
      room.pass(ms)
      await room.tick()
      for (const person of people(8))
        if ((await stateOf(room, person)) === 'called' && (await claim(room, person)).state === 'admitted')
          admittedAt.push(room.now())
    }
    for (let i = 0; i < 260; i++) await step(500)
    expect(admittedAt.length).toBe(8)
    for (const at of admittedAt)
      expect(admittedAt.filter((other) => other >= at && other <= at + 60_000).length).toBeLessThanOrEqual(3)
  })

  test('wait at the door, in order, when the limit was lowered after the call', async () => {
    const room = await lines.make({ activeMax: 2, passSeconds: 20 })
    await enterAll(room, 3)
    await room.tick()
    await room.set({ activeMax: 1 })
    expect((await claim(room, 'p1')).state).toBe('admitted')
    expect((await claim(room, 'p0')).state).toBe('door')
    await room.tick()
    expect(await stateOf(room, 'p0')).toBe('door')
    room.pass(20_000)
    await room.tick()
    expect(await stateOf(room, 'p0')).toBe('admitted')
    expect(await stateOf(room, 'p2')).toBe('waiting')
  })
})

describe('a limit that came after the call', () => {
  test('of passes a minute holds for those who are called already', async () => {
    const room = await lines.make({ activeMax: 10 })
    await enterAll(room, 3)
    await room.tick()
    await room.set({ admitPerMinute: 2 })
    const states: string[] = []
    for (const person of people(3)) states.push((await claim(room, person)).state)
    expect(states).toEqual(['admitted', 'admitted', 'door'])
    room.pass(59_000)
    await room.tick()
    expect(await stateOf(room, 'p2')).toBe('door')
    room.pass(1_500)
    await room.tick()
    expect(await stateOf(room, 'p2')).toBe('admitted')
  })
})

describe('a pause', () => {
  test('admits nobody, and stops the time of turns and of lost connections', async () => {
    const room = await lines.make({ activeMax: 1, doorSeconds: 10, graceSeconds: 10 })
    await enterAll(room, 3)
    await room.tick()
    await room.line.drop(room.eventId, 'p1', 'p1')
    room.pass(5_000)
    await room.set({ control: 'paused' })
    room.pass(3_600_000)
    await room.tick()
    expect(await stateOf(room, 'p0')).toBe('called')
    expect(await stateOf(room, 'p1')).toBe('waiting')
    expect((await claim(room, 'p0')).state).toBe('door')
    await room.set({ control: 'open' })
    room.pass(1)
    await room.tick()
    expect(await stateOf(room, 'p0')).toBe('admitted')
    room.pass(4_998)
    await room.tick()
    expect(await stateOf(room, 'p1')).toBe('waiting')
    room.pass(1)
    await room.tick()
    expect(await stateOf(room, 'p1')).toBe('outside')
  })

  test('closing ends every place and lets the admitted finish', async () => {
    const room = await lines.make({ activeMax: 2 })
    await enterAll(room, 4)
    await room.tick()
    await claim(room, 'p0')
    await room.set({ control: 'closed' })
    expect(await Promise.all(people(4).map((p) => stateOf(room, p)))).toEqual([
      'admitted',
      'outside',
      'outside',
      'outside',
    ])
    expect((await room.line.entrant(room.eventId, 'p2')).why).toBe('closed')
    expect((await room.line.look(room.eventId))?.waiting).toBe(0)
    await room.set({ control: 'open' })
    expect((await enter(room, 'p2')).number).toBe(4)
  })
})

describe('a lost connection', () => {
  test('keeps its place for graceSeconds', async () => {
    const room = await lines.make({ activeMax: 1, graceSeconds: 10 })
    await enterAll(room, 3)
    await room.tick()
    await room.line.drop(room.eventId, 'p1', 'p1')
    room.pass(9_999)
    await room.tick()
    expect((await enter(room, 'p1')).number).toBe(1)
    await room.line.drop(room.eventId, 'p1', 'p1')
    room.pass(10_000)
    await room.tick()
    expect(await stateOf(room, 'p1')).toBe('outside')
    expect((await room.line.look(room.eventId))?.waiting).toBe(1)
  })

  test('of an older tab says nothing about the newer one', async () => {
    const room = await lines.make({ graceSeconds: 1, onSaleAt: new Date(Date.now() + 3_600_000) })
    await room.line.join(room.eventId, 'a', { socket: 'old' })
    await room.line.join(room.eventId, 'a', { socket: 'new' })
    await room.line.drop(room.eventId, 'a', 'old')
    room.pass(5_000)
    await room.tick()
    expect(await stateOf(room, 'a')).toBe('waiting')
  })

  test('over HTTP is one that stopped asking', async () => {
    const room = await lines.make({ onSaleAt: new Date(Date.now() + 3_600_000) })
    await room.line.join(room.eventId, 'a')
    for (let i = 0; i < 4; i++) {
      room.pass(50_000)
      await room.tick()
      await room.line.entrant(room.eventId, 'a', { present: true })
    }
    expect(await stateOf(room, 'a')).toBe('waiting')
    room.pass(60_000)
    await room.tick()
    expect(await stateOf(room, 'a')).toBe('outside')
  })

  test('over HTTP keeps its place for graceSeconds when that is longer', async () => {
    const room = await lines.make({ graceSeconds: 600, onSaleAt: new Date(Date.now() + 3_600_000) })
    await room.line.join(room.eventId, 'a')
    room.pass(599_000)
    await room.tick()
    expect(await stateOf(room, 'a')).toBe('waiting')
    room.pass(1_000)
    await room.tick()
    expect(await stateOf(room, 'a')).toBe('outside')
  })
})

describe('a wiped Redis', () => {
  test('starts a new epoch, gives tickets their number back, and nobody else that number', async () => {
    const room = await lines.make({ activeMax: 2, passSeconds: 30 })
    await enterAll(room, 6)
    await room.tick()
    await claim(room, 'p0')
    const ticket = async (p: string) =>
      room.line.signTicket(room.eventId, await room.line.entrant(room.eventId, p))
    const tickets = Object.fromEntries(await Promise.all(people(6).map(async (p) => [p, await ticket(p)])))
    await room.save()
    await room.redis.flushdb()

    const newcomer = await enter(room, 'new')
    expect(newcomer).toMatchObject({ epoch: 2, number: 6 + EPOCH_GAP })
    const back = await Promise.all(people(6).map((p) => enter(room, p, tickets[p])))
    expect(back.map((entrant) => entrant.number)).toEqual([0, 1, 2, 3, 4, 5])
    expect(await room.line.join(room.eventId, 'thief', { ticket: tickets.p0! })).toMatchObject({
      entrant: { number: 7 + EPOCH_GAP },
    })
    expect((await room.line.look(room.eventId))?.waiting).toBe(8)

    await room.tick()
    expect(await stateOf(room, 'p0')).toBe('waiting')
    room.pass(30_000)
    await room.tick()
    expect(await Promise.all(people(6).map((p) => stateOf(room, p)))).toEqual([
      'called',
      'called',
      'waiting',
      'waiting',
      'waiting',
      'waiting',
    ])
    for (const p of ['p0', 'p1', 'p2', 'p3']) {
      await room.line.leave(room.eventId, p)
      await room.tick()
    }
    await room.line.leave(room.eventId, 'p4')
    await room.tick()
    expect(await stateOf(room, 'new')).toBe('called')
    expect(await stateOf(room, 'thief')).toBe('waiting')
  })

  test('twice, before anything was saved, gives a number of two owners to one of them only', async () => {
    const room = await lines.make({ activeMax: 1 })
    const ticketOf = async (p: string) => room.line.signTicket(room.eventId, await enter(room, p))
    const first = await ticketOf('a')
    await room.redis.flushdb()
    room.progress = { epoch: 1, arrivals: -EPOCH_GAP, serving: 0 }
    const second = await ticketOf('b')
    await room.redis.flushdb()
    expect((await enter(room, 'b', second)).number).toBe(0)
    expect((await enter(room, 'a', first)).number).toBeGreaterThan(0)
    expect((await room.line.look(room.eventId))?.waiting).toBe(2)
  })

  test('is rebuilt once, however many servers notice', async () => {
    const room = await lines.make()
    await enter(room, 'a')
    await room.save()
    await room.redis.flushdb()
    await Promise.all(people(20).map((p) => enter(room, p)))
    expect(room.progress?.epoch).toBe(2)
    expect((await room.line.look(room.eventId))?.arrivals).toBe(1 + EPOCH_GAP + 20)
  })
})

describe('a limit lowered below what was given out', () => {
  test('is no breach, and one pass beyond it is', async () => {
    const room = await lines.make({ activeMax: 4, admitPerMinute: 4 })
    // The audit goes by the real clock, which the tests before have left behind.
    room.pass(Math.max(0, Date.now() - room.now()))
    await enterAll(room, 6)
    await room.tick()
    for (const person of people(4)) await claim(room, person)
    room.pass(1_000)
    await room.set({ activeMax: 2, admitPerMinute: 2 })
    const audit = () => checkPasses(lines.redis, room.eventId)
    expect(await audit()).toEqual([])
    await room.tick()
    expect((await room.line.look(room.eventId))?.serving).toBe(4)

    await lines.redis.zadd(auditedRoomKey(room.eventId, 'active'), room.now() + 60_000, 'stranger')
    expect(await audit()).toHaveLength(1)
    const bucket = String(Math.floor(room.now() / 250) + 1)
    await lines.redis.hincrby(auditedRoomKey(room.eventId, 'admissions'), bucket, 1)
    expect(await audit()).toHaveLength(2)
  })
})
