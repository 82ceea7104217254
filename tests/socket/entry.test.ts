// Shows what keeps a crowd of machines from filling a line: a limit an address, and work to prove, neither at the cost
// of a place somebody has.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2'
import type { ChallengeProof, ChallengeView } from '../../server/protocol/http.ts'
import { limit, RATES } from '../../server/rate-limit.ts'
import { levelOfRisk } from '../../server/room/challenge.ts'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'
import { closeSockets, eventually, openSocket } from '../support/socket-client.ts'

const ROOM = { enabled: true, activeMax: 1, doorSeconds: 30, passSeconds: 600, graceSeconds: 60 }
const SETTINGS = { ...ROOM, lobbyAt: null, admitPerMinute: null }

let app: AppHarness
let beside: AppHarness
beforeAll(async () => {
  app = await startApp({ trustProxy: 1 })
  beside = await startApp({ trustProxy: 1, serverIndex: 1 }, app)
}, START_WITHIN_MS)
afterEach(closeSockets)
afterAll(async () => {
  await beside.close()
  await app.close()
}, START_WITHIN_MS)

/** More than wear off while a test asks. */
const WORN_OFF = 50
let addresses = 0
/** An address no other test uses. */
const address = () => `203.0.113.${(addresses += 1)}`
const move = (
  method: string,
  eventId: string,
  path: string,
  who: Person,
  from = '127.0.0.1',
  body?: unknown,
) =>
  app.call(method, `/event/${eventId}/room${path}`, {
    token: who.token,
    headers: { 'x-forwarded-for': from },
    ...(body === undefined ? {} : { body }),
  })
const joinFrom = (from: string, eventId: string, who: Person, ticket?: string) =>
  move('POST', eventId, '/join', who, from, ticket === undefined ? {} : { ticket })
/** As if so many had joined from there this moment: what the limit's script would have left. */
const wear = (key: string, joins: number) => {
  const ms = (joins * 1_000) / RATES.join.perSecond
  return app.context.redis.set(`rate:join:${key}`, String(Date.now() + ms), 'PX', ms)
}

describe('joins from one address', () => {
  test('are refused beyond the limit on every server, with when to come again; other addresses are not', async () => {
    const { eventId } = await app.event({ room: ROOM })
    const [a, b, c] = await app.people(3)
    const from = address()
    await wear(from, RATES.join.burst + WORN_OFF)
    const refused = await joinFrom(from, eventId, a!)
    expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited'])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    const socket = await openSocket(beside.url, eventId, {
      token: b!.token,
      headers: { 'x-forwarded-for': from },
    })
    socket.send({ type: 'join' })
    expect((await socket.next('error')).code).toBe('rate_limited')
    expect((await joinFrom(address(), eventId, c!)).status).toBe(200)
  })

  test('are counted by the network half of an IPv6 address, and by what the proxy says, nobody else', async () => {
    const { eventId } = await app.event({ room: ROOM })
    const [a, b, c] = await app.people(3)
    await wear('2001:db8:7:7::/64', RATES.join.burst + WORN_OFF)
    expect((await joinFrom('2001:db8:7:7:1:2:3:4', eventId, a!)).body.code).toBe('rate_limited')
    expect((await joinFrom('2001:db8:7:8::1', eventId, b!)).status).toBe(200)
    const from = address()
    await wear(from, RATES.join.burst + WORN_OFF)
    // What stands before the believed hop is the client's own tale.
    expect((await joinFrom(`${address()}, ${from}`, eventId, c!)).body.code).toBe('rate_limited')
  })

  test('are refused to nobody who has a place, with the ticket or without, nor after Redis was lost', async () => {
    const { eventId } = await app.event({ room: ROOM })
    const [holder, a, b, c] = await app.people(4)
    await joinFrom('127.0.0.1', eventId, holder!)
    const from = address()
    const first = (await joinFrom(from, eventId, a!)).body.data
    const second = (await joinFrom(from, eventId, b!)).body.data
    await wear(from, RATES.join.burst + WORN_OFF)
    expect((await joinFrom(from, eventId, c!)).body.code).toBe('rate_limited')
    for (const ticket of [undefined, first.ticket])
      expect((await joinFrom(from, eventId, a!, ticket)).body.data.number).toBe(first.number)
    const keys = await app.context.redis.keys('room:*')
    await app.context.redis.del(...keys)
    expect((await joinFrom(from, eventId, b!, second.ticket)).body.data.number).toBe(second.number)
    // Somebody else's ticket is nobody's place.
    expect((await joinFrom(from, eventId, c!, first.ticket)).body.code).toBe('rate_limited')
  })

  test('wear off, and coming back is not counted', async () => {
    const from = address()
    const now = Date.now()
    const at = (later: number) => limit(app.context, { name: 'join', key: from, now: now + later })
    expect(await at(0)).toEqual({ ok: true, recent: 1 })
    expect(await at(0)).toEqual({ ok: true, recent: 2 })
    expect(await at(60_000)).toEqual({ ok: true, recent: 1 })
    const { eventId } = await app.event({ room: ROOM })
    const person = await app.person()
    const { ticket } = (await joinFrom(from, eventId, person)).body.data
    const count = async () => Number((await app.context.redis.pttl(`rate:join:${from}`)) / 500)
    const before = await count()
    for (let i = 0; i < 5; i++) await joinFrom(from, eventId, person, ticket)
    expect(await count()).toBeLessThanOrEqual(before)
  })
})

