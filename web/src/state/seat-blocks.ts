// Decides about seats side by side: which block is nearest to a point, what a choice leaves alone, and how to mend it.
// No state and no words of its own: the seats' codes and places come in.
import type { MapView } from '../../../server/protocol/http.ts'

/** Seats first … first + count − 1 are neighbours in one row. */
export interface SeatRow {
  first: number
  count: number
  section: number
}

export interface Hall {
  map: MapView
  positions: Float32Array
  rows: readonly SeatRow[]
}

/** A seat left alone costs a block as much as being so many pitches further away. */
const ORPHAN_COST = 6

export function hallOf(map: MapView, positions: Float32Array): Hall {
  const rows: SeatRow[] = []
  for (const [section, { kind, first, rows: own }] of map.sections.entries()) {
    if (kind !== 'seated') continue
    let n = first
    for (const { count } of own) {
      rows.push({ first: n, count, section })
      n += count
    }
  }
  return { map, positions, rows }
}

/** The row of a seat; null in an area without numbers. */
export function rowOf({ rows }: Hall, n: number): SeatRow | null {
  let low = 0
  let high = rows.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const row = rows[middle]
    if (!row) return null
    if (n < row.first) high = middle - 1
    else if (n >= row.first + row.count) low = middle + 1
    else return row
  }
  return null
}

export interface BlockWish {
  size: number
  /** The point to be near to, in seat pitches. */
  near: { x: number; y: number }
  isFree: (n: number) => boolean
  /** Sections that may be looked at. */
  mayBe: (section: number) => boolean
}

/** The free block of neighbours nearest to a point, preferring one that leaves no seat alone. Null when there is none. */
export function nearestBlock(hall: Hall, { size, near, isFree, mayBe }: BlockWish): number[] | null {
  let best: { at: number; cost: number } | null = null
  for (const row of hall.rows) {
    if (row.count < size || !mayBe(row.section)) continue
    const end = row.first + row.count
    for (let from = row.first; from < end;) {
      if (!isFree(from)) {
        from += 1
        continue
      }
      let to = from + 1
      while (to < end && isFree(to)) to += 1
      for (let at = from; at + size <= to; at += 1) {
        const alone = (at - from === 1 ? 1 : 0) + (to - at - size === 1 ? 1 : 0)
        const cost = distanceTo(hall.positions, at, size, near) + alone * ORPHAN_COST
        if (!best || cost < best.cost) best = { at, cost }
      }
      from = to
    }
  }
  return best && blockAt(best.at, size)
}

/** From the middle of a block of seats to a point. */
function distanceTo(
  positions: Float32Array,
  at: number,
  size: number,
  near: { x: number; y: number },
): number {
  const last = at + size - 1
  const x = ((positions[2 * at] ?? 0) + (positions[2 * last] ?? 0)) / 2
  const y = ((positions[2 * at + 1] ?? 0) + (positions[2 * last + 1] ?? 0)) / 2
  return Math.hypot(x - near.x, y - near.y)
}

export function middleOf(positions: Float32Array, seats: readonly number[]): { x: number; y: number } {
  const sum = (axis: number) => seats.reduce((all, n) => all + (positions[2 * n + axis] ?? 0), 0)
  return { x: sum(0) / Math.max(1, seats.length), y: sum(1) / Math.max(1, seats.length) }
}

/** Free seats that the choice would leave with no free neighbour: hard to sell to anybody but who comes alone. */
export function leftAlone(hall: Hall, chosen: readonly number[], isFree: (n: number) => boolean): number[] {
  const mine = new Set(chosen)
  const alone = new Set<number>()
  for (const n of chosen) {
    const row = rowOf(hall, n)
    if (!row) continue
    const open = (seat: number) =>
      seat >= row.first && seat < row.first + row.count && isFree(seat) && !mine.has(seat)
    for (const seat of [n - 1, n + 1]) if (open(seat) && !open(seat - 1) && !open(seat + 1)) alone.add(seat)
  }
  return [...alone]
}

/**
 * The same number of seats moved by one along their row so that fewer are left alone; null when the choice is not one
 * block, or no such move helps.
 */
export function shiftByOne(
  hall: Hall,
  chosen: readonly number[],
  isFree: (n: number) => boolean,
): { seats: number[]; by: -1 | 1 } | null {
  const sorted = chosen.toSorted((a, b) => a - b)
  const [first] = sorted
  if (first === undefined || sorted.some((n, index) => n !== first + index)) return null
  const row = rowOf(hall, first)
  if (!row || sorted.length > row.count || first + sorted.length > row.first + row.count) return null
  const now = leftAlone(hall, sorted, isFree).length
  if (now === 0) return null
  for (const by of [-1, 1] as const) {
    const moved = sorted.map((n) => n + by)
    const fits = moved.every((n) => n >= row.first && n < row.first + row.count && isFree(n))
    if (fits && leftAlone(hall, moved, isFree).length < now) return { seats: moved, by }
  }
  return null
}

const blockAt = (at: number, size: number) => Array.from({ length: size }, (_, i) => at + i)
