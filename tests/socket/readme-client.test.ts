// Takes the client out of the README and sends it through a turn, a draw and a restart: what a stranger pastes must work.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'
import { eventually } from '../support/socket-client.ts'

const ROOM = { enabled: true, activeMax: 1, doorSeconds: 30, passSeconds: 600, graceSeconds: 60 }
const LINES_MAX = 60
const BACK_WITHIN_MS = 15_000

interface Client {
  leave(): void
}
type LineUp = (options: {
  url: string
  eventId: string
  token: string
  onAhead: (people: number) => void
  onPass: (pass: string, expiresAt: string) => void
  onEnd: (reason: string) => void
}) => Client

const readme = await Bun.file(join(import.meta.dir, '../../README.md')).text()
const source = /## A client in sixty lines[\s\S]*?```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
const folder = mkdtempSync(join(tmpdir(), 'onsale-readme-'))

let app: AppHarness
let lineUp: LineUp
beforeAll(async () => {
  await Bun.write(join(folder, 'client.mjs'), source)
  ;({ lineUp } = (await import(join(folder, 'client.mjs'))) as { lineUp: LineUp })
  app = await startApp()
}, START_WITHIN_MS)
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await app.close()
}, START_WITHIN_MS)

function start(url: string, eventId: string, { token }: Person) {
  const heard = { ahead: [] as number[], passes: [] as string[], ends: [] as string[] }
  const client = lineUp({
    url,
    eventId,
    token,
    onAhead: (people) => heard.ahead.push(people),
    onPass: (pass) => heard.passes.push(pass),
    onEnd: (reason) => heard.ends.push(reason),
  })
  return { ...client, heard }
}

test('the client is short and needs nothing', () => {
  expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(LINES_MAX)
  expect(source).not.toMatch(/^import |require\(/m)
})

test('it joins, shows who is ahead, takes its turn and gets a pass that books', async () => {
  const { eventId, seatId } = await app.event({ room: ROOM })
  const [a, b] = await app.people(2)
  const first = start(app.url, eventId, a!)
  await eventually('the first pass', () => first.heard.passes.length > 0)
  const second = start(app.url, eventId, b!)
  await eventually('nobody is ahead of the second', () => second.heard.ahead.at(-1) === 0)
  const held = await app.hold(a!, [seatId(0)], { 'x-admission-pass': first.heard.passes[0]! })
  expect(held.status).toBe(201)
  first.leave()
  expect(first.heard.ends).toEqual(['left'])
  await eventually('the second pass', () => second.heard.passes.length > 0)
  second.leave()
})

test('it hears of its place when the draw is made, without reconnecting', async () => {
  const soon = Date.now() + 600_000
  const { eventId, organizer } = await app.event({
    onSaleAt: new Date(soon),
    room: { ...ROOM, lobbyAt: new Date(soon - 1_200_000) },
  })
  const people = await app.people(4)
  const clients = people.map((person) => start(app.url, eventId, person))
  await eventually('all are in the lobby', async () => {
    const { body } = await app.call('GET', `/event/${eventId}/room`)
    return body.data.waiting === people.length
  })
  expect(clients.flatMap(({ heard }) => [...heard.ahead, ...heard.passes])).toEqual([])
  const opened = await app.call('POST', `/event/${eventId}/room/open`, { token: organizer.token })
  expect(opened.status).toBe(200)
  await eventually('one is in, and every other knows a place of its own', () => {
    const ahead = clients.flatMap(({ heard }) => (heard.passes.length > 0 ? [] : [heard.ahead.at(-1)]))
    return Bun.deepEquals(ahead.toSorted(), [0, 1, 2])
  })
  for (const client of clients) client.leave()
})

test(
  'it keeps its place through a restart, and is told when another tab takes over',
  async () => {
    const { eventId } = await app.event({ room: ROOM })
    const [a, b, c] = await app.people(3)
    const holder = start(app.url, eventId, a!)
    await eventually('somebody is inside', () => holder.heard.passes.length > 0)
    const server = await startApp({ serverIndex: 1 }, app)
    const waiting = start(server.url, eventId, b!)
    await eventually('in line', () => waiting.heard.ahead.length > 0)
    const behind = start(app.url, eventId, c!)
    await eventually('in line behind', () => behind.heard.ahead.at(-1) === 1)

    const port = server.context.config.port
    await server.close()
    const heard = waiting.heard.ahead.length
    const again = await startApp({ serverIndex: 1, port, publicUrl: server.url }, app)
    await eventually('it is back', () => waiting.heard.ahead.length > heard, BACK_WITHIN_MS)
    // It hears of the line as soon as it is connected, and has its place only after that.
    await eventually('it has its place', async () => {
      const { socket } = await again.context.room.entrant(eventId, b!.accountId)
      return socket.startsWith(`${again.context.room.server}.`)
    })
    expect(waiting.heard.ahead.at(-1)).toBe(0)
    expect(behind.heard.ahead.at(-1)).toBe(1)

    const otherTab = start(app.url, eventId, b!)
    await eventually('the older one ends', () => waiting.heard.ends.length > 0)
    expect(waiting.heard.ends).toEqual(['replaced'])
    holder.leave()
    await eventually('its pass', () => otherTab.heard.passes.length > 0)
    for (const client of [otherTab, behind]) client.leave()
    await again.close()
  },
  START_WITHIN_MS,
)
