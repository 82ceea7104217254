// Shows what whoever runs a room sees and does: every control within a second, the log that explains it, the list after.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'
import { closeSockets, eventually, openSocket } from '../support/socket-client.ts'

const ROOM = {
  enabled: true,
  lobbyAt: null,
  activeMax: 1,
  admitPerMinute: null,
  doorSeconds: 60,
  passSeconds: 600,
  graceSeconds: 60,
}
/** What a control promises, and what a notice does. */
const CONTROL_MS = 1_000
const NOTICE_MS = 2_000
const CALLED_IN_VAIN_MS = 1_500
const AN_HOUR_MS = 3_600_000

let app: AppHarness
beforeAll(async () => {
  app = await startApp({ rateLimit: false })
}, START_WITHIN_MS)
afterEach(() => closeSockets())
afterAll(() => app.close(), START_WITHIN_MS)

const room = (method: string, eventId: string, path: string, who?: Person, body?: unknown) =>
  app.call(method, `/event/${eventId}/room${path}`, {
    token: who?.token,
    ...(body === undefined ? {} : { body }),
  })
const stats = async (eventId: string, organizer: Person) =>
  (await room('GET', eventId, '/stats', organizer)).body.data
const steps = async (eventId: string, organizer: Person, query = '') =>
  (await room('GET', eventId, `/steps${query}`, organizer)).body.data

/** Sockets that have joined, in order of their numbers. */
async function enterAll(eventId: string, people: Person[]) {
  const sockets = []
  for (const { token } of people) {
    const socket = await openSocket(app.url, eventId, { token })
    socket.send({ type: 'join' })
    await socket.next('joined')
    sockets.push(socket)
  }
  return sockets
}

describe('a control', () => {
  test('a higher limit calls the next within a second', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    const sockets = await enterAll(eventId, await app.people(4))
    await sockets[0]!.next('turn')
    await room('PUT', eventId, '', organizer, { ...ROOM, activeMax: 4 })
    const told = Date.now()
    for (const socket of sockets.slice(1)) await socket.next('turn', () => true, CONTROL_MS)
    expect(Date.now() - told).toBeLessThanOrEqual(CONTROL_MS)
  })

  test('a pause lets nobody in once it is answered, and going on does within a second', async () => {
    const { eventId, organizer } = await app.event({ room: { ...ROOM, activeMax: 3 } })
    const people = await app.people(5)
    const sockets = await enterAll(eventId, people)
    await sockets[0]!.next('turn')
    expect((await room('POST', eventId, '/pause', organizer)).body.data.phase).toBe('paused')
    const { admitted } = await stats(eventId, organizer)
    sockets[0]!.send({ type: 'claim' })
    await room('POST', eventId, '/claim', people[1])
    await Bun.sleep(CALLED_IN_VAIN_MS)
    expect(sockets[0]!.has('admitted')).toBe(false)
    expect((await stats(eventId, organizer)).admitted).toBe(admitted)
    expect((await stats(eventId, organizer)).limit).toBe('paused')
    await room('POST', eventId, '/resume', organizer)
    await sockets[0]!.next('admitted', () => true, CONTROL_MS)
  })

  test('a notice is on every screen within two seconds, marked as said to everyone, also for who comes later', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    const waiting = await enterAll(eventId, await app.people(3))
    const looking = await openSocket(app.url, eventId)
    await looking.next('room')
    await room('POST', eventId, '/notice', organizer, { text: 'The second hall opens at nine.' })
    const told = Date.now()
    const notices = await Promise.all([...waiting, looking].map((socket) => socket.next('notice')))
    expect(Date.now() - told).toBeLessThanOrEqual(NOTICE_MS)
    for (const { to, text } of notices)
      expect([to, text]).toEqual(['everyone', 'The second hall opens at nine.'])
    const later = await openSocket(app.url, eventId)
    expect((await later.next('room')).message).toBe('The second hall opens at nine.')
    expect((await room('GET', eventId, '')).body.data.message).toBe('The second hall opens at nine.')
  })

  test('opening before the time begins the sale: who is admitted books, also once it is paused or closed', async () => {
    const onSaleAt = new Date(Date.now() + AN_HOUR_MS)
    const lobbyAt = new Date(Date.now() - AN_HOUR_MS)
    const { eventId, organizer, seatId } = await app.event({ onSaleAt, room: { ...ROOM, lobbyAt } })
    const person = await app.person()
    const socket = (await enterAll(eventId, [person]))[0]!
    await room('POST', eventId, '/open', organizer)
    await socket.next('turn')
    socket.send({ type: 'claim' })
    const { pass } = await socket.next('admitted')
    const book = (n: number) => app.hold(person, [seatId(n)], { 'x-admission-pass': pass })
    expect((await book(0)).status).toBe(201)
    const shown = (await room('GET', eventId, '')).body.data
    expect(shown.phase).toBe('open')
    expect(Date.parse(shown.onSaleAt)).toBeLessThanOrEqual(Date.now())
    for (const [n, control] of ['/pause', '/close'].entries()) {
      await room('POST', eventId, control, organizer)
      expect((await book(n + 1)).status).toBe(201)
    }
  })

  test('opening a room that is off, or of a draft, begins no sale before the room is on and the event published', async () => {
    const onSaleAt = new Date(Date.now() + AN_HOUR_MS)
    const off = { ...ROOM, enabled: false }
    const { eventId, organizer } = await app.event({ onSaleAt, published: false, room: off })
    const planned = async () =>
      (await app.call('GET', `/event/${eventId}`, { token: organizer.token })).body.data.onSaleAt ===
      onSaleAt.toISOString()
    await room('POST', eventId, '/open', organizer)
    await room('PUT', eventId, '', organizer, ROOM)
    expect(await planned()).toBe(true)
    await room('PUT', eventId, '', organizer, off)
    await app.call('POST', `/event/${eventId}/publish`, { token: organizer.token })
    expect(await planned()).toBe(true)
    await room('PUT', eventId, '', organizer, ROOM)
    expect(await planned()).toBe(false)
  })

  test('closing ends every place within a second', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    const sockets = await enterAll(eventId, await app.people(3))
    await room('POST', eventId, '/close', organizer)
    for (const socket of sockets)
      expect((await socket.next('ended', () => true, CONTROL_MS)).reason).toBe('closed')
  })
})

