// Shows what the line does when a server falls silent, when Redis comes back with an older memory, and when it comes
// back with none: nobody's number is given twice, graces begin, passes count again.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { RoomSettings } from '../../db/rooms.ts'
import { LineMemory } from '../../server/room/memory.ts'
import { MISSING_AFTER_MS } from '../../server/room/tick.ts'
import { enter, openLines, type TestLine } from '../support/line.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

const GRACE_MS = 60_000
const RETURN_MS = 15_000
const TICK_MS = 1_000

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

/** What a server says each second. */
const attend = (made: TestLine, server: string, memory = new LineMemory()) =>
  made.line.run('attend', made.eventId, [
    server,
    memory.epoch,
    memory.arrivals,
    memory.serving,
    memory.admitted,
    0,
    0,
    100,
  ])

/** Ticks each second for so long, these servers being heard of all the time. */
async function live(made: TestLine, ms: number, servers: string[]): Promise<void> {
  for (let at = 0; at < ms; at += TICK_MS) {
    made.pass(TICK_MS)
    for (const server of servers) await attend(made, server)
    await made.tick()
  }
}

/** A line nobody is called in, with one person of each of two servers. */
async function twoServers(change: Partial<RoomSettings> = {}) {
  const made = await lines.make({ activeMax: 1, ...change })
  for (const server of ['alive', 'dead']) await attend(made, server)
  await enter(made, 'first')
  await made.tick()
  await made.line.join(made.eventId, 'kept', { socket: 'alive.0' })
  await made.line.join(made.eventId, 'lost', { socket: 'dead.0' })
  return made
}
const stateOf = async (made: TestLine, account: string) =>
  (await made.line.entrant(made.eventId, account)).state

/** Two passes are out and one person waits when Redis is emptied; one server tells which passes it remembers. */
async function loseTwoPasses(complete: boolean) {
  const made = await lines.make({ activeMax: 2, doorSeconds: 30, passSeconds: 600 })
  const witness = new LineMemory()
  for (const account of ['a', 'b', 'c']) await enter(made, account)
  await made.tick()
  for (const account of ['a', 'b']) await made.line.claim(made.eventId, account)
  witness.attended((await attend(made, 'one'))!, made.now())
  await made.save()
  const ticket = made.line.signTicket(made.eventId, await made.line.entrant(made.eventId, 'c'))
  await made.redis.flushdb()
  await enter(made, 'c', ticket)
  const passes = witness.toReturn(made.now()).flat()
  await made.line.run('return-passes', made.eventId, [
    witness.epoch,
    RETURN_MS,
    complete ? '1' : '',
    ...passes,
  ])
  return made
}

describe('a server nobody hears of', () => {
  test('has the grace of its people started, and nobody else’s', async () => {
    const made = await twoServers({ doorSeconds: 100_000 })
    await live(made, MISSING_AFTER_MS + 2_000, ['alive'])
    expect(await stateOf(made, 'lost')).toBe('waiting')
    await live(made, GRACE_MS + 2_000, ['alive'])
    expect(await stateOf(made, 'lost')).toBe('outside')
    expect(await stateOf(made, 'kept')).toBe('waiting')
  })

  test('stops no time of its people while the room is paused', async () => {
    const made = await twoServers({ doorSeconds: 100_000 })
    await made.set({ control: 'paused' })
    await live(made, 2 * GRACE_MS, ['alive'])
    expect(await stateOf(made, 'lost')).toBe('waiting')
    await made.set({ control: 'open' })
    await live(made, GRACE_MS + 2_000, ['alive'])
    expect(await stateOf(made, 'lost')).toBe('outside')
  })

  test('whose people came back elsewhere costs them nothing', async () => {
    const made = await twoServers({ doorSeconds: 100_000 })
    await live(made, MISSING_AFTER_MS + 2_000, ['alive'])
    await made.line.join(made.eventId, 'lost', { socket: 'alive.1' })
    await live(made, GRACE_MS + 2_000, ['alive'])
    expect(await stateOf(made, 'lost')).toBe('waiting')
  })

  test('is not missed because Redis itself was away', async () => {
    const made = await twoServers({ doorSeconds: 100_000, graceSeconds: 1 })
    made.pass(10 * MISSING_AFTER_MS)
    await made.tick()
    await live(made, 3_000, ['alive', 'dead'])
    expect(await stateOf(made, 'lost')).toBe('waiting')
  })
})

describe('a Redis that knows less than a server', () => {
  test('starts a new epoch, gives no number twice and every old one back', async () => {
    const made = await lines.make({ activeMax: 1 })
    for (const account of ['a', 'b', 'c', 'd']) await enter(made, account)
    await made.save()
    const tickets = await Promise.all(
      ['c', 'd'].map(async (account) =>
        made.line.signTicket(made.eventId, await made.line.entrant(made.eventId, account)),
      ),
    )
    const witness = new LineMemory()
    witness.attended((await attend(made, 'one'))!, made.now())
    // Restored from a file that is older than the last two.
    await made.redis.hincrby(`room:{${made.eventId}}:meta`, 'arrivals', -2)
    await made.redis.hdel(`room:{${made.eventId}}:entrants`, 'c', 'd')
    await attend(made, 'one', witness)

    expect(await enter(made, 'c', tickets[0])).toMatchObject({ number: 2, epoch: 2 })
    const newcomer = await enter(made, 'e')
    expect(newcomer.number).toBeGreaterThan(3)
    expect(await enter(made, 'd', tickets[1])).toMatchObject({ number: 3, epoch: 2 })
  })
})

describe('live passes after a loss', () => {
  test('count again, and admission goes on when one of them ends', async () => {
    const made = await loseTwoPasses(true)
    expect((await made.line.look(made.eventId))!.active).toBe(2)
    await live(made, RETURN_MS + 2_000, [])
    expect(await stateOf(made, 'c')).toBe('waiting')
    await made.line.leave(made.eventId, 'a')
    await live(made, 2_000, [])
    expect(await stateOf(made, 'c')).toBe('called')
  })

  test('that nobody knows all of hold admission until the last may have ended', async () => {
    const made = await loseTwoPasses(false)
    await made.line.leave(made.eventId, 'a')
    await live(made, RETURN_MS + 10_000, [])
    expect(await stateOf(made, 'c')).toBe('waiting')
    expect((await made.line.look(made.eventId))!.heldUntil).toBeGreaterThan(made.now())
  })

  test('keep the rate of the minute they were issued in', async () => {
    const made = await lines.make({ activeMax: 100, admitPerMinute: 2, doorSeconds: 30 })
    const witness = new LineMemory()
    for (const account of ['a', 'b', 'c']) await enter(made, account)
    for (let i = 0; i < 90; i++) {
      await live(made, 1_000, [])
      for (const account of ['a', 'b'])
        if ((await stateOf(made, account)) === 'called') await made.line.claim(made.eventId, account)
      if ((await made.line.look(made.eventId))!.active === 2) break
    }
    witness.attended((await attend(made, 'one'))!, made.now())
    await made.save()
    await made.redis.flushdb()
    await made.line.look(made.eventId)
    await made.line.run('return-passes', made.eventId, [1, 0, '1', ...witness.toReturn(made.now()).flat()])
    expect((await made.line.look(made.eventId))!.perMinute).toBe(2)
  })
})
