// Shows what limits the flow of a line and how it says so: health, seats, priority, and people who are away.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { nextBrake, BRAKE_EVERY_MS, BRAKE_OFF, type BookingHealth } from '../../server/room/brake.ts'
import { roomKey } from '../../server/room/keys.ts'
import { enter, openLines, type TestLine } from '../support/line.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

const STORES_WITHIN_MS = 60_000
const TICK_MS = 250

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

const people = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `p${from + i}`)
const stateOf = async (room: TestLine, who: string) => (await room.line.entrant(room.eventId, who)).state
const enterAll = async (room: TestLine, count: number, from = 0) => {
  for (const who of people(count, from)) await enter(room, who)
}
const claim = async (room: TestLine, who: string) => {
  const move = await room.line.claim(room.eventId, who)
  if (!move.ok) throw new Error(move.refusal)
  return move.entrant.state
}
const drop = (room: TestLine, who: string) => room.line.drop(room.eventId, who, who)
const statesOf = (room: TestLine, who: string[]) => Promise.all(who.map((one) => stateOf(room, one)))
const meta = (room: TestLine) => room.redis.hgetall(roomKey(room.eventId, 'meta'))
const tick = async (room: TestLine, times = 1) => {
  for (let i = 0; i < times; i++) {
    room.pass(TICK_MS)
    await room.tick()
  }
}
const steps = async (room: TestLine) => {
  const entries = await room.redis.xrange(roomKey(room.eventId, 'steps'), '-', '+')
  return entries.map(([, fields]) => JSON.parse(fields[1]!) as Record<string, unknown>)
}

describe('somebody whose tab is closed', () => {
  test('at the front delays the next by no tick, and is called first when back', async () => {
    const room = await lines.make({ activeMax: 1, graceSeconds: 60 })
    await enterAll(room, 3)
    await drop(room, 'p0')
    await room.tick()
    expect(await stateOf(room, 'p1')).toBe('called')
    expect((await enter(room, 'p0')).place).toBe(0)
    await claim(room, 'p1')
    await room.line.leave(room.eventId, 'p1')
    await tick(room)
    expect(await statesOf(room, ['p0', 'p2'])).toEqual(['called', 'waiting'])
  })

  test('when called frees the turn at the next tick, and may still claim it until it is due', async () => {
    const room = await lines.make({ activeMax: 1, doorSeconds: 30, graceSeconds: 60 })
    await enterAll(room, 2)
    await room.tick()
    expect(await stateOf(room, 'p0')).toBe('called')
    await drop(room, 'p0')
    await tick(room)
    expect(await stateOf(room, 'p1')).toBe('called')
    expect(await stateOf(room, 'p0')).toBe('called')
    await enter(room, 'p0')
    expect(await claim(room, 'p0')).toBe('admitted')
    expect(await claim(room, 'p1')).toBe('door')
    await room.line.leave(room.eventId, 'p0')
    await tick(room)
    expect(await stateOf(room, 'p1')).toBe('admitted')
  })

  test('keeps the place for the grace after the turn is over, once', async () => {
    const room = await lines.make({ activeMax: 1, doorSeconds: 10, graceSeconds: 60 })
    await enterAll(room, 1)
    await room.tick()
    await drop(room, 'p0')
    room.pass(11_000)
    await tick(room)
    expect(await stateOf(room, 'p0')).toBe('waiting')
    expect((await enter(room, 'p0')).number).toBe(0)
    await tick(room)
    expect(await stateOf(room, 'p0')).toBe('called')
    await drop(room, 'p0')
    room.pass(11_000)
    await tick(room)
    expect(await room.line.entrant(room.eventId, 'p0')).toMatchObject({ state: 'outside', why: 'no_show' })
  })

  test('loses the place when the grace is over, wherever it was', async () => {
    const room = await lines.make({ activeMax: 2, doorSeconds: 5, graceSeconds: 20 })
    await enterAll(room, 4)
    await drop(room, 'p0')
    await room.tick()
    await claim(room, 'p1')
    await claim(room, 'p2')
    await drop(room, 'p3')
    room.pass(19_000)
    await tick(room)
    expect(await statesOf(room, ['p0', 'p3'])).toEqual(['waiting', 'waiting'])
    room.pass(2_000)
    await tick(room)
    expect(await statesOf(room, ['p0', 'p3'])).toEqual(['outside', 'outside'])
    expect((await room.line.look(room.eventId))!.waiting).toBe(0)
    expect((await meta(room))['outstanding']).toBe('0')
  })

  test('at the door is not let in while away, and is when back', async () => {
    const room = await lines.make({ activeMax: 2, passSeconds: 20 })
    await enterAll(room, 2)
    await room.tick()
    await room.set({ activeMax: 1 })
    await claim(room, 'p0')
    expect(await claim(room, 'p1')).toBe('door')
    await drop(room, 'p1')
    room.pass(20_000)
    await tick(room)
    expect(await stateOf(room, 'p1')).toBe('door')
    expect((await room.line.look(room.eventId))!.active).toBe(0)
    await enter(room, 'p1')
    await tick(room)
    expect(await stateOf(room, 'p1')).toBe('admitted')
  })

  test('no pass is used up for, when admission needs no claim', async () => {
    const room = await lines.make({ activeMax: 1, doorSeconds: 0 })
    await enterAll(room, 2)
    await drop(room, 'p0')
    await room.tick()
    expect(await claim(room, 'p1')).toBe('admitted')
    await tick(room, 4)
    expect((await room.line.look(room.eventId))!.called).toBe(0)
    expect((await enter(room, 'p0')).state).toBe('called')
    expect(await claim(room, 'p0')).toBe('door')
  })
})

