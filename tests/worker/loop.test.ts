// Shows that a loop outlives its failures, says them seldom, and stops between rounds.
import { expect, test } from 'bun:test'
import { createLog } from '../../worker/log.ts'
import { startLoop } from '../../worker/loop.ts'
import { createTelemetry } from '../../worker/telemetry.ts'
import { eventually } from './eventually.ts'

function listening() {
  const lines: string[] = []
  return { lines, telemetry: createTelemetry(createLog('info', (line) => void lines.push(line))) }
}

test('a failing round is said once, the loop goes on and says when it works again', async () => {
  const { lines, telemetry } = listening()
  let rounds = 0
  const loop = startLoop(telemetry, {
    name: 'weather',
    paceMs: 1,
    round: async () => {
      rounds += 1
      if (rounds <= 3) throw new Error('the store is away, write to ops@onsale.test')
    },
  })
  await eventually(() => rounds > 5)
  await loop.stop()
  expect(lines.filter((line) => line.includes('round_failed'))).toHaveLength(1)
  expect(lines.filter((line) => line.includes('round_recovered'))).toHaveLength(1)
  expect(lines.join('')).not.toContain('ops@onsale.test')
})

test('a round that found a full batch is followed by the next at once, but not for ever', async () => {
  const { telemetry } = listening()
  let rounds = 0
  const loop = startLoop(telemetry, {
    name: 'heap',
    paceMs: 60_000,
    round: async () => {
      rounds += 1
      return true
    },
  })
  await eventually(() => rounds === 20)
  await Bun.sleep(20)
  expect(rounds).toBe(20)
  await loop.stop()
})

test('stopping waits for the round under way and starts no other', async () => {
  const { telemetry } = listening()
  const entered = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  let finished = 0
  const loop = startLoop(telemetry, {
    name: 'slow',
    paceMs: 1,
    round: async () => {
      entered.resolve()
      await release.promise
      finished += 1
    },
  })
  await entered.promise
  const stopped = loop.stop()
  release.resolve()
  await stopped
  await Bun.sleep(10)
  expect(finished).toBe(1)
})
