// Holds what one person is told of the line: people ahead, an honest wait, and when a screen reader speaks.
import { describe, expect, test } from 'bun:test'
import { milestoneOf, peopleAhead, sayWait, waitRange } from '../../web/src/state/line-estimate.ts'

describe('people ahead', () => {
  test('are the places between the watermark and ours', () => {
    expect(peopleAhead(500, { serving: 120, gone: [] })).toBe(380)
    expect(peopleAhead(120, { serving: 120, gone: [] })).toBe(0)
    expect(peopleAhead(5, { serving: 120, gone: [] })).toBe(0)
  })

  test('do not count who left before us, and do count who left behind us', () => {
    const gone: [number, number][] = [
      [100, 10],
      [200, 20],
      [900, 50],
    ]
    expect(peopleAhead(500, { serving: 100, gone })).toBe(370)
  })

  test('are never fewer than none, whatever the buckets claim', () => {
    expect(peopleAhead(10, { serving: 5, gone: [[5, 1_000]] })).toBe(0)
  })
})

describe('the wait', () => {
  test('is not guessed while nobody is let in', () => {
    expect(waitRange(100, 0)).toBeNull()
  })

  test('is a range around the pace, wider when few are let in', () => {
    const busy = waitRange(999, 1_000)
    const slow = waitRange(9, 10)
    expect(busy?.lowMinutes).toBeLessThan(1)
    expect(busy?.highMinutes).toBeGreaterThan(1)
    const width = (range: typeof busy) => (range ? range.highMinutes - range.lowMinutes : 0)
    expect(width(slow)).toBeGreaterThan(width(busy))
  })

  test('reads as a person would say it', () => {
    expect(sayWait({ lowMinutes: 0.2, highMinutes: 0.8 })).toBe('less than a minute')
    expect(sayWait({ lowMinutes: 0.6, highMinutes: 2.2 })).toBe('up to 3 minutes')
    expect(sayWait({ lowMinutes: 4.4, highMinutes: 6.7 })).toBe('about 4 to 7 minutes')
    expect(sayWait({ lowMinutes: 39, highMinutes: 102 })).toBe('about 30 to 110 minutes')
    expect(sayWait({ lowMinutes: 130, highMinutes: 200 })).toBe('about 2 to 4 hours')
  })
})

test('a screen reader hears of milestones, not of every step', () => {
  expect(milestoneOf(760)).toBe(1_000)
  expect(milestoneOf(740)).toBe(1_000)
  expect(milestoneOf(500)).toBe(500)
  expect(milestoneOf(0)).toBe(0)
  expect(milestoneOf(1_000_000)).toBeNull()
})
