// Shows that two servers on the same stores are one line: same numbers, same turns, one socket an account.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'
import { closeSockets, openSocket } from '../support/socket-client.ts'

const ROOM = { enabled: true, activeMax: 1, doorSeconds: 30, passSeconds: 600, graceSeconds: 60 }

let one: AppHarness
let two: AppHarness
beforeAll(async () => {
  one = await startApp()
  two = await startApp({ serverIndex: 1 }, one)
}, START_WITHIN_MS)
afterEach(closeSockets)
afterAll(async () => {
  await two.close()
  await one.close()
}, START_WITHIN_MS)

describe('two servers', () => {
  test('give numbers from one line and call across both', async () => {
    const { eventId } = await one.event({ room: ROOM })
    const people = await one.people(4)
    const sockets = []
    for (const [i, { token }] of people.entries()) {
      const socket = await openSocket((i % 2 === 0 ? one : two).url, eventId, { token })
      socket.send({ type: 'join' })
      expect((await socket.next('joined')).number).toBe(i)
      sockets.push(socket)
    }
    for (const [i, socket] of sockets.entries()) {
      await socket.next('turn')
      for (const later of sockets.slice(i + 1)) expect(later.has('turn')).toBe(false)
      socket.send({ type: 'claim' })
      const { pass } = await socket.next('admitted')
      const elsewhere = i % 2 === 0 ? two : one
      expect(await elsewhere.context.room.requirePass(people[i]!.accountId, eventId, pass)).toBe('ok')
      socket.send({ type: 'leave' })
      await socket.next('ended')
    }
  })

  test('show the same room, and a pause said to one is told by the other', async () => {
    const { eventId, organizer } = await one.event({ room: ROOM })
    const socket = await openSocket(two.url, eventId)
    await socket.next('room', ({ phase }) => phase === 'open')
    const started = Date.now()
    await one.call('POST', `/event/${eventId}/room/pause`, { token: organizer.token })
    await socket.next('room', ({ phase }) => phase === 'paused')
    expect(Date.now() - started).toBeLessThan(1_000)
  })

  test('replace the older tab of an account wherever it is', async () => {
    const { eventId, organizer } = await one.event({ room: ROOM })
    await one.call('POST', `/event/${eventId}/room/pause`, { token: organizer.token })
    const { token } = await one.person()
    const older = await openSocket(one.url, eventId, { token })
    older.send({ type: 'join' })
    const { number } = await older.next('joined')
    const newer = await openSocket(two.url, eventId, { token })
    newer.send({ type: 'join' })
    expect((await newer.next('joined')).number).toBe(number)
    expect((await older.next('ended')).reason).toBe('replaced')
    expect((await older.closed()).code).toBe(4003)
    expect(newer.has('ended')).toBe(false)
  })

  test('that is told to stop sends everybody elsewhere, with their places', async () => {
    const third = await startApp({ serverIndex: 2 }, one)
    const { eventId, organizer } = await one.event({ room: { ...ROOM, graceSeconds: 0 } })
    await one.call('POST', `/event/${eventId}/room/pause`, { token: organizer.token })
    const { token } = await one.person()
    const socket = await openSocket(third.url, eventId, { token })
    socket.send({ type: 'join' })
    const { ticket } = await socket.next('joined')
    await third.close()
    const { code, reason } = await socket.closed()
    expect(code).toBe(4001)
    expect(Number(reason)).toBeGreaterThanOrEqual(0)
    expect(Number(reason)).toBeLessThanOrEqual(30_000)
    const again = await openSocket(one.url, eventId, { token })
    again.send({ type: 'join', ticket })
    expect((await again.next('joined')).number).toBe(0)
  })
})
