// Shows priority over HTTP: the share everybody is told, the list nobody learns from, invitations that are used once.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { hasPriority } from '../../db/priority.ts'
import { roomKey } from '../../server/room/keys.ts'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'
import { closeSockets, openSocket } from '../support/socket-client.ts'

const ROOM = { enabled: true, activeMax: 1, doorSeconds: 30, passSeconds: 600, graceSeconds: 60 }
const DAY_MS = 86_400_000

let app: AppHarness
beforeAll(async () => {
  app = await startApp({ rateLimit: false })
}, START_WITHIN_MS)
afterAll(async () => {
  closeSockets()
  await app.close()
}, START_WITHIN_MS)

const priority = (method: string, eventId: string, path: string, who?: Person, body?: unknown) =>
  app.call(method, `/event/${eventId}/room/priority${path}`, {
    token: who?.token,
    ...(body === undefined ? {} : { body }),
  })
const invite = async (eventId: string, organizer: Person, body: object = { count: 1 }) => {
  const answer = await priority('POST', eventId, '/invitations', organizer, body)
  expect(answer.status).toBe(201)
  return (answer.body.data.links as string[]).map((link) => new URL(link))
}

describe('the share', () => {
  test('is set by the organiser, kept by later settings, and told to everybody over HTTP and the socket', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    const socket = await openSocket(app.url, eventId)
    expect((await socket.next('room')).priorityShare).toBe(0)
    const put = await priority('PUT', eventId, '', organizer, { share: 10 })
    expect(put.body.data).toMatchObject({ priorityShare: 10, activeMax: 1 })
    expect((await socket.next('room', ({ priorityShare }) => priorityShare === 10)).phase).toBe('open')
    await app.call('PUT', `/event/${eventId}/room`, {
      token: organizer.token,
      body: { ...ROOM, activeMax: 5 },
    })
    expect((await app.call('GET', `/event/${eventId}/room`)).body.data.priorityShare).toBe(10)
    expect((await priority('GET', eventId, '', organizer)).body.data.share).toBe(10)
  })

  test('leaves some of the admissions to the line', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    for (const share of [-1, 91, 1.5, '10', null])
      expect((await priority('PUT', eventId, '', organizer, { share })).body.code).toBe('request_invalid')
    for (const share of [0, 90])
      expect((await priority('PUT', eventId, '', organizer, { share })).status).toBe(200)
  })
})

describe('the list', () => {
  test('takes addresses in any case once, and says nothing of who has an account', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    const known = await app.person()
    const emails = ['Nobody@Example.org', known.email.toUpperCase(), 'nobody@example.org']
    const added = await priority('POST', eventId, '/list', organizer, { emails })
    expect(added.body.data).toEqual({ added: 2, total: 2 })
    const again = await priority('POST', eventId, '/list', organizer, {
      emails: [...emails, 'third@example.org'],
    })
    expect(again.body.data).toEqual({ added: 1, total: 3 })
    const removed = await priority('DELETE', eventId, '/list', organizer, { emails: ['NOBODY@example.org'] })
    expect(removed.body.data).toEqual({ removed: 1, total: 2 })
    const { data } = (await priority('GET', eventId, '', organizer)).body
    expect(data).toMatchObject({ share: 0, listed: 2, used: 0, nextCursor: null })
    expect(data.items.map(({ email }: { email: string }) => email)).toEqual(
      [known.email, 'third@example.org'].toSorted(),
    )
    // An account's line is told like anybody's.
    expect(Object.keys(data.items[0])).toEqual(['email', 'addedAt'])
  })

  test('is read page by page, and the address is in no URL', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    const emails = Array.from({ length: 5 }, (_, i) => `guest${i}@example.org`)
    await priority('POST', eventId, '/list', organizer, { emails })
    const seen: string[] = []
    let cursor = ''
    do {
      const { body } = await priority('GET', eventId, `?limit=2${cursor}`, organizer)
      seen.push(...body.data.items.map(({ email }: { email: string }) => email))
      cursor = body.data.nextCursor === null ? '' : `&cursor=${body.data.nextCursor}`
      expect(cursor).not.toContain('guest')
    } while (cursor !== '')
    expect(seen).toEqual(emails)
    expect((await priority('GET', eventId, '?cursor=guest1', organizer)).body.code).toBe('request_invalid')
  })

  test('refuses what is no address, and more than a body holds', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    for (const emails of [[], ['no address'], [''], 'a@b.example', [1]])
      expect((await priority('POST', eventId, '/list', organizer, { emails })).body.code).toBe(
        'request_invalid',
      )
    const many = Array.from({ length: 3_000 }, (_, i) => `a-rather-long-address-${i}@example.org`)
    expect((await priority('POST', eventId, '/list', organizer, { emails: many })).body.code).toBe(
      'body_too_large',
    )
    const fits = many.slice(0, 1_500)
    expect((await priority('POST', eventId, '/list', organizer, { emails: fits })).body.data.added).toBe(
      1_500,
    )
  })

  test('gives whoever joins with a listed address priority, also one that is registered later', async () => {
    const { eventId, organizer } = await app.event({ room: { ...ROOM, activeMax: 1 } })
    const [listed, other] = await app.people(2)
    await priority('POST', eventId, '/list', organizer, { emails: [listed!.email] })
    await priority('PUT', eventId, '', organizer, { share: 50 })
    for (const [who, expected] of [
      [other, undefined],
      [listed, true],
    ] as const) {
      const socket = await openSocket(app.url, eventId, { token: who!.token })
      await socket.next('room')
      socket.send({ type: 'join' })
      expect((await socket.next('joined')).priority).toBe(expected)
    }
    const waiting = await app.context.redis.zrange(roomKey(eventId, 'priority'), '0', '-1')
    expect(waiting).toEqual([listed!.accountId])
  })

  test('is not asked, and changes nothing, while the share is 0', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    const listed = await app.person()
    await priority('POST', eventId, '/list', organizer, { emails: [listed.email] })
    await app.call('POST', `/event/${eventId}/room/join`, { token: listed.token, body: {} })
    expect(await app.context.redis.zcard(roomKey(eventId, 'priority'))).toBe(0)
  })
})

