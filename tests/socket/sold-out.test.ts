// Shows on a real server that everybody hears of the last seat within two seconds, and that the line lives for returns.
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { releaseBooking } from '../../db/bookings/release-booking.ts'
import { gateOf } from '../../server/bookings/gate.ts'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'
import { closeSockets, openSocket } from '../support/socket-client.ts'

const WITHIN_MS = 2_000
const ROOM = { enabled: true, activeMax: 3, doorSeconds: 30, passSeconds: 600, graceSeconds: 60 }
const SEATS = [{ name: 'Stalls', tier: { name: 'Standard', price: 2_500 }, rows: 1, seatsPerRow: 2 }]

let app: AppHarness
beforeAll(async () => {
  app = await startApp({ rateLimit: false })
}, START_WITHIN_MS)
afterEach(closeSockets)
afterAll(() => app.close(), START_WITHIN_MS)

/** Joins in this order; each is in the line before the next. */
async function line(eventId: string, count: number) {
  const people = await app.people(count)
  const sockets = []
  for (const { token } of people) {
    const socket = await openSocket(app.url, eventId, { token })
    socket.send({ type: 'join' })
    await socket.next('joined')
    sockets.push(socket)
  }
  return { people, sockets }
}

test('the last seat sold is a phase everybody hears, and a returned seat is the next one’s turn, within two seconds', async () => {
  const { eventId, seatId, organizer } = await app.event({
    room: ROOM,
    sections: SEATS,
    maxSeatsPerBooking: 2,
  })
  const { people, sockets } = await line(eventId, 4)
  const visitor = await openSocket(app.url, eventId)
  const [first, second, third, fourth] = sockets
  await first!.next('turn')
  first!.send({ type: 'claim' })
  const { pass } = await first!.next('admitted')
  // Two seats serve two people, by what people usually take; the others wait for what is left.
  await second!.next('turn')
  second!.send({ type: 'leave' })
  await second!.next('ended')

  const booking = await app.hold(people[0]!, [seatId(0), seatId(1)], { 'x-admission-pass': pass })
  expect(booking.status).toBe(201)
  const { id } = booking.body.data
  const waiting = [third!, fourth!].filter((socket) => !socket.has('turn'))
  for (const socket of [third!, fourth!]) if (socket.has('turn')) socket.send({ type: 'leave' })

  const paid = await app.call('POST', `/payment/${id}/confirm`, {
    token: people[0]!.token,
    body: { method: 'sandbox_ok' },
  })
  expect(paid.status).toBeLessThan(300)
  const soldAt = Date.now()
  await Promise.all(
    [visitor, ...waiting].map((socket) =>
      socket.next('room', ({ phase }) => phase === 'sold_out', WITHIN_MS),
    ),
  )
  const toldMs = Date.now() - soldAt
  expect(waiting.length).toBeGreaterThan(0)
  for (const socket of waiting) expect(socket.has('ended')).toBe(false)

  const refund = await app.call('POST', `/payment/${id}/refund`, {
    token: organizer.token,
    body: { reason: 'returned', seatIds: [seatId(0)] },
  })
  expect(refund.status).toBeLessThan(300)
  const returnedAt = Date.now()
  await waiting[0]!.next('turn', () => true, WITHIN_MS)
  const calledMs = Date.now() - returnedAt
  await visitor.next('room', ({ phase }) => phase === 'open', WITHIN_MS)
  console.log(`sold out told to all after ${toldMs} ms, a returned seat's next turn after ${calledMs} ms`)
})

test('a released hold of the last seat calls the next within two seconds', async () => {
  const { eventId, seatId } = await app.event({ room: ROOM, sections: SEATS, maxSeatsPerBooking: 2 })
  const { people, sockets } = await line(eventId, 1)
  await sockets[0]!.next('turn')
  sockets[0]!.send({ type: 'claim' })
  const { pass } = await sockets[0]!.next('admitted')
  const held = await app.hold(people[0]!, [seatId(0), seatId(1)], { 'x-admission-pass': pass })
  expect(held.status).toBe(201)
  await sockets[0]!.next('line', ({ seatsLeft }) => seatsLeft === 0)
  const { sockets: later } = await line(eventId, 2)
  const released = await releaseBooking(gateOf(app.context), {
    bookingId: held.body.data.id,
    accountId: people[0]!.accountId,
  })
  expect(released.ok).toBe(true)
  const releasedAt = Date.now()
  await later[0]!.next('turn', () => true, WITHIN_MS)
  console.log(`a released seat's next turn after ${Date.now() - releasedAt} ms`)
})

test('whoever claims beyond the free passes is told to be next, and goes in when one is free', async () => {
  const { eventId, organizer } = await app.event({ room: ROOM })
  const { sockets } = await line(eventId, 2)
  for (const socket of sockets) await socket.next('turn')
  await app.call('PUT', `/event/${eventId}/room`, { token: organizer.token, body: { ...ROOM, activeMax: 1 } })
  sockets[0]!.send({ type: 'claim' })
  await sockets[0]!.next('admitted')
  sockets[1]!.send({ type: 'claim' })
  expect(await sockets[1]!.next('turn', ({ claimed }) => claimed === true)).toBeDefined()
  expect(sockets[1]!.has('admitted')).toBe(false)
  sockets[0]!.send({ type: 'leave' })
  await sockets[1]!.next('admitted', () => true, WITHIN_MS)
})
