// Shows that the socket defects known of the libraries below us, and clients that misbehave, do no harm here.
import { afterAll, afterEach, beforeAll, describe, expect, spyOn, test } from 'bun:test'
import { connect } from 'node:net'
import { createSockets, type SocketData } from '../../server/room/socket.ts'
import { startApp, type AppHarness } from '../support/app-harness.ts'
import { closeSockets, eventually, openSocket, type TestSocket } from '../support/socket-client.ts'

const ROOM = { enabled: true, activeMax: 10, doorSeconds: 30, passSeconds: 600, graceSeconds: 60 }

/** Stores start with the first file that needs them. */
const STORES_WITHIN_MS = 60_000

let app: AppHarness
let eventId: string
beforeAll(async () => {
  app = await startApp()
  ;({ eventId } = await app.event({ room: ROOM }))
}, STORES_WITHIN_MS)
afterEach(closeSockets)
afterAll(() => app.close(), STORES_WITHIN_MS)

/** The status of an upgrade that was refused, asked as plain HTTP so that it can be read. */
const upgrade = async (headers: Record<string, string>, path = `/ws/event/${eventId}`) => {
  const answer = await fetch(`${app.url}${path}`, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  })
  return {
    status: answer.status,
    code: ((await answer.json().catch(() => null)) as { code?: string } | null)?.code,
  }
}
const alive = async () => expect((await app.call('GET', '/health/live')).status).toBe(200)

