// Throws seeded garbage at real sockets, byte by byte where no library would: the server answers errors and closes, and
// nobody beside it notices.
import { afterAll, afterEach, beforeAll, describe, expect, spyOn, test } from 'bun:test'
import { CLOSE_CODES } from '../../server/protocol/codes.ts'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'
import { someBytes, someFrames, someText } from '../support/fuzz/frames.ts'
import { randomOf } from '../support/fuzz/random.ts'
import { openRawSocket, OPCODES, type RawSocket, type WireFrame } from '../support/raw-socket.ts'
import { closeSockets, eventually, openSocket, type TestSocket } from '../support/socket-client.ts'

const ROOM = { enabled: true, activeMax: 3, doorSeconds: 30, passSeconds: 600, graceSeconds: 60 }
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_123)
const SOCKETS = 120
const TEXT_SOCKETS = 60
const FUZZ_MS = 90_000
/** What a server may close a misbehaving client with; 1006 is a connection cut without a word, for breaches of the wire. */
const CLOSES: ReadonlySet<number> = new Set([...Object.values(CLOSE_CODES), 1002, 1006, 1007])

let app: AppHarness
let eventId: string
beforeAll(async () => {
  app = await startApp()
  ;({ eventId } = await app.event({ room: ROOM }))
}, START_WITHIN_MS)
afterEach(closeSockets)
afterAll(() => app.close(), START_WITHIN_MS)

/** Somebody who behaves, beside all that: their pings are answered by `room`, and their place stays theirs. */
async function neighbour(
  person: Person,
): Promise<{ socket: TestSocket; place: number | null; well(): Promise<void> }> {
  const socket = await openSocket(app.url, eventId, { token: person.token })
  socket.send({ type: 'join' })
  const { place } = await socket.next('joined')
  return {
    socket,
    place,
    async well() {
      const heard = socket.frames.length
      socket.send({ type: 'hello' })
      await eventually(
        'an answer',
        () => socket.frames.slice(heard).some(({ type }) => type === 'room'),
        2_000,
      )
    },
  }
}

async function abuse(seed: number, token: string | undefined): Promise<void> {
  const random = randomOf(seed)
  const raw: RawSocket = await openRawSocket(app.url, eventId, token ? { token } : {})
  for (let i = 1 + random.below(12); i > 0 && !raw.closed(); i--) {
    if (random.next() < 0.1) raw.write(someBytes(random))
    else raw.send(...someFrames(random))
    if (random.next() < 0.3) await Bun.sleep(random.below(20))
  }
  // Gone in one of three ways, one of them half open: the other side hears nothing more of us.
  if (random.next() < 0.4) raw.tcp.destroy()
  else if (random.next() < 0.5) raw.tcp.end()
}

/** Sends seeded texts over sockets of their own; answers what went wrong: internal errors, silence, unknown closes. */
async function fuzzTexts(seed: number): Promise<string[]> {
  const random = randomOf(seed)
  const people = await app.people(TEXT_SOCKETS)
  const faults: string[] = []
  for (const { token } of people) {
    const socket = await openSocket(app.url, eventId, { token })
    await socket.next('room')
    const texts = Array.from({ length: 4 }, () => someText(random))
    for (const text of texts) socket.raw.send(text)
    const heard = socket.frames.length
    socket.raw.send('{"type":"hello"}')
    const ended = () => socket.raw.readyState === WebSocket.CLOSED
    await eventually(
      'an answer',
      () => ended() || socket.frames.slice(heard).some(({ type }) => type === 'room'),
    ).catch(() => faults.push(`silence after ${texts.join(' ').slice(0, 200)}`))
    if (socket.frames.some((frame) => frame.type === 'error' && frame.code === 'internal'))
      faults.push(`internal after ${texts.join(' ').slice(0, 200)}`)
    if (ended() && !CLOSES.has((await socket.closed()).code)) faults.push('an unknown close')
    socket.close()
  }
  return faults
}

describe('garbage on the wire', () => {
  test(
    `from ${SOCKETS} clients does no harm to the one beside them (seed ${SEED})`,
    async () => {
      const people = await app.people(21)
      const beside = await neighbour(people[0]!)
      for (let from = 0; from < SOCKETS; from += 20) {
        await Promise.all(
          Array.from({ length: 20 }, (_, i) =>
            abuse(SEED + from + i, i % 3 === 0 ? undefined : people[1 + i]!.token).catch((fault: unknown) => {
              // More than five sockets of one account, or a flood: refused is right.
              if (!/closed before it opened|HTTP\/1\.1 4/.test(String(fault))) throw fault
            }),
          ),
        )
        await beside.well()
      }
      expect(beside.socket.frames.filter(({ type }) => type === 'error')).toEqual([])
      beside.socket.drop()
      const again = await neighbour(people[0]!)
      expect(again.place).toBe(beside.place)
      expect((await app.call('GET', '/health/live')).status).toBe(200)
    },
    FUZZ_MS,
  )

  test(
    'as text frames ends in an error frame or a close the protocol knows, whatever it was',
    async () => {
      expect(await fuzzTexts(SEED)).toEqual([])
    },
    FUZZ_MS,
  )

  test(
    'finds a hole that is there',
    async () => {
      const leave = spyOn(app.context.room, 'leave').mockImplementation(() => {
        throw new Error('a planted hole')
      })
      const found = await fuzzTexts(SEED)
      leave.mockRestore()
      expect(found.length).toBeGreaterThan(0)
    },
    FUZZ_MS,
  )

  test('of each breach of the wire by itself closes that socket and no other', async () => {
    const beside = await neighbour(await app.person())
    const text = Buffer.from('{"type":"unwatch"}')
    const breaches: Record<string, WireFrame[]> = {
      'reserved bits': [{ opcode: OPCODES.text, payload: text, reserved: 4 }],
      'an unmasked frame': [{ opcode: OPCODES.text, payload: text, masked: false }],
      'an unknown opcode': [{ opcode: 5, payload: text }],
      'a continuation of nothing': [{ opcode: OPCODES.more, payload: text }],
      'a control frame in fragments': [{ opcode: OPCODES.ping, payload: text, last: false }],
      'a control frame above 125 bytes': [{ opcode: OPCODES.ping, payload: new Uint8Array(126) }],
      'text that is not UTF-8': [{ opcode: OPCODES.text, payload: Uint8Array.from([0xc3, 0x28]) }],
      'a length no frame has': [{ opcode: OPCODES.text, payload: text, claimed: 2 ** 40 }],
      'fragments above 4 KiB together': [
        { opcode: OPCODES.text, payload: new Uint8Array(3_000).fill(32), last: false },
        { opcode: OPCODES.more, payload: new Uint8Array(3_000).fill(32) },
      ],
    }
    for (const [what, frames] of Object.entries(breaches)) {
      const raw = await openRawSocket(app.url, eventId)
      raw.send(...frames)
      await eventually(`${what} is closed`, () => raw.closed())
    }
    await beside.well()
  })
})
