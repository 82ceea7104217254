// Shows the draw from outside: real servers on real stores draw a lobby, publish it, and anybody can check it offline.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { verifyDraw } from '../../dev/verify-draw.ts'
import type { DrawDocument } from '../../server/protocol/draw-document.ts'
import { expandDraw, fromHex, hashNow, placesOf, toHex } from '../../server/protocol/draw.ts'
import { rootFrom } from '../../server/protocol/merkle.ts'
import { sha256 } from '../../server/room/draw.ts'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'
import { startBeacon } from '../support/beacon.ts'
import { closeSockets, openSocket, type TestSocket } from '../support/socket-client.ts'

const ROOM = { enabled: true, activeMax: 3, doorSeconds: 60, passSeconds: 600, graceSeconds: 60 }
const PEOPLE = 12
const CHANGES = 1_000
/** Every field of the published file. */
const FIELDS =
  `after algorithm closedAt commitment digest drawnAt entrants event genesis leaves message period
  randomness root round secret seed signature statusCode url`.split(/\s+/)
const DRAWN_WITHIN_MS = 15_000

let beacon: ReturnType<typeof startBeacon>
let one: AppHarness
let two: AppHarness
beforeAll(async () => {
  beacon = startBeacon()
  one = await startApp({ drawBeaconUrl: beacon.url })
  two = await startApp({ serverIndex: 1, drawBeaconUrl: beacon.url }, one)
}, START_WITHIN_MS)
afterEach(closeSockets)
afterAll(async () => {
  await two.close()
  await one.close()
  beacon.stop()
}, START_WITHIN_MS)

interface Lobby {
  eventId: string
  organizer: Person
  people: Person[]
  sockets: TestSocket[]
}

/** People in a lobby, over both servers; the last one without a socket. */
async function fillLobby(): Promise<Lobby> {
  const hour = 3_600_000
  const { eventId, organizer } = await one.event({
    onSaleAt: new Date(Date.now() + hour),
    room: { ...ROOM, lobbyAt: new Date(Date.now() - hour) },
  })
  const people = await one.people(PEOPLE)
  const sockets = []
  for (const [i, { token }] of people.slice(0, -1).entries()) {
    const socket = await openSocket((i % 2 === 0 ? one : two).url, eventId, { token })
    socket.send({ type: 'join' })
    expect(await socket.next('joined')).toMatchObject({ number: i, place: null })
    sockets.push(socket)
  }
  const joined = await one.call('POST', `/event/${eventId}/room/join`, { token: people.at(-1)!.token })
  expect(joined.body.data).toMatchObject({ state: 'waiting', number: PEOPLE - 1, place: null })
  return { eventId, organizer, people, sockets }
}

async function drawNow({ eventId, organizer, sockets }: Lobby) {
  await one.call('POST', `/event/${eventId}/room/open`, { token: organizer.token })
  const frames = await Promise.all(sockets.map((socket) => socket.next('draw', () => true, DRAWN_WITHIN_MS)))
  const answer = await fetch(`${two.url}/api/v1/event/${eventId}/room/draw`)
  const text = await answer.text()
  const draw = (JSON.parse(text) as { data: DrawDocument }).data
  return { frames, answer, text, draw }
}

