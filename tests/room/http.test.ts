// Shows the room over HTTP: the same moves on the same state, and what the organiser may do.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'
import { eventually } from '../support/socket-client.ts'

const ROOM = { enabled: true, activeMax: 1, doorSeconds: 30, passSeconds: 600, graceSeconds: 60 }
const SETTINGS = { ...ROOM, lobbyAt: null, admitPerMinute: null }

let app: AppHarness
beforeAll(async () => {
  app = await startApp({ rateLimit: false })
}, START_WITHIN_MS)
afterAll(() => app.close(), START_WITHIN_MS)

const room = (method: string, eventId: string, path: string, who?: Person, body?: unknown) =>
  app.call(method, `/event/${eventId}/room${path}`, {
    token: who?.token,
    ...(body === undefined ? {} : { body }),
  })
const meIs = (eventId: string, who: Person, state: string) =>
  eventually(`${state}`, async () => (await room('GET', eventId, '/me', who)).body.data.state === state)

describe('the room', () => {
  test('of an event without one is off, and nobody needs a pass', async () => {
    const { eventId, seatId } = await app.event()
    expect((await room('GET', eventId, '')).body.data).toMatchObject({
      enabled: false,
      phase: 'off',
      seatsLeft: 20,
    })
    const person = await app.person()
    expect((await room('POST', eventId, '/join', person)).body.code).toBe('event_not_on_sale')
    expect((await app.hold(person, [seatId(0)])).status).toBe(201)
  })

  test('of no event is not found', async () => {
    for (const id of [Bun.randomUUIDv7(), 'x', '%2e%2e'])
      expect((await room('GET', id, '')).body.code).toBe('not_found')
  })

  test('leads over HTTP alone from joining to a booking', async () => {
    const { eventId, seatId } = await app.event({ room: ROOM })
    const [a, b] = await app.people(2)
    const joined = (await room('POST', eventId, '/join', a)).body.data
    expect(joined).toMatchObject({ number: 0, place: 0, epoch: 1, pass: null })
    expect(joined.ticket).toBeString()
    expect((await room('POST', eventId, '/join', b)).body.data).toMatchObject({ state: 'waiting', number: 1 })
    await meIs(eventId, a!, 'called')
    expect((await room('POST', eventId, '/claim', b)).body.code).toBe('request_invalid')
    const { state, pass, expiresAt } = (await room('POST', eventId, '/claim', a)).body.data
    expect(state).toBe('admitted')
    const again = (await room('POST', eventId, '/claim', a)).body.data
    expect([again.state, again.expiresAt]).toEqual(['admitted', expiresAt])
    expect((await app.hold(b!, [seatId(0)], { 'x-admission-pass': pass })).body.code).toBe('pass_invalid')
    expect((await app.hold(a!, [seatId(0)], { 'x-admission-pass': `${pass}x` })).body.code).toBe(
      'pass_invalid',
    )
    expect((await app.hold(a!, [seatId(0)], { 'x-admission-pass': pass })).status).toBe(201)
    expect((await room('POST', eventId, '/leave', a)).body.data.state).toBe('outside')
    expect((await app.hold(a!, [seatId(1)], { 'x-admission-pass': pass })).body.code).toBe('pass_expired')
    await meIs(eventId, b!, 'called')
  })

  test('with doorSeconds 0 gives the pass to whoever asks where they stand', async () => {
    const { eventId } = await app.event({ room: { ...ROOM, doorSeconds: 0 } })
    const person = await app.person()
    await room('POST', eventId, '/join', person)
    await meIs(eventId, person, 'admitted')
  })

  test('goes on selling to the admitted while Redis is away, by signature and expiry alone', async () => {
    const { eventId } = await app.event({ room: ROOM })
    const person = await app.person()
    const pass = await app.admit(person, eventId)
    const away = await startApp({ redisUrl: 'redis://127.0.0.1:1', serverIndex: 1 }, app)
    expect(await away.context.room.requirePass(person.accountId, eventId, pass)).toBe('ok')
    expect(await away.context.room.requirePass(person.accountId, eventId, undefined)).toBe('pass_required')
    expect(await away.context.room.requirePass(Bun.randomUUIDv7(), eventId, pass)).toBe('pass_invalid')
    expect((await away.call('GET', `/event/${eventId}/room`)).body.code).toBe('store_unavailable')
    await away.close()
  })

  test('has no draw to show', async () => {
    const { eventId } = await app.event({ room: ROOM })
    expect((await room('GET', eventId, '/draw')).body.code).toBe('not_found')
  })
})

