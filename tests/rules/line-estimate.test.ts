// Holds what one person is told of the line: people ahead, an honest wait, the odds, why it jumped, when a reader speaks.
import { describe, expect, test } from 'bun:test'
import { oddsOf, peopleAhead, waitRange, type WaitRange } from '../../server/protocol/forecast.ts'
import { carriedOn, isTellable, middleOf, milestoneOf, sayWait } from '../../web/src/state/line-estimate.ts'
import { jumpReason, type ToldWait } from '../../web/src/state/line-reason.ts'

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
      [1_000, 0],
    ]
    expect(peopleAhead(900, { serving: 100, gone })).toBe(770)
    // Within a bucket leavers are evenly spread.
    expect(peopleAhead(150, { serving: 100, gone })).toBe(45)
    expect(peopleAhead(950, { serving: 100, gone })).toBe(795)
    expect(peopleAhead(1_200, { serving: 100, gone })).toBe(1_020)
  })

  test('are never fewer than none, whatever the buckets claim', () => {
    expect(peopleAhead(10, { serving: 5, gone: [[5, 1_000]] })).toBe(0)
  })
})

const width = (range: WaitRange | null) => range!.highMinutes / range!.lowMinutes
const told = (at: number, ahead: number, flow: number, seatsLeft = 50): ToldWait => ({
  at: at * 60_000,
  ahead,
  flow,
  seatsLeft,
  range: waitRange(ahead, { flow: [flow * 0.9, flow * 1.1] })!,
})

describe('the wait', () => {
  test('is not guessed while the pace is not known', () => {
    expect(waitRange(100, { flow: null })).toBeNull()
  })

  test('is a range around the pace, wider for few people, an unsure pace and a far horizon', () => {
    const sure = waitRange(1_000, { flow: [95, 105] })
    expect(sure!.lowMinutes).toBeLessThan(10)
    expect(sure!.highMinutes).toBeGreaterThan(10)
    expect(width(waitRange(1_000, { flow: [70, 140] }))).toBeGreaterThan(width(sure))
    expect(width(waitRange(3, { flow: [95, 105] }))).toBeGreaterThan(width(sure))
    expect(width(waitRange(10_000, { flow: [95, 105] }))).toBeGreaterThan(width(sure))
  })

  test('is shorter when people ahead give up', () => {
    const patient = middleOf(waitRange(1_000, { flow: [9, 11] })!)
    expect(middleOf(waitRange(1_000, { flow: [9, 11], leaving: 0.02 })!)).toBeLessThan(patient * 0.7)
  })

  test('is told once the pace is sure enough to plan with, and not doubted at once', () => {
    const long = { lowMinutes: 60, highMinutes: 360 }
    expect(isTellable(long, [2, 11], false)).toBe(false)
    expect(isTellable(long, [4, 12], false)).toBe(true)
    expect(isTellable(long, [3, 12], true)).toBe(true)
    expect(isTellable(long, [2, 14], true)).toBe(false)
    expect(isTellable({ lowMinutes: 0.1, highMinutes: 4 }, [2, 14], false)).toBe(true)
  })

  test('reads as a person would say it', () => {
    expect(sayWait({ lowMinutes: 0.2, highMinutes: 0.8 })).toBe('less than a minute')
    expect(sayWait({ lowMinutes: 0.6, highMinutes: 2.2 })).toBe('up to 3 minutes')
    expect(sayWait({ lowMinutes: 4.4, highMinutes: 6.7 })).toBe('4–7 minutes')
    expect(sayWait({ lowMinutes: 39, highMinutes: 102 })).toBe('30–110 minutes')
    expect(sayWait({ lowMinutes: 47, highMinutes: 170 })).toBe('40 minutes to 3 hours')
    expect(sayWait({ lowMinutes: 130, highMinutes: 200 })).toBe('2–4 hours')
  })
})

test('the odds are told by where the seats left will probably reach', () => {
  expect(oddsOf(99, [100, 200])).toBe('likely')
  expect(oddsOf(100, [100, 200])).toBe('uncertain')
  expect(oddsOf(200, [100, 200])).toBe('unlikely')
})

test('between frames the line is carried on at its slow end, and not for long', () => {
  expect(carriedOn(500, { flow: [60, 120] }, 5 / 60)).toBe(495)
  expect(carriedOn(500, { flow: [60, 120] }, 5)).toBe(490)
  expect(carriedOn(3, { flow: [60, 120] }, 1)).toBe(0)
  expect(carriedOn(500, { flow: null }, 1)).toBe(500)
})

describe('a wait that jumps', () => {
  test('says why: the line stood still, moves slower, faster, seats came back, people left', () => {
    const before = told(0, 1_000, 50)
    expect(jumpReason(before, told(5, 1_000, 50), true)).toBe('The line stood still for a while.')
    expect(jumpReason(before, told(1, 960, 30), false)).toBe('The line moves more slowly than before.')
    expect(jumpReason(before, told(1, 940, 80), false)).toBe('The line moves faster than before.')
    expect(jumpReason(before, told(1, 940, 80, 60), false)).toBe('Seats came back, and the line moves on.')
    expect(jumpReason(before, told(1, 700, 50), false)).toBe('People ahead of you left the line.')
  })

  test('is not one while it goes as it was said to', () => {
    expect(jumpReason(told(0, 1_000, 50), told(5, 750, 51), false)).toBeNull()
    expect(jumpReason(told(0, 20, 50), told(0.3, 15, 30), false)).toBeNull()
  })
})

test('a screen reader hears of milestones, not of every step', () => {
  expect(milestoneOf(760)).toBe(1_000)
  expect(milestoneOf(740)).toBe(1_000)
  expect(milestoneOf(500)).toBe(500)
  expect(milestoneOf(0)).toBe(0)
  expect(milestoneOf(1_000_000)).toBeNull()
})