describe('an invitation', () => {
  test('is used by one account, as often as it likes, and by nobody else', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    await priority('PUT', eventId, '', organizer, { share: 10 })
    const [link] = await invite(eventId, organizer)
    expect(link!.pathname).toBe(`/events/${eventId}/invitation`)
    expect(link!.search).toBe('')
    const invitation = link!.hash.slice(1)
    const [first, second] = await app.people(2)
    for (let time = 0; time < 2; time += 1) {
      const used = await priority('POST', eventId, '/redeem', first, { invitation })
      expect(used.body.data).toEqual({ eventId, share: 10 })
    }
    const refused = await priority('POST', eventId, '/redeem', second, { invitation })
    expect([refused.status, refused.body.code]).toEqual([403, 'permission_denied'])
    expect(refused.body.message).toContain('another account')
    expect((await priority('GET', eventId, '', organizer)).body.data).toMatchObject({ listed: 0, used: 1 })
    const { db } = app.context.ledger
    expect(await hasPriority(db, eventId, first!.accountId)).toBe(true)
    expect(await hasPriority(db, eventId, second!.accountId)).toBe(false)
  })

  test('goes to one of many who use it at once', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    const [link] = await invite(eventId, organizer)
    const crowd = await app.people(12)
    const answers = await Promise.all(
      crowd.map((who) => priority('POST', eventId, '/redeem', who, { invitation: link!.hash.slice(1) })),
    )
    expect(answers.filter(({ status }) => status === 200).length).toBe(1)
    expect(answers.filter(({ status }) => status === 403).length).toBe(11)
  })

  test('is refused when forged, old, of another event or another kind of token', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    const other = await app.event({ room: ROOM, organizer })
    const person = await app.person()
    const [own] = await invite(eventId, organizer)
    const [foreign] = await invite(other.eventId, organizer)
    const { tokens } = app.context
    const old = tokens.signInvitation({ eventId, expiresAt: new Date(Date.now() - 1_000) })
    const place = tokens.signPlace({ accountId: person.accountId, eventId, number: 0, epoch: 1 })
    for (const invitation of [
      `${own!.hash.slice(1)}x`,
      foreign!.hash.slice(1),
      old,
      place,
      person.token,
      'x',
    ]) {
      const { status, body } = await priority('POST', eventId, '/redeem', person, { invitation })
      expect([status, body.code]).toEqual([400, 'request_invalid'])
    }
    expect(await hasPriority(app.context.ledger.db, eventId, person.accountId)).toBe(false)
    // Nor is an invitation any of the others.
    expect(tokens.verifyPlace(own!.hash.slice(1))).toBeNull()
    expect(tokens.verifyAccess(own!.hash.slice(1))).toBeNull()
  })

  test('is made up to 500 at a time, each another one, until a time to come', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    const links = await invite(eventId, organizer, { count: 500 })
    expect(new Set(links.map(({ hash }) => hash)).size).toBe(500)
    const expiresAt = new Date(Date.now() + DAY_MS).toISOString()
    const made = await priority('POST', eventId, '/invitations', organizer, { count: 1, expiresAt })
    expect(made.body.data.expiresAt).toBe(expiresAt)
    for (const body of [{ count: 0 }, { count: 501 }, { count: 1, expiresAt: new Date(0).toISOString() }])
      expect((await priority('POST', eventId, '/invitations', organizer, body)).body.code).toBe(
        'request_invalid',
      )
  })

  test('counts for whoever waits in the line already, once they come back to it', async () => {
    const { eventId, organizer } = await app.event({ room: { ...ROOM, activeMax: 1 } })
    const [ahead, person] = await app.people(2)
    await priority('PUT', eventId, '', organizer, { share: 10 })
    const join = (who: Person) =>
      app.call('POST', `/event/${eventId}/room/join`, { token: who.token, body: {} })
    await join(ahead!)
    const before = (await join(person!)).body.data
    const [link] = await invite(eventId, organizer)
    await priority('POST', eventId, '/redeem', person, { invitation: link!.hash.slice(1) })
    expect((await join(person!)).body.data.number).toBe(before.number)
    expect(await app.context.redis.zrange(roomKey(eventId, 'priority'), '0', '-1')).toEqual([
      person!.accountId,
    ])
  })
})

