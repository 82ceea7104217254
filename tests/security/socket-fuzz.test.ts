// Shows that a socket in any state survives whatever is sent to it: answers and closes as documented, no memory kept.
import { afterAll, afterEach, beforeAll, describe, expect, spyOn, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { CLOSE_CODES } from '../../server/protocol/codes.ts'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'
import { someFrames, someText } from '../support/fuzz/frames.ts'
import { randomOf } from '../support/fuzz/random.ts'
import { openRawSocket } from '../support/raw-socket.ts'
import { closeSockets, eventually, openSocket, type TestSocket } from '../support/socket-client.ts'

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_123)
const ROOM = { enabled: true, activeMax: 1, doorSeconds: 600, passSeconds: 600, graceSeconds: 60 }
const SOCKETS_A_STATE = 25
const HALF_OPEN = 300
const ROUNDS_OF_MEMORY = 6
const SOCKETS_A_ROUND = 60
/** What a round may leave behind once all is warm: far less than a socket kept by mistake costs, times all of them. */
const GROWTH_MB_MAX = 24
const FUZZ_MS = 120_000
/** 1006: cut without a word, for breaches of the wire. */
const CLOSES: ReadonlySet<number> = new Set([...Object.values(CLOSE_CODES), 1000, 1002, 1006, 1007, 1009])

let app: AppHarness
let eventId: string
beforeAll(async () => {
  app = await startApp()
  ;({ eventId } = await app.event({ room: ROOM }))
  // The only turn is taken, so that whoever follows waits.
  const first = await app.person()
  await app.call('POST', `/event/${eventId}/room/join`, { token: first.token, body: {} })
}, START_WITHIN_MS)
afterEach(closeSockets)
afterAll(() => app.close(), START_WITHIN_MS)

/** How a socket gets into each state before it is abused. */
const STATES: Record<string, (socket: TestSocket) => Promise<unknown>> = {
  stranger: async () => {},
  watching: async (socket) => {
    socket.send({ type: 'watch' })
    await socket.next('room')
  },
  greeted: async (socket) => {
    socket.send({ type: 'hello', token: (await app.person()).token })
    await socket.next('room')
  },
  'in line': async (socket) => {
    socket.send({ type: 'hello', token: (await app.person()).token })
    socket.send({ type: 'join' })
    await socket.next('joined')
  },
  gone: async (socket) => {
    socket.send({ type: 'hello', token: (await app.person()).token })
    socket.send({ type: 'join' })
    await socket.next('joined')
    socket.send({ type: 'leave' })
    await socket.next('ended')
  },
}

interface Fuzzed {
  sockets: number
  frames: number
  closes: Map<number, number>
  findings: string[]
}

/** Abuses sockets in each state; a finding is an `internal`, an unknown close, or silence. */
async function fuzzStates(seed: number, states = STATES): Promise<Fuzzed> {
  const random = randomOf(seed)
  const result: Fuzzed = { sockets: 0, frames: 0, closes: new Map(), findings: [] }
  for (const [state, reach] of Object.entries(states))
    for (let i = 0; i < SOCKETS_A_STATE; i++) {
      const socket = await openSocket(app.url, eventId)
      await reach(socket)
      result.sockets++
      const texts = Array.from({ length: 1 + random.below(8) }, () => someText(random))
      const heard = socket.frames.length
      for (const text of texts) {
        socket.raw.send(random.chance(0.1) ? Buffer.from(text) : text)
        result.frames++
      }
      socket.raw.send('{"type":"unwatch","version":-1}')
      const ended = () => socket.raw.readyState === WebSocket.CLOSED
      const answered = () => ended() || socket.frames.slice(heard).some(({ type }) => type === 'error')
      const told = (what: string) =>
        result.findings.push(`${state}: ${what} after ${texts.join(' ').slice(0, 200)}`)
      await eventually('an answer', answered).catch(() => told('silence'))
      if (socket.frames.some((frame) => frame.type === 'error' && frame.code === 'internal')) told('internal')
      if (ended()) {
        const { code } = await socket.closed()
        result.closes.set(code, (result.closes.get(code) ?? 0) + 1)
        if (!CLOSES.has(code)) told(`close ${code}`)
      }
      socket.drop()
    }
  return result
}

/** As `gone`, without waiting for an answer that a hole would keep back. */
async function leaving(socket: TestSocket): Promise<void> {
  await STATES['in line']!(socket)
  socket.send({ type: 'leave' })
}

const alive = async () => expect((await app.call('GET', '/health/live')).status).toBe(200)

describe('a socket', () => {
  test(
    `in every state answers or closes as documented, whatever it is sent (seed ${SEED})`,
    async () => {
      const { sockets, frames, closes, findings } = await fuzzStates(SEED)
      const counts = [...closes].map(([code, count]) => `${code}: ${count}`).join(', ')
      console.info(
        `socket fuzz: ${frames} frames to ${sockets} sockets in ${Object.keys(STATES).length} states; closes ${counts}`,
      )
      expect(findings).toEqual([])
      expect(closes.size).toBeGreaterThan(0)
      await alive()
    },
    FUZZ_MS,
  )

  test(
    'with a hole in it is found out',
    async () => {
      const hole = spyOn(app.context.room, 'leave').mockImplementation(() => {
        throw new Error('a planted hole')
      })
      const quiet = spyOn(app.context.log, 'error').mockImplementation(() => {})
      const { findings } = await fuzzStates(SEED, { leaving })
      hole.mockRestore()
      quiet.mockRestore()
      expect(findings.join('\n')).toContain('internal')
    },
    FUZZ_MS,
  )

  test('that is never finished opening keeps nobody out', async () => {
    const { hostname, port } = new URL(app.url)
    const half: Socket[] = []
    const starts = [
      '',
      'G',
      'GET /ws/event/',
      `GET /ws/event/${eventId} HTTP/1.1\r\nHost: localhost\r\nUpgrade: web`,
    ]
    for (let i = 0; i < HALF_OPEN; i++) {
      const socket = connect(Number(port), hostname).on('error', () => {})
      socket.write(starts[i % starts.length]!)
      half.push(socket)
    }
    await alive()
    const well = await openSocket(app.url, eventId, { token: (await app.person()).token })
    await well.next('room')
    for (const socket of half) socket.destroy()
    await alive()
  })

  test(
    'abused by the hundred leaves no memory behind',
    async () => {
      const rss: number[] = []
      const people = await app.people(SOCKETS_A_ROUND)
      let frames = 0
      for (let round = 0; round < ROUNDS_OF_MEMORY; round++) {
        const random = randomOf(SEED + round)
        await Promise.all(
          people.map(async ({ token }) => {
            const raw = await openRawSocket(app.url, eventId, { token }).catch(() => null)
            if (!raw) return
            for (let i = 0; i < 20 && !raw.closed(); i++) {
              raw.send(...someFrames(random))
              frames++
            }
            raw.tcp.destroy()
          }),
        )
        await Bun.sleep(200)
        Bun.gc(true)
        rss.push(process.memoryUsage().rss / 2 ** 20)
      }
      const [, , warm = 0] = rss
      const growth = rss.at(-1)! - warm
      console.info(
        `socket fuzz: ${frames} raw frames in ${ROUNDS_OF_MEMORY} rounds, RSS ${rss.map((mb) => mb.toFixed(0)).join(' ')} MB`,
      )
      expect(growth).toBeLessThan(GROWTH_MB_MAX)
      await alive()
    },
    FUZZ_MS,
  )
})