describe('the organiser', () => {
  test('sets the room at any phase, and every value that is allowed is safe', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    const person = await app.person()
    await room('POST', eventId, '/join', person)
    for (const change of [
      { activeMax: 100_000, admitPerMinute: 10_000_000, doorSeconds: 0, passSeconds: 1, graceSeconds: 0 },
      { activeMax: 1, admitPerMinute: 1, doorSeconds: 3_600, passSeconds: 86_400, graceSeconds: 86_400 },
      { lobbyAt: '2099-01-01T00:00:00Z' },
      { enabled: false },
      {},
    ]) {
      const put = await room('PUT', eventId, '', organizer, { ...SETTINGS, ...change })
      expect(put.status).toBe(200)
      expect(put.body.data.activeMax).toBe(change.activeMax ?? 1)
    }
    for (const wrong of [
      { activeMax: 0 },
      { activeMax: 1.5 },
      { doorSeconds: -1 },
      { more: 1 },
      { lobbyAt: 'soon' },
    ])
      expect((await room('PUT', eventId, '', organizer, { ...SETTINGS, ...wrong })).body.code).toBe(
        'request_invalid',
      )
  })

  test('opens before the time, pauses, resumes where it was, and closes', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM, onSaleAt: new Date(Date.now() + 3_600_000) })
    const phase = async () => (await room('GET', eventId, '')).body.data.phase
    const control = async (verb: string) =>
      (await room('POST', eventId, `/${verb}`, organizer)).body.data.phase
    expect(await phase()).toBe('lobby')
    expect(await control('pause')).toBe('paused')
    expect(await control('resume')).toBe('lobby')
    expect(await control('open')).toBe('open')
    await eventually('the clock has seen it open', async () => (await app.context.room.look(eventId))!.opened)
    expect(await control('pause')).toBe('paused')
    expect(await control('resume')).toBe('open')
    expect(await control('close')).toBe('closed')
    expect((await room('POST', eventId, '/join', await app.person())).body.code).toBe('event_not_on_sale')
    expect(await control('open')).toBe('open')
  })

  test('of another event, and a buyer, may not', async () => {
    const { eventId } = await app.event({ room: ROOM })
    const [buyer, other] = [await app.person(), await app.person('ORGANIZER')]
    for (const [method, path, body] of [
      ['PUT', '', SETTINGS],
      ['POST', '/pause', undefined],
      ['POST', '/notice', { text: 'x' }],
      ['GET', '/stats', undefined],
    ] as const) {
      expect((await room(method, eventId, path, undefined, body)).body.code).toBe('unauthenticated')
      expect((await room(method, eventId, path, buyer, body)).body.code).toBe('permission_denied')
      expect((await room(method, eventId, path, other, body)).body.code).toBe('not_found')
    }
  })

  test('sees the line in figures', async () => {
    const { eventId, organizer } = await app.event({ room: { ...ROOM, activeMax: 2 } })
    const people = await app.people(3)
    for (const person of people) await room('POST', eventId, '/join', person)
    await meIs(eventId, people[0]!, 'called')
    await room('POST', eventId, '/claim', people[0]!)
    await eventually('the figures', async () => {
      const { data } = (await room('GET', eventId, '/stats', organizer)).body
      return (
        data.waiting === 1 &&
        data.called === 1 &&
        data.active === 1 &&
        data.admitted === 1 &&
        data.perMinute === 1
      )
    })
    const { data } = (await room('GET', eventId, '/stats', organizer)).body
    expect(data.noShowRate).toBe(0)
    expect(data.waitSeconds.p50).toBeGreaterThanOrEqual(0)
  })
})