describe('the person', () => {
  test('takes along what is kept of them here, and is forgotten with the account', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    const [person, next] = await app.people(2)
    await priority('POST', eventId, '/list', organizer, { emails: [person!.email, 'other@example.org'] })
    const [link] = await invite(eventId, organizer)
    const invitation = link!.hash.slice(1)
    await priority('POST', eventId, '/redeem', person, { invitation })
    const exported = (await app.call('GET', '/auth/me/export', { token: person!.token })).body.data.priority
    expect(exported.map(({ by }: { by: string }) => by).toSorted()).toEqual(['invitation', 'list'])
    expect(exported[0].eventId).toBe(eventId)
    expect((await app.call('DELETE', '/auth/me', { token: person!.token })).status).toBe(200)
    const { data } = (await priority('GET', eventId, '', organizer)).body
    expect(data.items.map(({ email }: { email: string }) => email)).toEqual(['other@example.org'])
    // What is used stays used: erasing an account does not hand the invitation on.
    expect((await priority('POST', eventId, '/redeem', next, { invitation })).body.code).toBe(
      'permission_denied',
    )
    expect(await hasPriority(app.context.ledger.db, eventId, person!.accountId)).toBe(false)
  })

  test('of a list goes with its event', async () => {
    const { eventId, organizer } = await app.event({ published: false })
    await priority('POST', eventId, '/list', organizer, { emails: ['a@example.org'] })
    expect((await app.call('DELETE', `/event/${eventId}`, { token: organizer.token })).status).toBe(200)
    const { sql } = app.context.ledger
    expect(await sql`select 1 from room_priority where event_id = ${eventId}`).toHaveLength(0)
  })
})

test('who runs another event, and a buyer, may do nothing of it', async () => {
  const { eventId } = await app.event({ room: ROOM })
  const [buyer, other] = [await app.person(), await app.person('ORGANIZER')]
  for (const [method, path, body] of [
    ['PUT', '', { share: 1 }],
    ['GET', '', undefined],
    ['POST', '/list', { emails: ['a@example.org'] }],
    ['DELETE', '/list', { emails: ['a@example.org'] }],
    ['POST', '/invitations', { count: 1 }],
  ] as const) {
    expect((await priority(method, eventId, path, undefined, body)).body.code).toBe('unauthenticated')
    expect((await priority(method, eventId, path, buyer, body)).body.code).toBe('permission_denied')
    expect((await priority(method, eventId, path, other, body)).body.code).toBe('not_found')
  }
})
