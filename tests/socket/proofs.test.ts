// A table of passes and tickets that must be worth nothing: forged, stale, foreign, replayed, given up.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { createTokens } from '../../server/tokens.ts'
import {
  START_WITHIN_MS,
  startApp,
  type AppHarness,
  type EventForSale,
  type Person,
} from '../support/app-harness.ts'
import { closeSockets, eventually } from '../support/socket-client.ts'

const ROOM = { enabled: true, activeMax: 50, doorSeconds: 30, passSeconds: 600, graceSeconds: 60 }
const FOREIGN = createTokens({ secret: 'somebody else’s secret, also long enough for HS256' })

let app: AppHarness
let event: EventForSale
beforeAll(async () => {
  app = await startApp()
  event = await app.event({ room: ROOM })
}, START_WITHIN_MS)
afterEach(closeSockets)
afterAll(() => app.close(), START_WITHIN_MS)

const join = async ({ token }: Person, ticket?: string, eventId = event.eventId) =>
  (
    await app.call('POST', `/event/${eventId}/room/join`, {
      token,
      body: ticket === undefined ? {} : { ticket },
    })
  ).body.data as { number: number; ticket: string; epoch: number }
const move = (who: Person, verb: string, eventId = event.eventId) =>
  app.call('POST', `/event/${eventId}/room/${verb}`, { token: who.token })
let seat = 0
const book = async (who: Person, pass: string, { seatId } = event) =>
  (await app.hold(who, [seatId(seat++)], { 'x-admission-pass': pass })).body.code as string | undefined
/** Changes one character within a part of a token. */
const tamper = (token: string, part: number) =>
  token
    .split('.')
    .map((text, i) =>
      i === part ? `${text.slice(0, 4)}${text[4] === 'A' ? 'B' : 'A'}${text.slice(5)}` : text,
    )
    .join('.')

describe('a pass', () => {
  test('opens nothing to another account or for another event', async () => {
    const [a, b] = await app.people(2)
    const other = await app.event({ room: ROOM })
    const pass = await app.admit(a!, event.eventId)
    expect(await book(b!, pass)).toBe('pass_invalid')
    await app.admit(b!, event.eventId)
    expect(await book(b!, pass)).toBe('pass_invalid')
    expect(await book(a!, pass, other)).toBe('pass_invalid')
    expect(await book(a!, pass)).toBeUndefined()
  })

  test('opens nothing when forged, of the wrong kind, or signed by somebody else', async () => {
    const person = await app.person()
    const pass = await app.admit(person, event.eventId)
    const { ticket } = await join(await app.person())
    const claims = { accountId: person.accountId, eventId: event.eventId, epoch: 1 }
    const none = `${Buffer.from('{"alg":"none","typ":"pass+jwt"}').toString('base64url')}.${pass.split('.')[1]}.`
    const forged = [
      ...[0, 1, 2].map((part) => tamper(pass, part)),
      none,
      ticket,
      person.token,
      await FOREIGN.signPass({ ...claims, expiresAt: new Date(Date.now() + 60_000) }),
      'x'.repeat(2_000),
      '..',
    ]
    for (const wrong of forged) expect(await book(person, wrong)).toBe('pass_invalid')
    expect(await book(person, pass)).toBeUndefined()
  })

  test('is over after leaving, stays over after joining again, and ends with its time', async () => {
    const person = await app.person()
    const pass = await app.admit(person, event.eventId)
    await move(person, 'leave')
    expect(await book(person, pass)).toBe('pass_expired')
    await join(person)
    expect(await book(person, pass)).toBe('pass_expired')
    const late = await app.context.tokens.signPass({
      accountId: person.accountId,
      eventId: event.eventId,
      epoch: 1,
      expiresAt: new Date(Date.now() - 1_000),
    })
    expect(await book(person, late)).toBe('pass_expired')
  })

  test('lasts through a close for whoever was inside, and is given to nobody after it', async () => {
    const closing = await app.event({ room: { ...ROOM, activeMax: 1 } })
    const [a, b] = await app.people(2)
    const pass = await app.admit(a!, closing.eventId)
    const { ticket } = await join(b!, undefined, closing.eventId)
    await app.call('POST', `/event/${closing.eventId}/room/close`, { token: closing.organizer.token })
    expect(await book(a!, pass, closing)).toBeUndefined()
    const again = await app.call('POST', `/event/${closing.eventId}/room/join`, {
      token: b!.token,
      body: { ticket },
    })
    expect(again.body.code).toBe('event_not_on_sale')
    await move(a!, 'leave', closing.eventId)
    expect(await book(a!, pass, closing)).toBe('pass_expired')
  })

  test('of an epoch Redis lost is over when its hold is', async () => {
    const lost = await app.event({ room: { ...ROOM, passSeconds: 2, admitPerMinute: null } })
    const person = await app.person()
    const pass = await app.admit(person, lost.eventId)
    await app.context.redis.del(...(await app.context.redis.keys(`room:{${lost.eventId}}*`)))
    await eventually('the next epoch', async () => (await app.context.room.look(lost.eventId))!.epoch > 1)
    await eventually(
      'its end',
      async () =>
        (await app.context.room.requirePass(person.accountId, lost.eventId, pass)) === 'pass_expired',
    )
    expect(await book(person, pass, lost)).toBe('pass_expired')
  })
})

describe('a ticket', () => {
  test('gives a number of one’s own and nobody else’s, whatever is shown', async () => {
    const [holder, ...people] = await app.people(9)
    const { ticket, number } = await join(holder!)
    const other = await app.event({ room: ROOM })
    const elsewhere = await join(people[0]!, undefined, other.eventId)
    const place = { eventId: event.eventId, number: 0, epoch: 0 }
    const shown = [
      ticket,
      ...[0, 1, 2].map((part) => tamper(ticket, part)),
      elsewhere.ticket,
      await FOREIGN.signPlace({ ...place, accountId: people[5]!.accountId }),
      people[6]!.token,
    ]
    let last = number
    for (const [i, wrong] of shown.entries()) {
      const mine = await join(people[i]!, wrong)
      expect(mine.number).toBeGreaterThan(last)
      last = mine.number
    }
    expect((await join(holder!, ticket)).number).toBe(number)
  })

  test('replayed after leaving is worth nothing within its epoch', async () => {
    const person = await app.person()
    const { ticket, number } = await join(person)
    await move(person, 'leave')
    expect((await join(person, ticket)).number).toBeGreaterThan(number)
  })
})
