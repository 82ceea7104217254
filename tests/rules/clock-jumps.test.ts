// Holds how long something waits to the clock that nobody sets: an operator who puts the time right turns nobody away.
import { afterEach, expect, test } from 'bun:test'
import { createBatches } from '../../db/batches.ts'

const JUMP_MS = 45_000
const PATIENCE_MS = 4_000
const rightNow = Date.now
afterEach(() => {
  Date.now = rightNow
})

test('who waits for a batch is not sent away because the clock was set forward', async () => {
  const first = Promise.withResolvers<void>()
  const batches = createBatches<number, number>({
    name: 'the test',
    inFlightMax: 1,
    weightMax: 10,
    weigh: () => 1,
    waitingMax: 10,
    patienceMs: PATIENCE_MS,
    run: async (items) => {
      if (items.includes(1)) await first.promise
      return items
    },
  })
  const one = batches(1)
  const two = batches(2)
  Date.now = () => rightNow() + JUMP_MS
  first.resolve()
  expect(await Promise.all([one, two])).toEqual([1, 2])
})
