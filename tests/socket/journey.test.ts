// Shows the socket's journey on a real server: room, line, turn, pass, end, and the seats beside it.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { startApp, type AppHarness } from '../support/app-harness.ts'
import { closeSockets, eventually, openSocket } from '../support/socket-client.ts'

/** Stores start with the first file that needs them. */
const STORES_WITHIN_MS = 60_000

let app: AppHarness
beforeAll(async () => {
  app = await startApp({ rateLimit: false })
}, STORES_WITHIN_MS)
afterEach(closeSockets)
afterAll(() => app.close(), STORES_WITHIN_MS)

const ROOM = {
  enabled: true,
  lobbyAt: null,
  activeMax: 10,
  admitPerMinute: null,
  doorSeconds: 30,
  passSeconds: 600,
  graceSeconds: 60,
}
const set = (eventId: string, token: string, change: object) =>
  app.call('PUT', `/event/${eventId}/room`, { token, body: { ...ROOM, ...change } })

describe('a socket', () => {
  test('is told the room and the line at once, whoever it is', async () => {
    const { eventId } = await app.event({ room: ROOM })
    const visitor = await openSocket(app.url, eventId)
    const room = await visitor.next('room')
    expect(room).toMatchObject({ phase: 'open', doorSeconds: 30, passSeconds: 600 })
    expect(room.commitment).toMatch(/^[0-9a-f]{64}$/)
    expect(await visitor.next('line')).toMatchObject({ waiting: 0, seatsLeft: 20 })
  })

  test('joins, is called, claims, and the pass lets it book', async () => {
    const { eventId, seatId } = await app.event({ room: ROOM })
    const person = await app.person()
    const socket = await openSocket(app.url, eventId, { token: person.token })
    socket.send({ type: 'join' })
    expect(await socket.next('joined')).toMatchObject({ number: 0, place: 0, epoch: 1 })
    const turn = await socket.next('turn')
    expect(Date.parse(turn.claimBefore)).toBeGreaterThan(Date.now() + 20_000)
    expect((await app.hold(person, [seatId(0)])).body.code).toBe('pass_required')
    socket.send({ type: 'claim' })
    const { pass, expiresAt } = await socket.next('admitted')
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now() + 590_000)
    expect((await app.hold(person, [seatId(0)], { 'x-admission-pass': pass })).status).toBe(201)
    const other = await app.person()
    expect((await app.hold(other, [seatId(1)], { 'x-admission-pass': pass })).body.code).toBe('pass_invalid')
    socket.send({ type: 'leave' })
    expect((await socket.next('ended')).reason).toBe('left')
    expect((await app.hold(person, [seatId(2)], { 'x-admission-pass': pass })).body.code).toBe('pass_expired')
    expect(socket.has('ended')).toBe(false)
  })

  test('with doorSeconds 0 is admitted without a claim', async () => {
    const { eventId } = await app.event({ room: { ...ROOM, doorSeconds: 0 } })
    const { token } = await app.person()
    const socket = await openSocket(app.url, eventId, { token })
    socket.send({ type: 'join' })
    await socket.next('admitted')
    expect(socket.has('turn')).toBe(false)
  })

  test('that shows no token can say who it is in a first hello', async () => {
    const { eventId } = await app.event({ room: ROOM })
    const { token } = await app.person()
    const socket = await openSocket(app.url, eventId)
    socket.send({ type: 'join' })
    expect((await socket.next('error')).code).toBe('unauthenticated')
    await socket.next('room')
    socket.send({ type: 'hello', token })
    await socket.next('room')
    socket.send({ type: 'join' })
    await socket.next('joined')
  })

  test('is told that a turn nobody claimed is over, and the next is called', async () => {
    const { eventId } = await app.event({ room: { ...ROOM, activeMax: 1, doorSeconds: 1 } })
    const [a, b] = await app.people(2)
    const first = await openSocket(app.url, eventId, { token: a!.token })
    first.send({ type: 'join' })
    await first.next('joined')
    const second = await openSocket(app.url, eventId, { token: b!.token })
    second.send({ type: 'join' })
    await second.next('joined')
    await first.next('turn')
    expect(second.has('turn')).toBe(false)
    expect((await first.next('ended')).reason).toBe('no_show')
    await second.next('turn')
  })

  test('steps back once and keeps a place', async () => {
    const { eventId } = await app.event({ room: { ...ROOM, activeMax: 1 } })
    const [a, b] = await app.people(2)
    const first = await openSocket(app.url, eventId, { token: a!.token })
    first.send({ type: 'join' })
    await first.next('turn')
    const second = await openSocket(app.url, eventId, { token: b!.token })
    second.send({ type: 'join' })
    await second.next('joined')
    first.send({ type: 'defer' })
    expect((await first.next('joined', (frame) => frame.place !== 0)).number).toBe(0)
    await second.next('turn')
    second.send({ type: 'leave' })
    await first.next('turn')
    first.send({ type: 'defer' })
    expect((await first.next('error')).code).toBe('request_invalid')
  })

  test('is told that its pass is over', async () => {
    const { eventId } = await app.event({ room: { ...ROOM, doorSeconds: 0, passSeconds: 1 } })
    const { token } = await app.person()
    const socket = await openSocket(app.url, eventId, { token })
    socket.send({ type: 'join' })
    await socket.next('admitted')
    expect((await socket.next('ended')).reason).toBe('pass_expired')
  })

  test('keeps its place when the connection is lost, and comes back to it', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    await app.call('POST', `/event/${eventId}/room/pause`, { token: organizer.token })
    const [a, b] = await app.people(2)
    const first = await openSocket(app.url, eventId, { token: a!.token })
    first.send({ type: 'join' })
    const { ticket } = await first.next('joined')
    const second = await openSocket(app.url, eventId, { token: b!.token })
    second.send({ type: 'join' })
    await second.next('joined')
    first.drop()
    const again = await openSocket(app.url, eventId, { token: a!.token })
    again.send({ type: 'join', ticket })
    expect((await again.next('joined')).number).toBe(0)
  })

  test('of a newer tab takes over, and a mere watcher does not', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    await app.call('POST', `/event/${eventId}/room/pause`, { token: organizer.token })
    const { token } = await app.person()
    const older = await openSocket(app.url, eventId, { token })
    older.send({ type: 'join' })
    await older.next('joined')
    const watcher = await openSocket(app.url, eventId, { token })
    watcher.send({ type: 'watch' })
    await watcher.next('resync')
    expect(older.has('ended')).toBe(false)
    watcher.send({ type: 'join' })
    await watcher.next('joined')
    expect((await older.next('ended')).reason).toBe('replaced')
    expect((await older.closed()).code).toBe(4003)
    const me = await app.call('GET', `/event/${eventId}/room/me`, { token })
    expect(me.body.data).toMatchObject({ state: 'waiting', number: 0 })
  })

  test('streams the seats that others take', async () => {
    const { eventId, seatId } = await app.event()
    const watcher = await openSocket(app.url, eventId)
    watcher.send({ type: 'watch' })
    await watcher.next('resync')
    const person = await app.person()
    expect((await app.hold(person, [seatId(3)])).status).toBe(201)
    const { changes } = await watcher.next('seats')
    expect(changes).toEqual([[3, 1]])
  })
})