const joinAhead = (room: TestLine, who: string) =>
  room.line.join(room.eventId, who, { socket: who, priority: true })

describe('priority', () => {
  test('takes its share of the calls while others wait, and no more', async () => {
    const room = await lines.make({
      activeMax: 1_000,
      admitPerMinute: 600,
      priorityShare: 20,
      doorSeconds: 600,
    })
    await enterAll(room, 300)
    for (const who of people(100, 1_000)) await joinAhead(room, who)
    await tick(room, 60)
    const states = await statesOf(room, people(100, 1_000))
    const ahead = states.filter((state) => state === 'called').length
    const { calls } = await meta(room)
    expect(Number(calls)).toBeGreaterThan(100)
    expect(ahead).toBeGreaterThan(0)
    expect(Math.abs(ahead - Number(calls) * 0.2)).toBeLessThanOrEqual(1)
    // In order of their numbers.
    expect(states.slice(0, ahead).every((state) => state === 'called')).toBe(true)
  })

  test('costs its holder nothing when the ordinary place comes first, and is one place', async () => {
    const room = await lines.make({ activeMax: 2, priorityShare: 50 })
    await joinAhead(room, 'p0')
    await enterAll(room, 4, 1)
    const before = (await room.line.look(room.eventId))!.waiting
    await room.tick()
    expect(before).toBe(5)
    expect(await statesOf(room, people(5))).toEqual(['called', 'called', 'waiting', 'waiting', 'waiting'])
    expect((await room.line.look(room.eventId))!.waiting).toBe(3)
  })

  test('is given up by leaving, and leaves the ordinary place behind when called', async () => {
    const room = await lines.make({ activeMax: 2, priorityShare: 50 })
    await enterAll(room, 4)
    await joinAhead(room, 'v0')
    await joinAhead(room, 'v1')
    await room.line.leave(room.eventId, 'v0')
    await room.tick()
    expect(await statesOf(room, ['p0', 'p1', 'v1'])).toEqual(['called', 'waiting', 'called'])
    expect((await room.line.look(room.eventId))!.waiting).toBe(3)
    expect(await claim(room, 'v1')).toBe('admitted')
    for (const who of ['v1', 'p0', 'p1', 'p2', 'p3']) {
      await room.line.leave(room.eventId, who)
      await tick(room)
    }
    expect((await room.line.look(room.eventId))!.waiting).toBe(0)
  })
})