describe('defects of the libraries', () => {
  test('limits given for a route and ignored: a frame above 4 KiB closes with 1009, one below does not', async () => {
    const big = await openSocket(app.url, eventId)
    big.raw.send('x'.repeat(4 * 1024 + 1))
    expect((await big.closed()).code).toBe(1009)
    const fits = await openSocket(app.url, eventId)
    fits.raw.send(JSON.stringify({ type: 'hello', token: 'x'.repeat(3_900) }))
    expect((await fits.next('error')).code).toBe('request_invalid')
  })

  test('beforeHandle run twice an upgrade: one upgrade asks once who it is, and counts one socket', async () => {
    const { token } = await app.person()
    const verify = spyOn(app.context.tokens, 'verifyAccess')
    const socket = await openSocket(app.url, eventId, { token })
    await socket.next('room')
    expect(verify.mock.calls.filter(([shown]) => shown === token).length).toBe(1)
    verify.mockRestore()
  })

  test('a throw in a handler ends the process: a fault behind a frame is an error frame', async () => {
    const { token } = await app.person()
    const socket = await openSocket(app.url, eventId, { token })
    await socket.next('room')
    const join = spyOn(app.context.room, 'join').mockImplementation(() => {
      throw new Error('a fault of ours')
    })
    socket.send({ type: 'join' })
    const error = await socket.next('error')
    expect(error.code).toBe('internal')
    expect(error.message).not.toContain('a fault of ours')
    join.mockRestore()
    socket.send({ type: 'join' })
    await socket.next('joined')
    await alive()
  })

  test('no Origin check: a foreign page opens nothing, with or without our cookies', async () => {
    const { token } = await app.person()
    const port = new URL(app.url).port
    const own = `http://localhost:${port}`
    for (const origin of ['https://evil.example', 'null', `${own}.evil.example`, `https://localhost:${port}`])
      for (const cookie of ['', `accessToken=${token}`])
        expect(await upgrade({ origin, ...(cookie ? { cookie } : {}) })).toEqual({
          status: 403,
          code: 'origin_refused',
        })
    expect(await upgrade({ cookie: `accessToken=${token}` })).toEqual({ status: 403, code: 'origin_refused' })
    const socket = await openSocket(app.url, eventId, {
      headers: { cookie: `accessToken=${token}`, origin: own },
    })
    socket.send({ type: 'join' })
    await socket.next('joined')
  })

  test('a path read at the wrong place for a short Host: nothing is upgraded', async () => {
    for (const path of [
      `/xxxx/ws/event/${eventId}`,
      `//ws/event/${eventId}`,
      `/ws/event/${eventId}/x`,
      '/ws/event/',
      '/ws/event/1',
    ])
      expect((await upgrade({ host: 'a' }, path)).status).not.toBe(101)
    expect((await upgrade({ host: 'a b' })).status).not.toBe(101)
  })

  test('sockets that never read fill the memory: they are closed at the limit', async () => {
    const sockets = createSockets(app.context)
    const server = Bun.serve<SocketData>({
      port: 0,
      hostname: '127.0.0.1',
      websocket: sockets.handlers,
      fetch: (request, self) => sockets.upgrade(request, self),
    })
    sockets.start(server)
    const deaf = connect(server.port!, '127.0.0.1').on('error', () => {})
    deaf.pause()
    deaf.write(
      `GET /ws/event/${eventId} HTTP/1.1\r\nHost: localhost:${server.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    await eventually('the socket is open', () => server.pendingWebSockets === 1)
    const text = 'x'.repeat(16 * 1024)
    await eventually('the socket is closed', () => {
      for (let i = 0; i < 20; i++) server.publish(`all:${eventId}`, text)
      return server.pendingWebSockets === 0
    })
    deaf.destroy()
    await sockets.drain()
    await server.stop(true)
  })
})

describe('who may open a socket', () => {
  test('nobody for an event that does not exist', async () => {
    expect(await upgrade({}, `/ws/event/${Bun.randomUUIDv7()}`)).toEqual({ status: 404, code: 'not_found' })
  })

  test('an account has five sockets an event at the most', async () => {
    const { token } = await app.person()
    const sockets: TestSocket[] = []
    for (let i = 0; i < 5; i++) {
      const socket = await openSocket(app.url, eventId, { token })
      await socket.next('room')
      sockets.push(socket)
    }
    const sixth = await openSocket(app.url, eventId, { token })
    expect((await sixth.closed()).code).toBe(4029)
    sockets[0]!.close()
    await sockets[0]!.closed()
    const seventh = await openSocket(app.url, eventId, { token })
    await seventh.next('room')
  })

  test('a token in the URL is not looked at', async () => {
    const { token } = await app.person()
    const raw = new WebSocket(`${app.url.replace('http', 'ws')}/ws/event/${eventId}?token=${token}`)
    const error = await new Promise<string>((resolve) => {
      raw.addEventListener('open', () => raw.send(JSON.stringify({ type: 'join' })))
      raw.addEventListener('message', ({ data }) => {
        if (String(data).includes('"error"')) resolve(String(data))
      })
    })
    expect(JSON.parse(error)).toMatchObject({ code: 'unauthenticated' })
    raw.close()
  })

  test('a wrong token in hello closes with 4004', async () => {
    const socket = await openSocket(app.url, eventId)
    socket.send({ type: 'hello', token: 'wrong' })
    expect((await socket.closed()).code).toBe(4004)
  })

  test('whoever says nothing for five seconds is closed with 4004, and a watcher is not', async () => {
    const silent = await openSocket(app.url, eventId)
    const watcher = await openSocket(app.url, eventId)
    watcher.send({ type: 'watch' })
    expect((await silent.closed(9_000)).code).toBe(4004)
    expect(watcher.raw.readyState).toBe(WebSocket.OPEN)
  }, 12_000)
})

describe('what is sent', () => {
  test('the third bad frame within ten seconds closes with 1008; binary frames are bad frames', async () => {
    const socket = await openSocket(app.url, eventId)
    socket.raw.send('{')
    socket.raw.send(new Uint8Array([1, 2, 3]))
    expect((await socket.next('error')).code).toBe('request_invalid')
    await socket.next('error')
    expect(socket.raw.readyState).toBe(WebSocket.OPEN)
    socket.raw.send('{"type":"join","more":1}')
    expect((await socket.closed()).code).toBe(1008)
  })

  test('garbage of every kind ends in errors and closes, never in a fault', async () => {
    const { token } = await app.person()
    const garbage = [
      '',
      ' ',
      'null',
      '[]',
      '0',
      '"join"',
      '{}',
      '{"type":null}',
      '{"type":"__proto__"}',
      '{"__proto__":{"type":"join"}}',
      '{"type":"join","ticket":1}',
      `{"type":"join","ticket":"${'t'.repeat(1_025)}"}`,
      '{"type":"watch","version":-1}',
      '{"type":"watch","version":1e309}',
      '{"type":"hello","token":{}}',
      '[[[[[[[[',
      '\u0000',
      '{"type":"line"}',
      '\ud800',
      JSON.stringify({ type: 'join', ticket: null }),
      `{"type":"${'x'.repeat(3_000)}"}`,
    ]
    for (let i = 0; i < garbage.length; i += 3) {
      const socket = await openSocket(app.url, eventId, { token })
      for (const frame of garbage.slice(i, i + 3)) socket.raw.send(frame)
      expect((await socket.closed()).code).toBe(1008)
      expect(
        socket.frames
          .filter((frame) => frame.type === 'error')
          .every((frame) => frame.code === 'request_invalid'),
      ).toBe(true)
    }
    await alive()
  })

  test('a forged ticket, or another account’s, gives a number of one’s own', async () => {
    const [a, b] = await app.people(2)
    const first = await openSocket(app.url, eventId, { token: a!.token })
    first.send({ type: 'join' })
    const { ticket, number } = await first.next('joined')
    const second = await openSocket(app.url, eventId, { token: b!.token })
    second.send({ type: 'join', ticket })
    expect((await second.next('joined')).number).toBeGreaterThan(number)
    const third = await openSocket(app.url, eventId, { token: (await app.person()).token })
    third.send({ type: 'join', ticket: `${ticket.slice(0, -2)}xx` })
    expect((await third.next('joined')).number).toBeGreaterThan(number + 1)
  })

  test('more than ten frames a second are refused, and a flood closes with 4029', async () => {
    const socket = await openSocket(app.url, eventId)
    for (let i = 0; i < 12; i++) socket.send({ type: 'unwatch' })
    expect((await socket.next('error')).code).toBe('rate_limited')
    const flood = await openSocket(app.url, eventId)
    for (let i = 0; i < 100; i++) flood.send({ type: 'unwatch' })
    expect((await flood.closed()).code).toBe(4029)
  })

  test('frames of one socket take effect in the order they came', async () => {
    const { token } = await app.person()
    const socket = await openSocket(app.url, eventId, { token })
    for (const type of ['join', 'leave', 'join', 'leave', 'join']) socket.send({ type })
    await eventually(
      'the last join',
      () => socket.frames.filter(({ type }) => type === 'joined').length === 3,
    )
    const order = socket.frames
      .map(({ type }) => type)
      .filter((type) => type === 'joined' || type === 'ended')
    expect(order).toEqual(['joined', 'ended', 'joined', 'ended', 'joined'])
  })
})

describe('a session', () => {
  test('that ended is noticed by its open sockets within a minute', async () => {
    const { token } = await app.person()
    const socket = await openSocket(app.url, eventId, { token })
    await socket.next('room')
    const { checkSessions } = await import('../../server/room/session-watch.ts')
    await app.call('POST', '/auth/logout', { token })
    const data = { sessionId: (await app.context.tokens.verifyAccess(token)) as { sessionId: string } }
    const closed: number[] = []
    const fake = {
      data: { sessionId: data.sessionId.sessionId, sessionCheckAt: 1, heard: true, openedAt: 0 },
      close: (code: number) => closed.push(code),
    }
    checkSessions(app.context, [fake as never], Date.now())
    await eventually('the close', () => closed.length === 1)
    expect(closed).toEqual([4004])
  })
})
