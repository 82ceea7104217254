// Shows that a server with a wrong clock, a connection that died without a word, and tabs that come at the same moment
// cost nobody a place.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { createSockets } from '../../server/room/socket.ts'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'
import { closeSockets, eventually, openSocket } from '../support/socket-client.ts'

const ROOM = { activeMax: 1, doorSeconds: 30, passSeconds: 600, graceSeconds: 60 }
const HOUR_MS = 3_600_000
const TOLERANCE_MS = 5_000
/** Bun's least; the servers' own is a minute, and a test has not that long. */
const IDLE_SECONDS = 8
const WITHIN_MS = 40_000

let one: AppHarness
let two: AppHarness
beforeAll(async () => {
  one = await startApp()
  two = await startApp({ serverIndex: 1 }, one)
}, START_WITHIN_MS)
afterEach(closeSockets)
afterAll(async () => {
  await two.close()
  await one.close()
}, START_WITHIN_MS)

describe('a server whose clock is wrong', () => {
  const rightNow = Date.now
  afterEach(() => {
    Date.now = rightNow
  })

  for (const wrongBy of [HOUR_MS, -HOUR_MS])
    test(`by ${wrongBy / HOUR_MS} h keeps the line's time`, async () => {
      Date.now = () => rightNow() + wrongBy
      const wrong = await startApp({ serverIndex: 2 }, one)
      await eventually(
        'it follows Redis',
        () => Math.abs(wrong.context.room.clock.now() - rightNow()) < TOLERANCE_MS,
      )
      const { eventId } = await wrong.event({ room: ROOM })
      const { token, accountId } = await wrong.person()
      const socket = await openSocket(wrong.url, eventId, { token })
      socket.send({ type: 'join' })
      const { claimBefore } = await socket.next('turn')
      const left = Date.parse(claimBefore) - rightNow()
      expect(Math.abs(left - ROOM.doorSeconds * 1_000)).toBeLessThan(TOLERANCE_MS)
      socket.send({ type: 'claim' })
      const { pass, expiresAt } = await socket.next('admitted')
      expect(Math.abs(Date.parse(expiresAt) - rightNow() - ROOM.passSeconds * 1_000)).toBeLessThan(
        TOLERANCE_MS,
      )
      expect(await wrong.context.room.requirePass(accountId, eventId, pass)).toBe('ok')
      Date.now = rightNow
      expect(await one.context.room.requirePass(accountId, eventId, pass)).toBe('ok')
      await wrong.close()
    })
})

describe('a connection that died without a word', () => {
  test(
    'is closed when it answers no ping, and the place waits for the grace',
    async () => {
      const { eventId, organizer } = await one.event({ room: ROOM })
      await one.call('POST', `/event/${eventId}/room/pause`, { token: organizer.token })
      const { token, accountId } = await one.person()
      const sockets = createSockets(one.context)
      const server = Bun.serve({
        port: 0,
        hostname: '127.0.0.1',
        fetch: async (request, upgrader) => (await sockets.upgrade(request, upgrader)) ?? undefined,
        websocket: { ...sockets.handlers, idleTimeout: IDLE_SECONDS },
      })
      sockets.start(server as never)
      let gone = false
      const silent = await Bun.connect({
        hostname: '127.0.0.1',
        port: server.port!,
        socket: { data() {}, close: () => void (gone = true) },
      })
      silent.write(
        `GET /ws/event/${eventId} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      )
      await Bun.sleep(500)
      silent.write(joinFrame())
      const joined = () => one.context.room.entrant(eventId, accountId)
      await eventually('it has joined', async () => (await joined()).socket !== '')
      await eventually('it is closed', () => gone, 3 * IDLE_SECONDS * 1_000)
      await eventually('its place waits without a connection', async () => {
        const entrant = await joined()
        return entrant.state === 'waiting' && entrant.socket === ''
      })
      await sockets.drain()
      await server.stop(true)
    },
    WITHIN_MS,
  )
})

/** `{"type":"join"}` as a masked text frame, with a mask of zeros. */
function joinFrame(): Buffer {
  const text = Buffer.from('{"type":"join"}')
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text])
}

describe('tabs of one account that join at the same moment', () => {
  test(
    'leave exactly one connected, on one place, wherever they are',
    async () => {
      const { eventId, organizer } = await one.event({ room: ROOM })
      await one.call('POST', `/event/${eventId}/room/pause`, { token: organizer.token })
      for (const { token, accountId } of await one.people(25)) {
        const tabs = await Promise.all(
          [one, two, one, two].map(({ url }) => openSocket(url, eventId, { token })),
        )
        for (const tab of tabs) tab.send({ type: 'join' })
        for (const tab of tabs.toReversed())
          if (tab.raw.readyState === WebSocket.OPEN) tab.send({ type: 'join' })
        const open = () => tabs.filter(({ raw }) => raw.readyState === WebSocket.OPEN)
        await eventually('one tab is left', () => open().length <= 1)
        await Bun.sleep(20)
        expect(open()).toHaveLength(1)
        // The last one standing takes the place back when a tab that was just sent away had it.
        await eventually(
          'its place knows it',
          async () => (await one.context.room.entrant(eventId, accountId)).socket !== '',
        )
        expect(
          new Set(
            tabs.flatMap(({ frames }) => frames.flatMap((f) => (f.type === 'joined' ? [f.number] : []))),
          ).size,
        ).toBe(1)
        open()[0]!.close()
      }
    },
    WITHIN_MS,
  )
})
