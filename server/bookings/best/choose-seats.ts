// Decides which seats are the best that can be had: together, near the stage, and without leaving one seat alone.
//
// Rows are looked at from the stage backwards, and no further than the best block found so far. Of two blocks the one
// that leaves no orphan (a single free seat between taken ones or at a row's end) wins, however near the other is: an
// orphan is sold to nobody but a person who comes alone.
import type { Hall, Row } from './hall.ts'

export interface Wish {
  quantity: number
  tier?: string
  section?: string
  /** All next to each other; otherwise in as few and as good groups as there are. */
  together: boolean
}

/** Rows are shared out among the choosers, so that two of them do not fight for the same seats while others are free. */
export interface Lane {
  index: number
  of: number
}

export type Choice = { seats: number[] } | { none: 'sold_out' | 'seats_not_together' | 'not_found' }

/** `isFree(n)` is asked of seats 0 … total − 1 only. Seats come in ascending order. */
export function chooseSeats(hall: Hall, isFree: (n: number) => boolean, wish: Wish, lane: Lane): Choice {
  const rows = hall.rows.filter(
    (row) => (wish.tier ?? row.tier) === row.tier && (wish.section ?? row.section) === row.section,
  )
  if (rows.length === 0) return { none: 'not_found' }
  const search = { hall, rows, isFree, lane }
  const block = findBlock(search, wish.quantity)
  if (block) return { seats: block }
  if (wish.together) return { none: findBlock(search, 1) === null ? 'sold_out' : 'seats_not_together' }
  return gather(search, wish.quantity)
}

interface Search {
  hall: Hall
  rows: Row[]
  isFree(n: number): boolean
  lane: Lane
}
interface Block {
  seats: number[]
  cost: number
}

/** The largest groups first, each the best of its size. */
function gather(search: Search, quantity: number): Choice {
  const taken = new Set<number>()
  const left = { ...search, isFree: (n: number) => !taken.has(n) && search.isFree(n) }
  let size = quantity
  while (taken.size < quantity && size > 0) {
    size = Math.min(size, quantity - taken.size)
    const block = findBlock(left, size)
    if (block) for (const n of block) taken.add(n)
    else size -= 1
  }
  return taken.size < quantity ? { none: 'sold_out' } : { seats: [...taken].toSorted((a, b) => a - b) }
}

/** In the own lane without an orphan, then in any, then with one where it cannot be avoided. */
function findBlock(search: Search, size: number): number[] | null {
  const { rows, lane } = search
  const own = lane.of > 1 ? rows.filter((_, i) => i % lane.of === lane.index) : rows
  const among = (list: Row[], orphans: boolean) => findIn(search, list, size, orphans)
  return (
    among(own, false) ??
    (own === rows ? null : among(rows, false)) ??
    among(own, true) ??
    (own === rows ? null : among(rows, true))
  )
}

function findIn(search: Search, rows: Row[], size: number, orphans: boolean): number[] | null {
  let best: Block | null = null
  for (const row of rows) {
    if (best && row.nearest * size >= best.cost) break
    const block: Block | null = row.general
      ? anyPlaces(search, row, size)
      : bestInRow(search, row, size, orphans)
    if (block && (!best || block.cost < best.cost)) best = block
  }
  return best?.seats ?? null
}

function bestInRow({ hall, isFree }: Search, row: Row, size: number, orphans: boolean): Block | null {
  const end = row.first + row.count
  let best: { at: number; cost: number } | null = null
  for (let from = row.first; from < end;) {
    if (!isFree(from)) {
      from += 1
      continue
    }
    let to = from + 1
    while (to < end && isFree(to)) to += 1
    for (let at = from; at + size <= to; at++) {
      if (!orphans && (at - from === 1 || to - at - size === 1)) continue
      let cost = 0
      for (let n = at; n < at + size; n++) cost += hall.distance[n]!
      if (!best || cost < best.cost) best = { at, cost }
    }
    from = to
  }
  if (!best) return null
  const { at, cost } = best
  return { seats: Array.from({ length: size }, (_, i) => at + i), cost }
}

/** The first free places after the lane's own beginning; one place is as good as another. */
function anyPlaces({ isFree, lane }: Search, row: Row, size: number): Block | null {
  const begin = Math.floor((row.count * lane.index) / lane.of)
  const seats: number[] = []
  for (let i = 0; i < row.count && seats.length < size; i++) {
    const n = row.first + ((begin + i) % row.count)
    if (isFree(n)) seats.push(n)
  }
  if (seats.length < size) return null
  return { seats: seats.toSorted((a, b) => a - b), cost: row.nearest * size }
}