test('the figures say where everybody is, and what holds the line back', async () => {
  const { eventId, organizer } = await app.event({ room: { ...ROOM, activeMax: 2 } })
  const people = await app.people(5)
  await enterAll(eventId, people)
  await eventually('two are called', async () => (await stats(eventId, organizer)).called === 2)
  await room('POST', eventId, '/claim', people[0])
  await eventually('one is in', async () => (await stats(eventId, organizer)).active === 1)
  await eventually('the limit is known', async () => (await stats(eventId, organizer)).limit === 'active_max')
  const figures = await stats(eventId, organizer)
  expect(figures).toMatchObject({
    waiting: 3,
    called: 1,
    door: 0,
    admitted: 1,
    perMinute: 1,
    seatsLeft: 20,
    brake: 1,
    reason: null,
  })
  expect(figures.overCall).toBeGreaterThanOrEqual(1)
  expect(figures.overCall).toBeLessThanOrEqual(2)
})

describe('the log of steps', () => {
  test('explains each change of the flow, the newest first, page by page', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    const people = await app.people(3)
    await enterAll(eventId, people)
    const kinds = async () =>
      (await steps(eventId, organizer)).items.map(({ kind }: { kind: string }) => kind)
    await eventually('the limit is noted', async () => (await kinds()).includes('limited'))
    await room('PUT', eventId, '', organizer, { ...ROOM, activeMax: 7 })
    await room('POST', eventId, '/pause', organizer)
    await eventually('the pause is noted', async () => (await kinds())[0] === 'paused')
    await room('POST', eventId, '/resume', organizer)
    await eventually('going on is noted', async () => (await kinds()).includes('resumed'))
    const { items } = await steps(eventId, organizer)
    for (const kind of ['opened', 'called', 'limited', 'settings', 'paused', 'resumed'])
      expect(items.map((step: { kind: string }) => step.kind)).toContain(kind)
    const set = items.find(({ kind }: { kind: string }) => kind === 'settings')
    expect(set.detail.activeMax).toEqual(['1', '7'])
    const times = items.map(({ at }: { at: string }) => Date.parse(at))
    expect(times).toEqual(times.toSorted((a: number, b: number) => b - a))
    const paged: string[] = []
    let cursor = ''
    do {
      const page = await steps(eventId, organizer, `?limit=2${cursor}`)
      paged.push(...page.items.map(({ id }: { id: string }) => id))
      cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`
    } while (cursor !== '')
    const ids = items.map(({ id }: { id: string }) => id)
    expect(paged.slice(-ids.length)).toEqual(ids)
    expect(new Set(paged).size).toBe(paged.length)
    for (const wrong of ['x', '1', '1.', '1.1.1', '-1.2'])
      expect((await room('GET', eventId, `/steps?cursor=${wrong}`, organizer)).body.code).toBe(
        'request_invalid',
      )
  })

  test('is there without Redis, from what was saved', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    await enterAll(eventId, await app.people(2))
    const saved = async () => {
      const { sql } = app.context.ledger
      return (await sql`select 1 from room_steps where event_id = ${eventId}`).length
    }
    await eventually('steps are saved', async () => (await saved()) >= 2)
    const away = await startApp({ redisUrl: 'redis://127.0.0.1:1', serverIndex: 1 }, app)
    const answer = await away.call('GET', `/event/${eventId}/room/steps`, { token: organizer.token })
    await away.close()
    expect(answer.status).toBe(200)
    expect(answer.body.data.items.length).toBeGreaterThanOrEqual(2)
  })
})

test('the line is a table after the sale, with the times of calls and nobody’s address', async () => {
  const { eventId, organizer } = await app.event({ room: { ...ROOM, activeMax: 2, doorSeconds: 1 } })
  const people = await app.people(4)
  const sockets = await enterAll(eventId, people)
  await sockets[0]!.next('turn')
  sockets[0]!.send({ type: 'claim' })
  await sockets[0]!.next('admitted')
  await sockets[2]!.next('turn', () => true, 4_000)
  sockets[3]!.send({ type: 'leave' })
  await sockets[3]!.next('ended')
  const { sql } = app.context.ledger
  await eventually(
    'the call is saved',
    async () => (await sql`select 1 from room_steps where event_id = ${eventId} and serving >= 3`).length > 0,
  )
  const answer = await room('GET', eventId, '/line.csv', organizer)
  expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8')
  expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="line-${eventId}.csv"`)
  const rows = String(answer.body)
    .trimEnd()
    .split('\r\n')
    .slice(1)
    .map((row) => row.split(','))
    .toSorted((a, b) => Number(a[0]) - Number(b[0]))
  expect(rows.map(([number, , , , , , outcome]) => [number, outcome])).toEqual([
    ['0', 'admitted'],
    ['1', 'no_show'],
    ['2', 'called'],
    ['3', 'left'],
  ])
  expect(rows.map(([, , , calledAt]) => calledAt !== '')).toEqual([true, true, true, false])
  expect(rows.map(([, , , , admittedAt]) => admittedAt !== '')).toEqual([true, false, false, false])
  for (const { email, accountId } of people) {
    expect(answer.body).not.toContain(email)
    expect(answer.body).not.toContain(accountId)
  }
  const empty = await app.event({ organizer })
  expect(
    String((await room('GET', empty.eventId, '/line.csv', organizer)).body)
      .trimEnd()
      .split('\r\n'),
  ).toHaveLength(1)
})

test('who runs another event, and a buyer, see nothing of it', async () => {
  const { eventId } = await app.event({ room: ROOM })
  const [buyer, other] = [await app.person(), await app.person('ORGANIZER')]
  for (const path of ['/steps', '/line.csv', '/stats']) {
    expect((await room('GET', eventId, path)).body.code).toBe('unauthenticated')
    expect((await room('GET', eventId, path, buyer)).body.code).toBe('permission_denied')
    expect((await room('GET', eventId, path, other)).body.code).toBe('not_found')
  }
})