describe('a draw', () => {
  test('is promised before, told to all in one frame, the same everywhere, and can be checked offline', async () => {
    const lobby = await fillLobby()
    const { eventId, people, sockets } = lobby
    const path = `/event/${eventId}/room`
    const before = (await one.call('GET', path)).body.data
    expect(before.commitment).toMatch(/^[0-9a-f]{64}$/)
    expect((await one.call('GET', `${path}/draw`)).status).toBe(404)
    expect((await sockets[0]!.next('room')).commitment).toBe(before.commitment)

    const { frames, answer, text, draw } = await drawNow(lobby)
    expect(draw).toMatchObject({ event: eventId, commitment: before.commitment, entrants: PEOPLE })
    expect(verifyDraw(text)).toMatchObject({ ok: true })
    for (const { seed, root, entrants, algorithm } of frames)
      expect({ seed, root, entrants, algorithm }).toEqual({
        seed: draw.seed,
        root: draw.root,
        entrants: draw.entrants,
        algorithm: draw.algorithm,
      })
    expect(draw.beacon).toMatchObject({ url: beacon.url, round: beacon.asked.at(-1)! })

    const placeOf = placesOf(hashNow(expandDraw(fromHex(draw.seed, 32)!, draw.entrants), sha256))
    const moved = (number: number) => placeOf(number) < ROOM.activeMax
    await Promise.all(sockets.flatMap((socket, number) => (moved(number) ? [socket.next('turn')] : [])))
    for (const [number, { token, accountId }] of people.entries()) {
      const me = (await two.call('GET', `${path}/me`, { token })).body.data
      expect(me).toMatchObject({
        number,
        place: placeOf(number),
        state: moved(number) ? 'called' : 'waiting',
      })
      const proof = (await one.call('GET', `${path}/draw/proof`, { token })).body.data
      expect(proof).toMatchObject({ number, accountId, place: placeOf(number) })
      const way = proof.path.map((node: string) => fromHex(node, 32)!)
      const root = hashNow(rootFrom(fromHex(proof.leaf, 32)!, number, draw.entrants, way), sha256)
      expect(toHex(root!)).toBe(draw.root)
    }
    for (const [number, socket] of sockets.entries())
      if (!moved(number)) expect(socket.has('turn')).toBe(false)

    expect(answer.headers.get('cache-control')).toContain('immutable')
    const etag = answer.headers.get('etag')!
    const again = await fetch(answer.url, { headers: { 'if-none-match': etag } })
    expect(again.status).toBe(304)

    const [late] = await one.people(1)
    const behind = (await one.call('POST', `${path}/join`, { token: late!.token })).body.data
    expect(behind).toMatchObject({ number: PEOPLE, place: PEOPLE })
    expect((await one.call('GET', `${path}/draw/proof`, { token: late!.token })).status).toBe(404)
    const foreign = await one.call('GET', `${path}/draw/proof?number=0`, { token: late!.token })
    expect(foreign.status).toBe(404)
  })

  test('with a thousand one-bit changes is a thousand times not valid', async () => {
    const { text } = await drawNow(await fillLobby())
    expect(verifyDraw(text)).toMatchObject({ ok: true })
    const bytes = new TextEncoder().encode(text)
    const fields = [...text.matchAll(/"(\w+)":(?:"([^"]*)"|(\d+))/g)].map((match) => ({
      name: match[1]!,
      from: match.index + match[0].length - (match[2] ?? match[3]!).length - (match[2] === undefined ? 0 : 1),
      length: (match[2] ?? match[3]!).length,
    }))
    // Every field in turn, so that the long ones do not take all changes; then anywhere in the file.
    let state = 20_261_123
    const random = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    const changed = new Map<string, number>()
    for (let i = 0; i < CHANGES; i++) {
      const field = i % 2 === 0 ? fields[(i / 2) % fields.length]! : null
      const at = field ? field.from + random(field.length) : random(bytes.length)
      const bad = bytes.slice()
      bad[at]! ^= 1 << random(8)
      const verdict = verifyDraw(new TextDecoder('latin1').decode(bad))
      if (verdict.ok)
        throw new Error(`a changed bit at byte ${at} (${field?.name ?? 'anywhere'}) was not seen`)
      expect(verdict.because).toMatch(/^\S.*\.$/)
      if (field) changed.set(field.name, (changed.get(field.name) ?? 0) + 1)
    }
    expect([...changed.keys()].toSorted()).toEqual(FIELDS)
  }, 60_000)

  test('goes on without a beacon that is not heard, and says so', async () => {
    beacon.silent = true
    const { text, draw } = await drawNow(await fillLobby()).finally(() => (beacon.silent = false))
    expect(draw.beacon).toMatchObject({ url: beacon.url, randomness: null, signature: null })
    expect(verifyDraw(text)).toMatchObject({ ok: true })
  }, 40_000)

  test('is not asked for of a draw that never was', async () => {
    const { eventId } = await one.event({ room: ROOM })
    const [early] = await one.people(1)
    await one.call('POST', `/event/${eventId}/room/join`, { token: early!.token })
    const answer = await one.call('GET', `/event/${eventId}/room/draw`)
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
    const proof = await one.call('GET', `/event/${eventId}/room/draw/proof`, { token: early!.token })
    expect(proof.status).toBe(404)
  })
})
