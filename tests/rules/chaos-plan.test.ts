// The schedule of the fault bench: each fault strikes once, and no two that undo each other strike together.
import { expect, test } from 'bun:test'
import { describeFault, KINDS, planBlows, planFaults } from '../../dev/chaos/plan.ts'

const COUNT = 200
const plan = (seed: number) => planFaults(seed, { count: COUNT, kinds: KINDS, servers: 2 })
const words = (faults: ReturnType<typeof plan>) => faults.map(describeFault).toSorted()

test('a seed gives the same faults again, another seed others', () => {
  expect(plan(1)).toEqual(plan(1))
  expect(plan(1)).not.toEqual(plan(2))
})

test.each([1, 2, 3])('of %d at once each fault strikes in one blow', (together) => {
  const faults = plan(7)
  const blows = planBlows(faults, together)
  expect(words(blows.flat())).toEqual(words(faults))
  const sizes = blows.map(({ length }) => length)
  expect(Math.max(...sizes)).toBe(together)
  // Only the last ones may lack a partner.
  expect(sizes.filter((size) => size < together).length).toBeLessThan(COUNT / 10)
})

test('what would undo each other is not together', () => {
  for (const blow of planBlows(plan(11), 3)) {
    const pairs = blow.flatMap((fault) => ('pair' in fault ? [fault.pair] : []))
    expect(new Set(pairs).size).toBe(pairs.length)
    for (const name of ['server', 'worker', 'redis', 'postgres', 'backend', 'disk', 'clock'])
      expect(blow.filter(({ kind }) => kind.startsWith(`${name}-`)).length).toBeLessThanOrEqual(1)
  }
})