const read = async (eventId: string, who: Person): Promise<ChallengeView> =>
  (await move('GET', eventId, '/challenge', who)).body.data
const solve = async ({ challenge }: ChallengeView): Promise<ChallengeProof> => ({
  challenge: challenge!,
  solution: (await solveChallenge({ challenge: challenge!, deriveKey }))!,
})
const hand = (eventId: string, who: Person, proof: unknown) =>
  move('POST', eventId, '/challenge', who, '127.0.0.1', proof)
async function withChallenge(challenge: 'off' | 'auto' | 'always', change: object = {}) {
  const made = await app.event({ room: ROOM })
  const put = await app.call('PUT', `/event/${made.eventId}/room`, {
    token: made.organizer.token,
    body: { ...SETTINGS, ...change, challenge },
  })
  expect(put.body.data.challenge).toBe(challenge)
  await eventually(
    'everybody knows',
    async () => (await app.context.room.view(made.eventId))!.challenge === challenge,
  )
  return made
}
const called = (eventId: string, who: Person) =>
  eventually('the turn', async () => (await move('GET', eventId, '/me', who)).body.data.state === 'called')

describe('a challenge', () => {
  test('gives the place at once and holds back only the claim, whose turn runs on', async () => {
    const { eventId } = await withChallenge('always')
    const person = await app.person()
    expect((await joinFrom('127.0.0.1', eventId, person)).body.data).toMatchObject({ number: 0 })
    await called(eventId, person)
    const claim = await move('POST', eventId, '/claim', person)
    expect([claim.status, claim.body.code]).toEqual([403, 'challenge_required'])
    const { state, claimBefore, room } = (await move('GET', eventId, '/me', person)).body.data
    expect([state, room.challenge]).toEqual(['called', 'always'])
    expect(Date.parse(claimBefore)).toBeGreaterThan(Date.now())
    expect((await hand(eventId, person, await solve(await read(eventId, person)))).status).toBe(200)
    expect(await read(eventId, person)).toEqual({ required: false, challenge: null })
    expect((await move('POST', eventId, '/claim', person)).body.data.state).toBe('admitted')
  })

  test('is asked of nobody when off, whatever the address', async () => {
    const { eventId } = await withChallenge('off')
    const person = await app.person()
    const from = address()
    await wear(from, 1_000)
    await joinFrom(from, eventId, person)
    expect(await read(eventId, person)).toEqual({ required: false, challenge: null })
  })

  test('rises with the joins of an address when auto, and asks nothing where few come from', async () => {
    expect([1, 19, 20, 199, 200, 1_000].map(levelOfRisk)).toEqual([0, 0, 1, 1, 2, 3])
    const { eventId } = await withChallenge('auto')
    const people = await app.people(3)
    const [quiet, busy, busier] = [address(), address(), address()]
    await wear(busy, 30)
    await wear(busier, 300)
    for (const [i, from] of [quiet, busy, busier].entries()) await joinFrom(from, eventId, people[i]!)
    expect((await read(eventId, people[0]!)).required).toBe(false)
    const counters = []
    for (const person of people.slice(1)) {
      const proof = await solve(await read(eventId, person))
      counters.push(proof.solution.counter)
      expect((await hand(eventId, person, proof)).status).toBe(200)
    }
    expect(counters[0]).toBeWithin(250, 500)
    expect(counters[1]).toBeWithin(1_000, 2_000)
    // Coming back is no new risk.
    await wear(busy, 1_000)
    await joinFrom(busy, eventId, people[1]!)
    expect((await read(eventId, people[1]!)).required).toBe(false)
  })

  test('holds with doorSeconds 0 too: a turn instead of the pass, and the pass by itself once proved', async () => {
    const { eventId } = await withChallenge('always', { doorSeconds: 0 })
    const person = await app.person()
    const socket = await openSocket(app.url, eventId, { token: person.token })
    socket.send({ type: 'join' })
    await socket.next('joined')
    await socket.next('turn')
    expect((await socket.next('error')).code).toBe('challenge_required')
    expect((await move('GET', eventId, '/me', person)).body.data).toMatchObject({
      state: 'called',
      pass: null,
    })
    await hand(eventId, person, await solve(await read(eventId, person)))
    expect((await socket.next('admitted')).pass).toBeString()
    expect(socket.frames.filter(({ type }) => type === 'error').length).toBe(1)
  })

  test('counts once, in time, and for the account, the event and the number it was made for', async () => {
    const { eventId } = await withChallenge('always')
    const other = await withChallenge('always')
    const [a, b] = await app.people(2)
    for (const person of [a!, b!]) await joinFrom('127.0.0.1', eventId, person)
    await joinFrom('127.0.0.1', other.eventId, a!)
    const proof = await solve(await read(eventId, a!))
    const message = async (event: string, who: Person, changed: unknown = proof) => {
      const { status, body } = await hand(event, who, changed)
      expect([status, body.code]).toEqual([400, 'request_invalid'])
      return body.message as string
    }
    const changed = (change: (copy: ChallengeProof) => void) => {
      const copy = structuredClone(proof)
      change(copy)
      return copy
    }
    expect(await message(eventId, b!)).toContain('another place')
    expect(await message(other.eventId, a!)).toContain('another place')
    expect(await message(eventId, await app.person())).toContain('not in the line')
    for (const forged of [
      changed((copy) => (copy.challenge.parameters.cost = 1)),
      changed((copy) => (copy.challenge.parameters.data!.account = b!.accountId)),
      changed((copy) => (copy.challenge.parameters.expiresAt = 4_000_000_000)),
      changed((copy) => delete (copy.challenge.parameters as { expiresAt?: number }).expiresAt),
      changed((copy) => (copy.solution.derivedKey = '00'.repeat(32))),
    ])
      expect(await message(eventId, a!, forged)).toContain('not the answer')
    const late = changed((copy) => (copy.challenge.parameters.expiresAt = 1))
    expect(await message(eventId, a!, late)).toContain('expired')
    expect((await hand(eventId, a!, proof)).status).toBe(200)
    expect(await message(eventId, a!)).toContain('used before')
    // A new number owes a new proof, and the old one is worth nothing for it.
    await move('POST', eventId, '/leave', a!)
    await joinFrom('127.0.0.1', eventId, a!)
    expect((await read(eventId, a!)).required).toBe(true)
    expect(await message(eventId, a!)).toContain('another place')
  })

  test('of any other shape is a bad request, and asking is limited like a move', async () => {
    const { eventId } = await withChallenge('always')
    const person = await app.person()
    await joinFrom('127.0.0.1', eventId, person)
    for (const body of [{}, { challenge: null }, { challenge: {}, solution: {} }])
      expect((await hand(eventId, person, body)).body.code).toBe('request_invalid')
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => move('GET', eventId, '/challenge', person)),
    )
    expect(answers.some(({ status }) => status === 429)).toBe(true)
  })
})