describe('everyone', () => {
  test('is told of a pause, of going on, and of a notice within a second', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    const socket = await openSocket(app.url, eventId)
    await socket.next('room')
    const { token } = organizer
    const started = Date.now()
    await app.call('POST', `/event/${eventId}/room/pause`, { token })
    await socket.next('room', ({ phase }) => phase === 'paused')
    expect(Date.now() - started).toBeLessThan(1_000)
    await app.call('POST', `/event/${eventId}/room/resume`, { token })
    await socket.next('room', ({ phase }) => phase === 'open')
    await app.call('POST', `/event/${eventId}/room/notice`, { token, body: { text: 'Ten more minutes.' } })
    expect(await socket.next('notice')).toEqual({
      type: 'notice',
      id: '1',
      text: 'Ten more minutes.',
      to: 'everyone',
    })
    const late = await openSocket(app.url, eventId)
    expect((await late.next('room')).message).toBe('Ten more minutes.')
  })

  test('loses the place when the room closes', async () => {
    const { eventId, organizer } = await app.event({ room: { ...ROOM, activeMax: 1 } })
    const [a, b] = await app.people(2)
    const first = await openSocket(app.url, eventId, { token: a!.token })
    first.send({ type: 'join' })
    await first.next('turn')
    first.send({ type: 'claim' })
    const { pass } = await first.next('admitted')
    const second = await openSocket(app.url, eventId, { token: b!.token })
    second.send({ type: 'join' })
    await second.next('joined')
    await app.call('POST', `/event/${eventId}/room/close`, { token: organizer.token })
    expect((await second.next('ended')).reason).toBe('closed')
    expect(first.has('ended')).toBe(false)
    expect(await app.context.room.requirePass(a!.accountId, eventId, pass)).toBe('ok')
  })

  test('is told within two seconds that it is sold out, keeps the place, and is called for a returned seat', async () => {
    const { eventId, seatId, organizer } = await app.event({
      room: { ...ROOM, activeMax: 1 },
      maxSeatsPerBooking: 20,
      maxSeatsPerBuyer: 20,
    })
    const [a, b] = await app.people(2)
    const pass = await app.admit(a!, eventId)
    const waiting = await openSocket(app.url, eventId, { token: b!.token })
    waiting.send({ type: 'join' })
    await waiting.next('joined')
    const all = Array.from({ length: 20 }, (_, n) => seatId(n))
    const held = await app.hold(a!, all, { 'x-admission-pass': pass })
    expect(held.status).toBe(201)
    const paid = await app.call('POST', `/payment/${held.body.data.id}/confirm`, {
      token: a!.token,
      body: { method: 'sandbox_ok' },
    })
    expect(paid.status).toBe(200)
    const soldAt = Date.now()
    await waiting.next('room', ({ phase }) => phase === 'sold_out')
    expect(Date.now() - soldAt).toBeLessThan(2_000)
    expect(waiting.has('ended')).toBe(false)
    await app.call('POST', `/event/${eventId}/room/leave`, { token: a!.token })
    const me = await app.call('GET', `/event/${eventId}/room/me`, { token: b!.token })
    expect(me.body.data.state).toBe('waiting')
    const refunded = await app.call('POST', `/payment/${held.body.data.id}/refund`, {
      token: organizer.token,
      body: { seatIds: [seatId(5)], reason: 'a seat comes back' },
    })
    expect(refunded.status).toBe(200)
    await waiting.next('room', ({ phase }) => phase === 'open')
    await waiting.next('turn')
  })

  test('comes back to the same number by itself when Redis is wiped', async () => {
    const { eventId, organizer } = await app.event({ room: { ...ROOM, activeMax: 1, passSeconds: 1 } })
    const people = await app.people(4)
    const sockets = []
    for (const { token } of people) {
      const socket = await openSocket(app.url, eventId, { token })
      socket.send({ type: 'join' })
      const { number } = await socket.next('joined')
      sockets.push({ socket, number })
    }
    await sockets[0]!.socket.next('turn')
    await eventually('the line is saved', async () => {
      const rows = await app.context.ledger
        .sql`select arrivals from room_progress where event_id = ${eventId}`
      return rows[0]?.arrivals === 4
    })
    await app.context.redis.flushdb()
    for (const { socket, number } of sockets)
      expect(await socket.next('joined')).toMatchObject({ epoch: 2, number })
    await sockets[0]!.socket.next('turn')
    expect(sockets[1]!.socket.has('turn')).toBe(false)
    sockets[0]!.socket.send({ type: 'leave' })
    await sockets[1]!.socket.next('turn')
    const newcomer = await app.person()
    const late = await app.call('POST', `/event/${eventId}/room/join`, { token: newcomer.token })
    expect(late.body.data.number).toBeGreaterThan(100_000)
    await eventually('three wait', async () => {
      const { body } = await app.call('GET', `/event/${eventId}/room`)
      return body.data.waiting === 3 && body.data.epoch === 2
    })
    expect((await set(eventId, organizer.token, { enabled: false })).status).toBe(200)
  })

  test('comes back to the same number when Redis forgot its latest moves', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    await app.call('POST', `/event/${eventId}/room/pause`, { token: organizer.token })
    const sockets = []
    for (const { token } of await app.people(3)) {
      const socket = await openSocket(app.url, eventId, { token })
      socket.send({ type: 'join' })
      const { number } = await socket.next('joined')
      sockets.push({ socket, number })
    }
    await eventually('the line is saved', async () => {
      const rows = await app.context.ledger
        .sql`select arrivals from room_progress where event_id = ${eventId}`
      return rows[0]?.arrivals === 3
    })
    // As after a restart from an older file: the last arrival was never written.
    await app.context.redis.hset(`room:{${eventId}}:meta`, 'arrivals', 2)
    for (const { socket, number } of sockets)
      expect(await socket.next('joined')).toMatchObject({ epoch: 2, number })
  })
})