describe('seats', () => {
  test('no more are called than the free seats serve, and at least one while one is free', async () => {
    const room = await lines.make({ activeMax: 100 })
    room.seats = { total: 100, available: 8, reserved: 0 }
    await enterAll(room, 50)
    await tick(room)
    // 8 seats with a quarter to spare, two each.
    expect((await room.line.look(room.eventId))!.called).toBe(5)
    await tick(room, 6)
    expect((await room.line.look(room.eventId))!.called).toBe(5)
    expect((await meta(room))['limit']).toBe('seats')
    const one = await lines.make({ activeMax: 100 })
    one.seats = { total: 100, available: 1, reserved: 99 }
    await enterAll(one, 3)
    await tick(one)
    expect((await one.line.look(one.eventId))!.called).toBe(1)
  })

  test('what the admitted take is learned', async () => {
    const room = await lines.make({ activeMax: 10, passSeconds: 1 })
    room.seats = { total: 1_000, available: 500, reserved: 0 }
    for (let round = 0; round < 10; round++) {
      await enterAll(room, 10, round * 10)
      await tick(room)
      for (const who of people(10, round * 10)) {
        expect(await claim(room, who)).toBe('admitted')
        await room.line.run('report-health', room.eventId, ['one', 1, 0, 0, 5, who, 5])
      }
      await tick(room, 5)
    }
    expect(Number((await meta(room))['seatsPer']) / 1_000).toBeGreaterThan(4)
  })

  test('returned after the sale was sold out call the next at the next tick, whoever still holds a pass', async () => {
    const room = await lines.make({ activeMax: 10 })
    room.seats = { total: 5, available: 5, reserved: 0 }
    await enterAll(room, 4)
    await tick(room)
    expect(await claim(room, 'p0')).toBe('admitted')
    for (const who of ['p1', 'p2', 'p3']) await room.line.leave(room.eventId, who)
    await enterAll(room, 3, 10)
    room.seats = { total: 5, available: 0, reserved: 0 }
    await tick(room)
    expect((await room.line.look(room.eventId))!.phase).toBe('sold_out')
    expect(await statesOf(room, people(3, 10))).toEqual(['waiting', 'waiting', 'waiting'])
    room.seats = { total: 5, available: 1, reserved: 0 }
    await tick(room)
    expect(await statesOf(room, people(3, 10))).toEqual(['called', 'waiting', 'waiting'])
    expect((await steps(room)).map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['sold_out', 'returned']),
    )
  })
})

describe('the brake', () => {
  const bad: BookingHealth = { attempts: 100, conflicts: 0, errors: 0, p95Ms: 3_000 }
  const good: BookingHealth = { attempts: 100, conflicts: 5, errors: 0, p95Ms: 40 }

  test('is halved while reservations are slow, down to a tenth, and given back by tenths', () => {
    let brake = BRAKE_OFF
    const values: number[] = []
    for (let now = 10_000, i = 0; i < 20; i++, now += BRAKE_EVERY_MS) {
      brake = nextBrake(brake, i < 5 ? bad : good, now)
      values.push(brake.value)
    }
    expect(values.slice(0, 6)).toEqual([0.5, 0.25, 0.125, 0.1, 0.1, 0.2])
    expect(values.at(-1)).toBe(1)
    expect(brake.reason).toBe('')
  })

  test('says why, and does not move faster than its effect shows', () => {
    const conflicts = nextBrake(BRAKE_OFF, { ...good, conflicts: 60 }, 10_000)
    expect(conflicts).toEqual({ value: 0.5, reason: 'conflicts', at: 10_000 })
    expect(nextBrake(conflicts, { ...good, errors: 50 }, 12_000)).toEqual(conflicts)
    expect(nextBrake(conflicts, { ...good, errors: 50 }, 15_000).reason).toBe('errors')
    expect(nextBrake(BRAKE_OFF, { attempts: 2, conflicts: 2, errors: 2, p95Ms: 9_000 }, 10_000)).toEqual(
      BRAKE_OFF,
    )
  })

  test('slows the calls of the line, and the log says so', async () => {
    const room = await lines.make({ activeMax: 10_000, admitPerMinute: 6_000, doorSeconds: 600 })
    await enterAll(room, 1_000)
    const calledIn = async (ticks: number) => {
      const before = Number((await meta(room))['calls'] ?? 0)
      for (let i = 0; i < ticks; i++) {
        await room.line.run('report-health', room.eventId, ['one', 100, 0, 0, slow ? 5_000 : 20])
        await tick(room)
      }
      return Number((await meta(room))['calls']) - before
    }
    let slow = false
    const free = await calledIn(8)
    slow = true
    await calledIn(28)
    const braked = await calledIn(8)
    expect(braked).toBeLessThan(free / 2)
    expect((await meta(room))['limit']).toBe('health')
    const limited = (await steps(room)).filter(({ kind }) => kind === 'limited')
    expect(limited.at(-1)?.['detail']).toMatchObject({ by: 'health', reason: 'latency:5000' })
  })
})

