// Shows a small sale whose Redis is emptied in the midst of it: nothing sold twice, nothing worse than a stated 503,
// and the cache of the seats whole again within five seconds.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { runAudit } from '../../db/audit.ts'
import { listEventsToReconcile, reconcileSeats } from '../../db/seat-gate/reconcile.ts'
import { seatStatusKey } from '../../db/seat-gate/keys.ts'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'

const BUYERS = 60
const SEATS = 20
const ROUNDS = 6
const EMPTIED_AFTER = [40, 110, 170]
const WHOLE_WITHIN_MS = 5_000
/** As the worker does. */
const RECONCILE_EVERY_MS = 2_000

let one: AppHarness
let two: AppHarness
beforeAll(async () => {
  one = await startApp({ rateLimit: false })
  two = await startApp({ rateLimit: false, serverIndex: 1 }, one)
}, START_WITHIN_MS)
afterAll(async () => {
  await two.close()
  await one.close()
}, START_WITHIN_MS)

test('FLUSHALL in the midst of a sale sells nothing twice and tells nobody more than 503', async () => {
  const { eventId, seatId } = await one.event()
  const buyers = await one.people(BUYERS)
  const { db } = one.context.ledger
  const { redis } = one.context
  const worker = setInterval(
    () => void reconcileSeats({ db, redis }, eventId).catch(() => {}),
    RECONCILE_EVERY_MS,
  )
  const statuses = new Map<number, number>()
  const won = new Map<string, string>()
  let asked = 0
  let emptiedAt = 0
  await Promise.all(
    buyers.map(async (buyer, b) => {
      for (let round = 0; round < ROUNDS; round++) {
        await Bun.sleep(Math.random() * 30)
        if (EMPTIED_AFTER.includes(++asked)) {
          await redis.flushdb()
          emptiedAt = performance.now()
        }
        const seat = seatId((b * 7 + round * 3) % SEATS)
        const answer = await [one, two][asked % 2]!.hold(buyer, [seat])
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        if (answer.status !== 201) continue
        expect(won.has(seat)).toBe(false)
        won.set(seat, buyer.accountId)
      }
    }),
  )
  expect([...statuses.keys()].filter((status) => status >= 500 && status !== 503)).toEqual([])
  expect(won.size).toBe(SEATS)
  expect(await listEventsToReconcile(db)).toContain(eventId)

  const keys = Array.from({ length: SEATS }, (_, n) => seatStatusKey(eventId, n))
  const missing = async () => (await redis.exists(...keys)) < SEATS
  while ((await missing()) && performance.now() - emptiedAt < WHOLE_WITHIN_MS) await Bun.sleep(50)
  expect(await missing()).toBe(false)
  clearInterval(worker)
  expect((await redis.mget(keys)).filter((cached) => !cached?.startsWith('RESERVED'))).toEqual([])
  const findings = await runAudit({ db, redis })
  expect(findings.filter(({ ok }) => !ok)).toEqual([])
}, 60_000)
