// Owns the best block of each size in every row, worked out again only where a seat was taken or given back.
import type { FreeSeats } from './free-seats.ts'
import { STANDARD, type Row } from './hall.ts'

/** Sizes and rules kept at once; each is twelve bytes a row. */
const SHAPES_MAX = 24

/** Of every row, by its index in the hall: NaN = not known; Infinity = the row has no such block. */
interface Shape {
  cost: Float64Array
  at: Int32Array
}

export class RowBlocks {
  #shapes = new Map<string, Shape>()
  /** The longest run of free standard seats; −1 = not known. */
  #longest: Int32Array

  constructor(readonly free: FreeSeats) {
    this.#longest = new Int32Array(free.hall.rows.length).fill(-1)
    free.onRowChanged = (row) => {
      this.#longest[row] = -1
      for (const { cost } of this.#shapes.values()) cost[row] = Number.NaN
    }
  }

  /** Sum of the distances of the row's best block of `size` standard seats; Infinity when it has none. */
  cost(row: number, size: number, orphans: boolean): number {
    const { cost, at } = this.#shape(size, orphans)
    if (Number.isNaN(cost[row])) {
      const best = this.longest(row) < size ? null : bestInRow(this.free, row, size, orphans)
      cost[row] = best?.cost ?? Infinity
      at[row] = best?.at ?? -1
    }
    return cost[row]!
  }

  /** Of a row whose cost is finite: where that block begins. */
  at(row: number, size: number, orphans: boolean): number {
    return this.#shape(size, orphans).at[row]!
  }

  longest(row: number): number {
    if (this.#longest[row]! < 0) this.#longest[row] = longestRun(this.free, this.free.hall.rows[row]!)
    return this.#longest[row]!
  }

  #shape(size: number, orphans: boolean): Shape {
    const key = `${size}${orphans ? 'o' : ''}`
    const known = this.#shapes.get(key)
    if (known) return known
    const rows = this.free.hall.rows.length
    const shape = { cost: new Float64Array(rows).fill(Number.NaN), at: new Int32Array(rows) }
    if (this.#shapes.size >= SHAPES_MAX) this.#shapes.delete(this.#shapes.keys().next().value!)
    this.#shapes.set(key, shape)
    return shape
  }
}

/** Free, and kept for nobody. */
const isOpen = (free: FreeSeats, n: number) => free.hall.access[n] === STANDARD && free.isFree(n)

function longestRun(free: FreeSeats, { first, count }: Row): number {
  let [longest, run] = [0, 0]
  for (let n = first; n < first + count; n++) {
    run = isOpen(free, n) ? run + 1 : 0
    if (run > longest) longest = run
  }
  return longest
}

function bestInRow(free: FreeSeats, row: number, size: number, orphans: boolean) {
  const { distance, rows } = free.hall
  const { first, count } = rows[row]!
  const end = first + count
  let best: { at: number; cost: number } | null = null
  for (let from = first; from < end;) {
    if (!isOpen(free, from)) {
      from += 1
      continue
    }
    let to = from + 1
    while (to < end && isOpen(free, to)) to += 1
    let cost = 0
    for (let n = from; n < Math.min(from + size, to); n++) cost += distance[n]!
    for (let at = from; at + size <= to; at++) {
      if (at > from) cost += distance[at + size - 1]! - distance[at - 1]!
      if (!orphans && leavesAlone(at - from, to - at - size)) continue
      if (!best || cost < best.cost) best = { at, cost }
    }
    from = to
  }
  return best
}

/**
 * Whether so many free seats left and right are, or end in, one alone: two odd rests come down to two orphans once pairs
 * have bought the others, where one even rest would have come down to none.
 */
const leavesAlone = (left: number, right: number) =>
  left === 1 || right === 1 || (left % 2 === 1 && right % 2 === 1)