describe('the log of steps', () => {
  test('adds up to the totals, and has at most one entry of calls a second', async () => {
    const room = await lines.make({ activeMax: 50, admitPerMinute: 1_200, doorSeconds: 5, passSeconds: 3 })
    await enterAll(room, 400)
    for (let i = 0; i < 60; i++) {
      await tick(room)
      const standing = await statesOf(room, people(20, i * 5))
      for (const [at, state] of standing.entries())
        if (state === 'called' && at % 3 > 0) await claim(room, `p${i * 5 + at}`)
    }
    await room.set({ control: 'paused' })
    const log = await steps(room)
    const total = (field: string) => log.reduce((sum, step) => sum + Number(step[field]), 0)
    const { calls, claims, noShows, step } = await meta(room)
    expect([total('called'), total('claimed'), total('noShows')]).toEqual(
      [calls, claims, noShows].map(Number),
    )
    expect(log.length).toBe(Number(step))
    const calledAt = log.filter(({ kind }) => kind === 'called').map(({ at }) => Number(at))
    expect(calledAt.slice(1).every((at, i) => at - calledAt[i]! >= 1_000)).toBe(true)
    expect(log.at(-1)?.['kind']).toBe('paused')
    expect(log[0]?.['kind']).toBe('opened')
  })
})

describe('absurd settings in the middle of a sale', () => {
  test('never break a limit that was in force when a pass was issued', async () => {
    const room = await lines.make({ activeMax: 1, doorSeconds: 5 })
    await enterAll(room, 300)
    const changes = [
      { activeMax: 100_000 },
      { doorSeconds: 0 },
      { admitPerMinute: 1 },
      { activeMax: 1 },
      { admitPerMinute: null, doorSeconds: 600 },
      { activeMax: 100_000, admitPerMinute: 30 },
      { activeMax: 3 },
      { doorSeconds: 5, admitPerMinute: null },
    ]
    let admitted = 0
    for (const [round, change] of changes.entries()) {
      await room.set(change)
      const lowered = (await room.line.look(room.eventId))!.active
      for (let i = 0; i < 8; i++) {
        await tick(room)
        for (const [at, state] of (await statesOf(room, people(300))).entries())
          if (state === 'called') await claim(room, `p${at}`)
        const view = (await room.line.look(room.eventId))!
        const { activeMax } = room.settings
        expect([round, view.active <= Math.max(activeMax, lowered)]).toEqual([round, true])
        admitted = view.admitted
      }
      for (const who of people(40, round * 20)) await room.line.leave(room.eventId, who)
    }
    expect(admitted).toBeGreaterThan(100)
    const { outstanding, openWidth } = await meta(room)
    expect(Number(outstanding)).toBeGreaterThanOrEqual(0)
    expect(Number(openWidth)).toBeGreaterThanOrEqual(Number(outstanding))
  })
})
