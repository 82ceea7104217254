// Shows the line as a list: what became of everybody, who ended how, and that whoever has gone costs next to nothing.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { roomKey } from '../../server/room/keys.ts'
import { entrantRow, lineCsv, type ListedEntrant } from '../../server/room/line-csv.ts'
import { ServedTimes } from '../../server/room/served-times.ts'
import { enter, openLines, type TestLine } from '../support/line.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

/** Stores start with the first file that needs them. */
const STORES_WITHIN_MS = 60_000
const HEAD = 'number,place,joined_at,called_at,admitted_at,ended_at,outcome,priority,deferred'

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

/** The list by number, its times as seconds since `start`. */
async function listOf(room: TestLine, start: number, served = new ServedTimes()) {
  const text = await new Response(
    await lineCsv(room.line, room.eventId, (place) => served.find(place)),
  ).text()
  const [head, ...rows] = text.trimEnd().split('\r\n')
  expect(head).toBe(HEAD)
  const seconds = (at: string) =>
    at === '' ? null : (Date.parse(at) - Math.floor(start / 1_000) * 1_000) / 1_000
  return rows
    .map((row) => {
      const [number, place, joined, called, admitted, ended, outcome, priority, deferred] = row.split(',')
      return {
        number: Number(number),
        place: Number(place),
        outcome,
        times: [joined!, called!, admitted!, ended!].map(seconds),
        marks: [priority, deferred],
      }
    })
    .toSorted((a, b) => a.number - b.number)
}

const leave = (room: TestLine, who: string) => room.line.leave(room.eventId, who)
const claim = (room: TestLine, who: string) => room.line.claim(room.eventId, who)
const outcomes = async (room: TestLine) => (await listOf(room, 0)).map(({ outcome }) => outcome)
async function callAt(room: TestLine, served: ServedTimes): Promise<void> {
  await room.tick()
  const { serving } = (await room.line.look(room.eventId))!
  served.add({ serving, at: new Date(room.now()), kind: 'called' })
}

describe('the list of a line', () => {
  test('tells what became of everybody, and when', async () => {
    const room = await lines.make({ activeMax: 3, doorSeconds: 30, passSeconds: 60 })
    const start = room.now()
    for (const who of ['bought', 'slept', 'gave-back', 'impatient', 'patient', 'last']) await enter(room, who)
    const served = new ServedTimes()
    room.pass(2_000)
    await leave(room, 'impatient')
    room.pass(8_000)
    await callAt(room, served)
    room.pass(5_000)
    await claim(room, 'bought')
    await claim(room, 'gave-back')
    room.pass(5_000)
    await leave(room, 'gave-back')
    await callAt(room, served)
    room.pass(60_000)
    await callAt(room, served)
    const list = await listOf(room, start, served)
    expect(list.map(({ number, outcome }) => [number, outcome])).toEqual([
      [0, 'pass_expired'],
      [1, 'no_show'],
      [2, 'left'],
      [3, 'left'],
      [4, 'no_show'],
      [5, 'called'],
    ])
    expect(list.map(({ times }) => times)).toEqual([
      [0, 10, 15, 75],
      [0, 10, null, null],
      [0, 10, 15, 20],
      // Left before the line came past.
      [0, null, null, 2],
      [0, 20, null, null],
      [0, 80, null, null],
    ])
    expect(list.every(({ marks }) => marks.join() === 'no,no')).toBe(true)
  })

  test('tells the same as the person is told, at every moment', async () => {
    const room = await lines.make({ activeMax: 1, doorSeconds: 10, passSeconds: 20 })
    await enter(room, 'a')
    await enter(room, 'b')
    expect(await outcomes(room)).toEqual(['waiting', 'waiting'])
    await room.tick()
    expect(await outcomes(room)).toEqual(['called', 'waiting'])
    await claim(room, 'a')
    expect(await outcomes(room)).toEqual(['admitted', 'waiting'])
    room.pass(20_000)
    // Nobody has ticked since: the pass is over all the same.
    expect(await outcomes(room)).toEqual(['pass_expired', 'waiting'])
  })

  test('after closing tells who had missed the turn before from who was sent away', async () => {
    const room = await lines.make({ activeMax: 1, doorSeconds: 10 })
    for (const who of ['slept', 'called', 'waiting']) await enter(room, who)
    await room.tick()
    room.pass(10_000)
    await room.tick()
    await room.tick()
    expect(await outcomes(room)).toEqual(['no_show', 'called', 'waiting'])
    await room.set({ control: 'closed' })
    expect(await outcomes(room)).toEqual(['no_show', 'closed', 'closed'])
  })

  test('of whoever stepped back tells when the second call came', async () => {
    const room = await lines.make({ activeMax: 1, doorSeconds: 30 })
    const start = room.now()
    await enter(room, 'a')
    await room.tick()
    await room.line.defer(room.eventId, 'a')
    room.pass(7_000)
    await room.tick()
    const [row] = await listOf(room, start)
    expect(row).toMatchObject({ outcome: 'called', times: [0, 7, null, null], marks: ['no', 'yes'] })
  })

  test('knows who entered with priority, and a new place after the old one', async () => {
    const room = await lines.make({ activeMax: 1, priorityShare: 50 })
    await room.line.join(room.eventId, 'guest', { socket: 'guest', priority: true })
    await enter(room, 'other')
    expect((await listOf(room, 0)).map(({ marks }) => marks[0])).toEqual(['yes', 'no'])
    await leave(room, 'guest')
    await enter(room, 'guest')
    expect((await listOf(room, 0)).map(({ number, marks }) => [number, marks[0]])).toEqual([
      [1, 'no'],
      [2, 'no'],
    ])
  })

  test('tells each entrant once, whoever joins meanwhile', async () => {
    const room = await lines.make({ activeMax: 1 })
    for (let n = 0; n < 700; n += 1) await enter(room, `early-${n}`)
    const reader = (await lineCsv(room.line, room.eventId, () => null)).getReader()
    const decoder = new TextDecoder()
    let text = decoder.decode((await reader.read()).value)
    for (let n = 0; n < 700; n += 1) await enter(room, `late-${n}`)
    for (let part = await reader.read(); !part.done; part = await reader.read())
      text += decoder.decode(part.value)
    const numbers = text
      .trimEnd()
      .split('\r\n')
      .slice(1)
      .map((row) => Number(row.split(',', 1)[0]))
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 700 }, (_, n) => n))
  })
})

