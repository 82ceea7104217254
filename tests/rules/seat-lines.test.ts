// Holds the list of a section to its promise: what is in sight is there once, in its place, and nothing else is.
import { expect, test } from 'bun:test'
import type { MapSection } from '../../server/protocol/http.ts'
import { CELL_PX, GAP_PX, SeatLines } from '../../web/src/state/seat-lines.ts'

const FIRST = 1_000
function aSection(counts: number[]): MapSection {
  return {
    id: 1,
    name: 'Stalls',
    kind: 'seated',
    tier: 0,
    first: FIRST,
    seats: counts.reduce((sum, count) => sum + count, 0),
    box: [0, 0, 10, 10],
    rows: counts.map((count, row) => ({ label: `${row}`, count, x: 0, y: row, dx: 1, dy: 0 })),
  }
}
const COUNTS = [1, 30, 7, 12, 1_000, 3]
const section = aSection(COUNTS)
const WIDTH = 6 * (CELL_PX + GAP_PX)

test('as many cells stand in a line as fit', () => {
  expect(new SeatLines(section, WIDTH).columns).toBe(6)
  expect(new SeatLines(section, WIDTH - GAP_PX).columns).toBe(6)
  expect(new SeatLines(section, 10).columns).toBe(1)
})

test('looked at from top to bottom every seat is there exactly once', () => {
  const lines = new SeatLines(section, WIDTH)
  const all = lines.between(0, lines.height, null).flatMap(({ seats }) => seats.map(({ n }) => n))
  expect(all).toEqual(Array.from({ length: section.seats }, (_, i) => FIRST + i))
})

test('a window on a million seats costs what is in it', () => {
  const huge = aSection(Array.from({ length: 1_000 }, () => 1_000))
  const lines = new SeatLines(huge, WIDTH)
  const rows = lines.between(lines.height / 2, lines.height / 2 + 900, null)
  const cells = rows.flatMap(({ seats }) => seats)
  expect(cells.length).toBeLessThanOrEqual(lines.columns * (Math.ceil(900 / (CELL_PX + GAP_PX)) + 2))
  for (const { row, top, seats } of rows)
    for (const { n, top: within } of seats) {
      expect(lines.rowOf(n)).toBe(row)
      expect(top + within).toBeCloseTo(lines.topOf(n))
    }
})

test('the seat the keyboard stands on is always there, and never twice', () => {
  const lines = new SeatLines(section, WIDTH)
  for (const n of [FIRST, FIRST + 5, FIRST + 500, FIRST + section.seats - 1])
    for (const from of [0, 400, lines.height - 300]) {
      const cells = lines.between(from, from + 300, n).flatMap(({ seats }) => seats.map((seat) => seat.n))
      expect(cells.filter((cell) => cell === n)).toHaveLength(1)
      expect(new Set(cells).size).toBe(cells.length)
    }
})

test('a section without rows has no lines', () => {
  expect(new SeatLines(aSection([]), WIDTH).between(0, 1_000, null)).toEqual([])
})
