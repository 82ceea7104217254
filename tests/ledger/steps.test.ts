// Shows that the steps of a line are kept once, and that a new epoch starts from the latest of them.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { findRoomProgress, saveRoomProgress, startRoomEpoch } from '../../db/rooms.ts'
import { listSteps, saveSteps, type NewStep } from '../../db/steps.ts'
import { startApp, START_WITHIN_MS, type AppHarness } from '../support/app-harness.ts'

/** A second when the machine is its own. */
const SAVED_WITHIN_MS = 20_000

let app: AppHarness
beforeAll(async () => {
  app = await startApp()
}, START_WITHIN_MS)
afterAll(() => app.close(), START_WITHIN_MS)

const step = (epoch: number, seq: number, serving: number): NewStep => ({
  epoch,
  seq,
  serving,
  at: Date.now(),
  kind: 'called',
  called: 5,
  claimed: 3,
  noShows: 1,
  active: 3,
  detail: { by: 'rate' },
})

test('steps saved twice are there once, in order', async () => {
  const { db } = app.context.ledger
  const { eventId } = await app.event()
  await saveSteps(db, eventId, [step(1, 1, 5), step(1, 2, 10)])
  await saveSteps(db, eventId, [step(1, 2, 99), step(1, 3, 15)])
  await saveSteps(db, eventId, [])
  const kept = await listSteps(db, { eventId, limit: 10 })
  expect(kept.map(({ seq, serving }) => [seq, serving])).toEqual([
    [3, 15],
    [2, 10],
    [1, 5],
  ])
  expect(kept[0]!.detail).toEqual({ by: 'rate' })
})

test('a new epoch starts from the watermark of the latest step, or of what was saved when that is further', async () => {
  const { db } = app.context.ledger
  const { eventId } = await app.event()
  await saveRoomProgress(db, eventId, { epoch: 1, arrivals: 100, serving: 20 })
  await saveSteps(db, eventId, [step(1, 1, 30), step(1, 2, 40)])
  expect(await startRoomEpoch(db, eventId, 1_000)).toEqual({ epoch: 2, arrivals: 1_100, serving: 40 })
  await saveRoomProgress(db, eventId, { epoch: 2, arrivals: 1_100, serving: 60 })
  expect((await startRoomEpoch(db, eventId, 1_000)).serving).toBe(60)
  expect((await findRoomProgress(db, eventId))?.serving).toBe(60)
})

test('the holder of the clock keeps what the line wrote', async () => {
  const { db } = app.context.ledger
  const { eventId } = await app.event({ room: { doorSeconds: 0 } })
  await app.admit(await app.person(), eventId)
  const deadline = Date.now() + SAVED_WITHIN_MS
  let kept: Awaited<ReturnType<typeof listSteps>> = []
  // A call is told by whichever entry comes next: one of its own, or a change of the flow in the same second.
  const called = () => kept.reduce((sum, entry) => sum + entry.called, 0)
  while (called() === 0 && Date.now() < deadline) {
    await Bun.sleep(100)
    kept = await listSteps(db, { eventId, limit: 10 })
  }
  expect(called()).toBe(1)
  expect(kept.map(({ kind }) => kind)).toContain('opened')
})
