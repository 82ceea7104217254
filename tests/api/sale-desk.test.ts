// Shows what whoever sells an event reads while it sells: attempts and refusals of every server, and the minutes behind.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'
import { eventually } from '../support/socket-client.ts'

/** Counts travel once a second, a sample is taken every five. */
const TOLD_MS = 5_000
const SAMPLED_MS = 10_000

let one: AppHarness
let other: AppHarness
beforeAll(async () => {
  one = await startApp({ rateLimit: false })
  other = await startApp({ rateLimit: false }, one)
}, START_WITHIN_MS)
afterAll(async () => {
  await other.close()
  await one.close()
}, START_WITHIN_MS)

test('attempts and the seats somebody else had are counted over all servers, and told by any', async () => {
  const { eventId, organizer, seatId } = await one.event()
  const [first, second, third] = await one.people(3)
  expect((await one.hold(first!, [seatId(3)])).status).toBe(201)
  expect((await one.hold(second!, [seatId(3)])).status).toBe(409)
  expect((await other.hold(third!, [seatId(3), seatId(4)])).status).toBe(409)
  // Refused for another reason: an attempt, and no conflict.
  const tooMany = Array.from({ length: 7 }, (_, n) => seatId(n + 5))
  expect((await other.hold(third!, tooMany)).status).toBe(422)

  const attempts = async (app: AppHarness) =>
    (await app.call('GET', `/event/${eventId}/stats`, { token: organizer.token })).body.data.attempts
  await eventually('all are counted', async () => (await attempts(one)).total === 4, TOLD_MS)
  expect(await attempts(one)).toEqual({ total: 4, conflicts: 2, errors: 0 })
  expect(await attempts(other)).toEqual({ total: 4, conflicts: 2, errors: 0 })
})

test('the curve is sampled once for all servers, and is its owner’s alone', async () => {
  const { eventId, organizer, seatId } = await one.event()
  const buyer = await one.person()
  const path = `/event/${eventId}/stats/history`
  const history = async (app: AppHarness) =>
    (await app.call('GET', path, { token: organizer.token })).body.data.items
  expect(await history(one)).toEqual([])
  expect(await history(other)).toEqual([])
  await other.hold(buyer, [seatId(0), seatId(1)])
  await eventually('a sample is taken', async () => (await history(one)).length > 0, SAMPLED_MS)
  const items = await history(other)
  expect(items.length).toBeLessThanOrEqual(2)
  expect(items.at(-1)).toMatchObject({
    waiting: 0,
    reserved: 2,
    sold: 0,
    attempts: 1,
    conflicts: 0,
    revenue: 0,
  })
  expect((await one.call('GET', path, { token: (await one.person('ORGANIZER')).token })).status).toBe(403)
})
