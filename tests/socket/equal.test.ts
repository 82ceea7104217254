// Plays one story over the socket and over HTTP and compares each step: the fallback is the same room, not a poorer one.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import type { EntrantView } from '../../server/protocol/http.ts'
import {
  START_WITHIN_MS,
  startApp,
  type AppHarness,
  type EventForSale,
  type Person,
} from '../support/app-harness.ts'
import { closeSockets, eventually, openSocket, type TestSocket } from '../support/socket-client.ts'

const ROOM = { enabled: true, activeMax: 1, doorSeconds: 2, passSeconds: 4, graceSeconds: 60 }
const STORY_MS = 60_000

let app: AppHarness
beforeAll(async () => {
  app = await startApp()
}, START_WITHIN_MS)
afterEach(closeSockets)
afterAll(() => app.close(), START_WITHIN_MS)

type Verb = 'join' | 'claim' | 'leave' | 'defer'
/** What a client knows after a step; `code` when the step was refused. */
interface Known {
  state: EntrantView['state']
  number: number | null
  place: number | null
  ended: EntrantView['ended']
  pass: boolean
  code: string | null
}
/** One person's way into a room. */
interface Way {
  /** Makes a move and tells what is known once it has been answered. */
  move(verb: Verb): Promise<Known>
  /** Waits until the state is as said. */
  until(state: Known['state']): Promise<Known>
}

const overHttp = (eventId: string, { token }: Person): Way => {
  const ask = async (method: string, path: string): Promise<Known> => {
    const { status, body } = await app.call(method, `/event/${eventId}/room/${path}`, { token })
    if (status >= 400) return { ...(await ask('GET', 'me')), code: body.code }
    const { state, number, place, ended, pass } = body.data as EntrantView
    return { state, number, place, ended, pass: pass !== null, code: null }
  }
  return {
    move: (verb) => ask('POST', verb),
    async until(state) {
      await eventually(state, async () => (await ask('GET', 'me')).state === state)
      return ask('GET', 'me')
    },
  }
}

const ANSWERS = new Set(['joined', 'admitted', 'ended', 'error'])

/** Reads the frames as a client does: the last word counts. */
const overSocket = async (eventId: string, { token }: Person): Promise<Way> => {
  const socket: TestSocket = await openSocket(app.url, eventId, { token })
  await socket.next('room')
  const known = (from = 0): Known => {
    const now: Known = { state: 'outside', number: null, place: null, ended: null, pass: false, code: null }
    for (const [i, frame] of socket.frames.entries())
      if (frame.type === 'joined')
        Object.assign(now, {
          state: 'waiting',
          number: frame.number,
          place: frame.place,
          ended: null,
          pass: false,
        })
      else if (frame.type === 'turn') now.state = 'called'
      else if (frame.type === 'admitted') Object.assign(now, { state: 'admitted', pass: true })
      else if (frame.type === 'ended')
        Object.assign(now, { state: 'outside', number: null, place: null, ended: frame.reason, pass: false })
      else if (frame.type === 'error' && i >= from) now.code = frame.code
    return now
  }
  return {
    async move(verb) {
      const from = socket.frames.length
      socket.send({ type: verb })
      await eventually('an answer', () => socket.frames.slice(from).some(({ type }) => ANSWERS.has(type)))
      return known(from)
    },
    async until(state) {
      await eventually(state, () => known().state === state)
      return known(socket.frames.length)
    },
  }
}

/** Two people; the first is the one the story is about when nobody is named. */
async function play(event: EventForSale, ways: [Way, Way]): Promise<[string, Known][]> {
  const [a, b] = ways
  const told: [string, Known][] = []
  const step = async (name: string, doing: Promise<Known>) => void told.push([name, await doing])
  const control = (verb: string) =>
    app.call('POST', `/event/${event.eventId}/room/${verb}`, { token: event.organizer.token })

  const phase = async (wanted: string) =>
    eventually(wanted, async () => (await app.context.room.look(event.eventId))!.phase === wanted)

  // Nobody is called before both know what they know.
  await control('pause')
  await phase('paused')
  await step('claiming without a place', a.move('claim'))
  await step('stepping back without a place', a.move('defer'))
  await step('leaving without a place', a.move('leave'))
  await step('joining', a.move('join'))
  await step('joining again', a.move('join'))
  await step('the second joins', b.move('join'))
  await step('the second claims too early', b.move('claim'))
  await step('the second steps back too early', b.move('defer'))
  await control('open')
  await step('called', a.until('called'))
  await step('stepping back', a.move('defer'))
  await step('the second is called instead', b.until('called'))
  await step('the second claims', b.move('claim'))
  await step('the second claims again', b.move('claim'))
  await step('the second leaves', b.move('leave'))
  await step('called again', a.until('called'))
  await step('stepping back a second time', a.move('defer'))
  await step('missing the turn', a.until('outside'))
  await step('claiming too late', a.move('claim'))
  await step('joining anew', a.move('join'))
  await step('called with the new number', a.until('called'))
  await step('claiming', a.move('claim'))
  await step('the pass runs out', a.until('outside'))
  await step('claiming after the pass', a.move('claim'))
  await control('close')
  await phase('closed')
  await step('joining a closed room', a.move('join'))
  return told
}

describe('the room', () => {
  test(
    'tells the same story over HTTP as over the socket, refusals included',
    async () => {
      const events = await Promise.all([app.event({ room: ROOM }), app.event({ room: ROOM })])
      const people = await app.people(2)
      const [socket, http] = await Promise.all([
        play(events[0], [
          await overSocket(events[0].eventId, people[0]!),
          await overSocket(events[0].eventId, people[1]!),
        ]),
        play(events[1], [overHttp(events[1].eventId, people[0]!), overHttp(events[1].eventId, people[1]!)]),
      ])
      for (const [i, step] of socket.entries()) expect(http[i]).toEqual(step)
      expect(http.length).toBe(socket.length)
      expect(new Set(http.map(([, { state }]) => state))).toEqual(
        new Set(['outside', 'waiting', 'called', 'admitted']),
      )
    },
    STORY_MS,
  )

  test('is told field by field as the frames tell it, and says when to ask again', async () => {
    const { eventId } = await app.event({ room: ROOM })
    const people = await app.people(3)
    for (const { token } of people) await app.call('POST', `/event/${eventId}/room/join`, { token })
    const socket = await openSocket(app.url, eventId)
    // When to come back after a lost socket; over HTTP it is pollMs that says when.
    const { type: _r, serverTime: _s, comeBackMs: _c, ...room } = await socket.next('room')
    const { type: _l, at: _a, ...line } = await socket.next('line', ({ waiting }) => waiting > 0)
    const { data } = (await app.call('GET', `/event/${eventId}/room`)).body
    expect(Object.keys(data).toSorted()).toEqual(
      [...Object.keys(room), ...Object.keys(line), 'enabled', 'serverTime'].toSorted(),
    )
    for (const { token } of people) {
      const { pollMs } = (await app.call('GET', `/event/${eventId}/room/me`, { token })).body.data
      expect(pollMs).toBeWithin(1_000, 10_001)
    }
  })
})
