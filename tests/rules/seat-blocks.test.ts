// Holds the window's own reckoning with seats side by side: the nearest block, who is left alone, and the move that mends it.
import { describe, expect, test } from 'bun:test'
import type { MapView } from '../../server/protocol/http.ts'
import { expandMap } from '../../server/protocol/seat-map.ts'
import {
  hallOf,
  leftAlone,
  middleOf,
  nearestBlock,
  rowOf,
  shiftByOne,
} from '../../web/src/state/seat-blocks.ts'

const COUNT = 8
const straight = (label: string, y: number) => ({ label, count: COUNT, x: 1, y, dx: 1, dy: 0 })
const section = (id: number, top: number, kind: 'seated' | 'general' = 'seated') => ({
  id,
  name: `Section ${id}`,
  kind,
  tier: id,
  first: id * 3 * COUNT,
  seats: 3 * COUNT,
  box: [0, top, 10, 3] as [number, number, number, number],
  rows: kind === 'seated' ? [straight('A', top), straight('B', top + 1), straight('C', top + 2)] : [],
})
const map: MapView = {
  mapVersion: 1,
  total: 9 * COUNT,
  tiers: [0, 1, 2].map((tier) => ({ name: `Tier ${tier}`, price: { amount: 1_000, currency: 'EUR' } })),
  sections: [section(0, 5), section(1, 10), section(2, 15, 'general')],
  stage: [0, 0, 10, 2],
  width: 12,
  height: 20,
}
const hall = hallOf(map, expandMap(map))
const without = (...taken: number[]) => {
  const gone = new Set(taken)
  return (n: number) => !gone.has(n)
}
const anywhere = () => true

test('every seat of a seated section knows its row, and no place of a general area has one', () => {
  expect(rowOf(hall, 0)).toEqual({ first: 0, count: COUNT, section: 0 })
  expect(rowOf(hall, 3 * COUNT - 1)).toEqual({ first: 2 * COUNT, count: COUNT, section: 0 })
  expect(rowOf(hall, 3 * COUNT)?.section).toBe(1)
  expect(rowOf(hall, 6 * COUNT)).toBeNull()
})

const isEven = (n: number) => n % 2 === 0

describe('the nearest block', () => {
  test('is the one beside what was lost, in the same row when it can be', () => {
    const [behind, beside] = [middleOf(hall.positions, [10, 11]), middleOf(hall.positions, [11, 12])]
    expect(nearestBlock(hall, { size: 2, near: behind, isFree: without(10, 11), mayBe: anywhere })).toEqual([
      2, 3,
    ])
    expect(nearestBlock(hall, { size: 2, near: beside, isFree: without(10), mayBe: anywhere })).toEqual([
      11, 12,
    ])
  })

  test('never reaches around the end of a row, nor into a section that may not be', () => {
    const taken = Array.from({ length: 2 * COUNT }, (_, n) => n).filter((n) => n !== COUNT - 1 && n !== COUNT)
    const near = middleOf(hall.positions, [COUNT])
    const block = nearestBlock(hall, { size: 2, near, isFree: without(...taken), mayBe: (s) => s === 0 })
    expect(block).toHaveLength(2)
    expect(Math.min(...block!)).toBeGreaterThanOrEqual(2 * COUNT)
  })

  test('is null when there are not as many side by side', () => {
    expect(nearestBlock(hall, { size: 2, near: { x: 0, y: 0 }, isFree: isEven, mayBe: anywhere })).toBeNull()
    expect(
      nearestBlock(hall, { size: COUNT + 1, near: { x: 0, y: 0 }, isFree: anywhere, mayBe: anywhere }),
    ).toBeNull()
  })

  test('would rather be further than leave a seat alone', () => {
    // In row A the block nearest to seat 1 leaves seat 0 alone.
    const near = middleOf(hall.positions, [1, 2])
    expect(nearestBlock(hall, { size: 2, near, isFree: anywhere, mayBe: anywhere })).not.toEqual([1, 2])
  })
})

/** Three free seats in a row. */
const isOfThree = (n: number) => n >= 2 && n <= 4

describe('a choice', () => {
  test('that leaves one seat at the row’s end says which, and moving by one mends it', () => {
    expect(leftAlone(hall, [1, 2], anywhere)).toEqual([0])
    expect(shiftByOne(hall, [1, 2], anywhere)).toEqual({ seats: [0, 1], by: -1 })
    expect(shiftByOne(hall, [5, 6], without(2))).toEqual({ seats: [6, 7], by: 1 })
  })

  test('that leaves nobody alone is left as it is', () => {
    expect(leftAlone(hall, [0, 1], anywhere)).toEqual([])
    expect(shiftByOne(hall, [0, 1], anywhere)).toBeNull()
    expect(shiftByOne(hall, [2, 3], anywhere)).toBeNull()
  })

  test('that cannot be mended by one step is not nagged about', () => {
    // Three free seats for two: one is left alone whichever way.
    expect(leftAlone(hall, [2, 3], isOfThree)).toEqual([4])
    expect(shiftByOne(hall, [2, 3], isOfThree)).toBeNull()
  })

  test('of seats apart, or of none, is never moved', () => {
    expect(shiftByOne(hall, [1, 4], anywhere)).toBeNull()
    expect(shiftByOne(hall, [], anywhere)).toBeNull()
    // The end of one row and the beginning of the next are no block.
    expect(shiftByOne(hall, [COUNT - 1, COUNT], anywhere)).toBeNull()
  })
})
