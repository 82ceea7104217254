// Shows that clients who stop reading cost the others no tick and the server no memory, and are closed or heal.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import type { Server } from 'bun'
import { createSockets, type SocketData, type Sockets } from '../../server/room/socket.ts'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'
import { openRawSocket, type RawSocket } from '../support/raw-socket.ts'
import { eventually } from '../support/socket-client.ts'

const STALLED = 40
const READING = 5
/** Fewer and far bigger than a minute's: a kernel takes megabytes a socket before the server feels anything. */
const TICKS = 160
const TICK_MS = 10
const TICK_BYTES = 64 * 1024
/** A tick of the faster readers is late when it takes longer than the real one's pause. */
const LATE_MS = 600
const MB = 1024 * 1024
/** Kept for the stalled it would be 400 MB. */
const RSS_MAX = 96 * MB
const QUIET_MS = 300
const WITHIN_MS = 60_000

let app: AppHarness
let eventId: string
let sockets: Sockets
let server: Server<SocketData>
const opened: RawSocket[] = []
beforeAll(async () => {
  app = await startApp()
  ;({ eventId } = await app.event({ room: { enabled: true } }))
}, START_WITHIN_MS)
afterEach(() => {
  for (const { tcp } of opened.splice(0)) tcp.destroy()
})
afterAll(() => app.close(), START_WITHIN_MS)

async function serve(): Promise<void> {
  sockets = createSockets(app.context)
  server = Bun.serve<SocketData>({
    port: 0,
    hostname: '127.0.0.1',
    websocket: sockets.handlers,
    fetch: (request, self) => sockets.upgrade(request, self),
  })
  sockets.start(server)
}
async function stop(): Promise<void> {
  for (const { tcp } of opened.splice(0)) tcp.destroy()
  await sockets.drain()
  await server.stop(true)
}
/** Signed in: whoever says nothing and is nobody would be closed for that. */
const open = async (deaf: boolean, { token }: Person) => {
  const raw = await openRawSocket(`http://127.0.0.1:${server.port}`, eventId, { deaf, token })
  opened.push(raw)
  return raw
}
const tick = () => server.publish(`far:${eventId}`, 'x'.repeat(TICK_BYTES))
const settled = async () => {
  Bun.gc(true)
  await Bun.sleep(200)
  return process.memoryUsage.rss()
}

describe('who stops reading', () => {
  test(
    'costs the others no tick and the server bounded memory; they lose ticks, and are closed',
    async () => {
      await serve()
      const people = await app.people(READING + STALLED)
      const reading = await Promise.all(people.slice(0, READING).map((person) => open(false, person)))
      const stalled = await Promise.all(people.slice(READING).map((person) => open(true, person)))
      await eventually('all are open', () => server.pendingWebSockets === READING + STALLED)
      const before = await settled()
      let peak = before
      let slowest = 0
      for (let i = 0; i < TICKS; i++) {
        const due = reading.map((raw) => raw.received() + TICK_BYTES)
        const sent = performance.now()
        tick()
        await eventually('the readers have the tick', () =>
          reading.every((raw, at) => raw.received() >= due[at]!),
        )
        slowest = Math.max(slowest, performance.now() - sent)
        peak = Math.max(peak, process.memoryUsage.rss())
        await Bun.sleep(TICK_MS)
      }
      expect(slowest).toBeLessThan(LATE_MS)
      expect(peak - before).toBeLessThan(RSS_MAX)
      expect(reading.every((raw) => !raw.closed())).toBe(true)

      // They read again: what was too much is lost, not kept for them, and whoever was not closed gets the next tick.
      for (const { tcp } of stalled) tcp.resume()
      await eventually('what was kept has been read', async () => {
        const heard = stalled.reduce((sum, raw) => sum + raw.received(), 0)
        await Bun.sleep(QUIET_MS)
        return heard === stalled.reduce((sum, raw) => sum + raw.received(), 0)
      })
      const lost = stalled.filter((raw) => raw.received() < TICKS * TICK_BYTES).length
      const back = stalled.filter((raw) => !raw.closed())
      const due = back.map((raw) => raw.received() + TICK_BYTES)
      tick()
      await eventually('whoever is open has the next', () =>
        back.every((raw, at) => raw.received() >= due[at]!),
      )
      console.log(
        `${STALLED} stalled sockets, ${TICKS} ticks of ${TICK_BYTES / 1024} KiB: RSS +${((peak - before) / MB).toFixed(1)} MB at the most, slowest tick of a reader ${slowest.toFixed(0)} ms; ${lost} lost ticks, ${STALLED - back.length} were closed`,
      )
      expect(lost).toBe(STALLED)
      await stop()
    },
    WITHIN_MS,
  )

  test('for a while only, and reads again in time, goes on as if nothing had been', async () => {
    await serve()
    const raw = await open(true, await app.person())
    await eventually('it is open', () => server.pendingWebSockets === 1)
    for (let i = 0; i < 3; i++) tick()
    const before = raw.received()
    raw.tcp.resume()
    await eventually('it has what it missed', () => raw.received() >= before + 3 * TICK_BYTES)
    const caughtUp = raw.received()
    tick()
    await eventually('it gets the next', () => raw.received() >= caughtUp + TICK_BYTES)
    expect(raw.closed()).toBe(false)
    await stop()
  })
})
