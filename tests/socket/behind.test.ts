// Shows that a frame nobody repeats is never lost in silence: whoever reads too slowly for it is cut off and comes back.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createSockets, type SocketData } from '../../server/room/socket.ts'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'
import { openRawSocket } from '../support/raw-socket.ts'
import { eventually } from '../support/socket-client.ts'

/** Enough that no kernel keeps it all. */
const TICKS = 400
const TICK_BYTES = 48 * 1_024

let app: AppHarness
beforeAll(async () => void (app = await startApp()), START_WITHIN_MS)
afterAll(() => app.close(), START_WITHIN_MS)

test(
  'a change of the room cuts off who cannot be told it, and nobody else',
  async () => {
    const { eventId, organizer } = await app.event({ room: { enabled: true } })
    const sockets = createSockets(app.context)
    const server = Bun.serve<SocketData>({
      port: 0,
      hostname: '127.0.0.1',
      websocket: sockets.handlers,
      fetch: (request, self) => sockets.upgrade(request, self),
    })
    sockets.start(server)
    const [a, b] = await app.people(2)
    const url = `http://127.0.0.1:${server.port}`
    const reading = await openRawSocket(url, eventId, { token: a!.token, deaf: false })
    const deaf = await openRawSocket(url, eventId, { token: b!.token, deaf: true })
    await eventually('both are open', () => server.pendingWebSockets === 2)
    for (let i = 0; i < TICKS; i++) {
      const due = reading.received() + TICK_BYTES
      server.publish(`far:${eventId}`, 'x'.repeat(TICK_BYTES))
      await eventually('the reader has the tick', () => reading.received() >= due)
    }
    expect(server.pendingWebSockets).toBe(2)
    await app.call('POST', `/event/${eventId}/room/pause`, { token: organizer.token })
    await eventually('the deaf one is cut off', () => server.pendingWebSockets === 1)
    expect(reading.closed()).toBe(false)
    deaf.tcp.destroy()
    reading.tcp.destroy()
    await sockets.drain()
    await server.stop(true)
  },
  START_WITHIN_MS,
)