describe('whoever has gone', () => {
  test('has no place any more, and joins behind everybody', async () => {
    const room = await lines.make({ activeMax: 1 })
    for (const who of ['a', 'b', 'c']) await enter(room, who)
    await leave(room, 'b')
    expect(await room.line.entrant(room.eventId, 'b')).toMatchObject({
      state: 'outside',
      why: 'left',
      place: null,
    })
    expect((await room.line.look(room.eventId))!.waiting).toBe(2)
    expect((await leave(room, 'b')).ok).toBe(true)
    expect((await room.line.look(room.eventId))!.waiting).toBe(2)
    expect((await enter(room, 'b')).number).toBe(3)
  })

  test('is kept shorter than whoever waits, who is kept as short as before', async () => {
    const room = await lines.make({ activeMax: 1 })
    const account = Bun.randomUUIDv7()
    const connection = Bun.randomUUIDv7()
    await room.line.join(room.eventId, account, { socket: connection })
    const key = roomKey(room.eventId, 'entrants')
    const waiting = (await room.redis.hget(key, account))!
    expect(waiting).not.toContain(';')
    room.pass(3_600_000)
    await leave(room, account)
    expect((await room.redis.hget(key, account))!.length).toBeLessThan(waiting.length)
  })
})

describe('a row', () => {
  const entrant: ListedEntrant = {
    number: 1,
    place: 0,
    outcome: 'admitted',
    joinedMs: Date.UTC(2027, 0, 1, 12),
    called: '',
    admitted: '30',
    ended: '',
    priority: false,
    deferred: false,
  }

  test('never says that somebody was admitted before being called, however late the log was written', () => {
    const late = () => entrant.joinedMs + 31_000
    expect(entrantRow(entrant, late)).toBe(
      '1,0,2027-01-01T12:00:00Z,2027-01-01T12:00:30Z,2027-01-01T12:00:30Z,,admitted,no,no\r\n',
    )
  })

  test('says nothing of a call the log does not know, and of one that closing was', () => {
    const served = new ServedTimes()
    served.add({ serving: 5, at: new Date(entrant.joinedMs + 1_000), kind: 'called' })
    served.add({ serving: 9, at: new Date(entrant.joinedMs + 2_000), kind: 'closed' })
    const calledAt = (place: number) =>
      entrantRow({ ...entrant, place, outcome: 'closed', admitted: '' }, (of) => served.find(of)).split(
        ',',
      )[3]
    expect([4, 5, 8, 9].map(calledAt)).toEqual(['2027-01-01T12:00:01Z', '', '', ''])
  })

  test('has no formula, whatever the line would say', () => {
    expect(entrantRow({ ...entrant, outcome: '=cmd()' }, () => null)).toContain(",'=cmd(),")
  })
})
