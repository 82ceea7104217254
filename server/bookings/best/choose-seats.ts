// Decides which seats are the best that can be had: together, near the stage, and without leaving one seat alone.
//
// Of two blocks the one that leaves no orphan (a single free seat between taken ones or at a row's end) wins, however
// near the other is: an orphan is sold to nobody but a person who comes alone. Seats kept for who needs them are walls
// to everybody else; `accessible.ts` chooses among them.
import { accessibleBlock, accessibleLeft } from './accessible.ts'
import { PLACES_PER_BLOCK, type FreeSeats } from './free-seats.ts'
import type { Hall, Row } from './hall.ts'
import { RowBlocks } from './row-blocks.ts'

export interface Wish {
  quantity: number
  tier?: string
  section?: string
  /** All next to each other; otherwise in as few and as good groups as there are. */
  together: boolean
  accessible?: boolean
}

/** Rows are shared out among the choosers, so that two of them do not fight for the same seats while others are free. */
export interface Lane {
  index: number
  of: number
  /** Seats that holds under way here ask for: others have about as many under way, of the best of their rows. */
  underWay: number
}

export type Choice =
  | { seats: number[] }
  /** `kept`: seats are left, for who needs them. */
  | { none: 'sold_out' | 'seats_not_together' | 'not_found' | 'kept' }

/** Filters whose rows are kept in mind: sections and tiers people ask for. */
const FILTERS_MAX = 256

export class Chooser {
  readonly free: FreeSeats
  #blocks: RowBlocks
  #filtered = new Map<string, Search['rows']>()

  constructor(free: FreeSeats) {
    this.free = free
    this.#blocks = new RowBlocks(free)
  }

  /** Seats in ascending order, or why there are none. */
  choose(wish: Wish, lane: Lane): Choice {
    const rows = this.#rowsOf(wish, lane)
    if (rows.all.length === 0) return { none: 'not_found' }
    const search = { hall: this.free.hall, free: this.free, blocks: this.#blocks, rows, lane }
    return wish.accessible ? chooseAccessible(search, wish) : chooseOrdinary(search, wish)
  }

  /** Whether these are of rows that another chooser sells, too. */
  entersOthers(seats: number[], { index, of }: Omit<Lane, 'underWay'>): boolean {
    const { rows, rowOf } = this.free.hall
    const { general, turn } = rows[rowOf[seats[0]!]!]!
    return !general && turn % of !== index
  }

  #rowsOf({ section, tier }: Wish, lane: Lane): Search['rows'] {
    const key = JSON.stringify([section, tier, lane.index, lane.of])
    const known = this.#filtered.get(key)
    if (known) return known
    const all = this.free.hall.rows.flatMap((row, i) =>
      (tier ?? row.tier) === row.tier && (section ?? row.section) === row.section ? [i] : [],
    )
    const rowAt = (i: number) => this.free.hall.rows[i]!
    const isOwn = (i: number) => rowAt(i).general || rowAt(i).turn % lane.of === lane.index
    const rows = {
      all,
      own: all.filter(isOwn),
      others: all.filter((i) => !isOwn(i)),
      accessible: all.filter((i) => rowAt(i).accessible),
    }
    // Names that no row has are not kept: anybody may think them up.
    if (all.length > 0 && this.#filtered.size < FILTERS_MAX) this.#filtered.set(key, rows)
    return rows
  }
}

export interface Search {
  hall: Hall
  free: FreeSeats
  blocks: RowBlocks
  /** Indexes of rows, nearest first. */
  rows: { all: number[]; own: number[]; others: number[]; accessible: number[] }
  lane: Lane
}

function chooseOrdinary(search: Search, { quantity, together }: Wish): Choice {
  const block = findBlock(search, quantity)
  if (block) return { seats: block }
  if (together && findBlock(search, 1)) return { none: 'seats_not_together' }
  const seats = together ? null : gather(search, quantity)
  if (seats) return { seats }
  return { none: accessibleLeft(search) ? 'kept' : 'sold_out' }
}

/** Apart: the largest group with an accessible seat in it, and the rest wherever there is room. */
function chooseAccessible(search: Search, { quantity, together }: Wish): Choice {
  for (let size = quantity; size >= (together ? quantity : 1); size--) {
    const block = accessibleBlock(search, size)
    if (!block) continue
    const rest = search.free.without(block, () => gather(search, quantity - size))
    if (rest) return { seats: [...block, ...rest].toSorted((a, b) => a - b) }
  }
  return { none: together && accessibleBlock(search, 1) ? 'seats_not_together' : 'sold_out' }
}

/** The largest groups first, each the best of its size; null when there are not so many seats. */
function gather(search: Search, quantity: number): number[] | null {
  const { rows, hall, blocks, free } = search
  const roomIn = (i: number) => (hall.rows[i]!.general ? free.inRow[i]! : blocks.longest(i))
  const taken: number[] = []
  let size = rows.all.reduce((most, i) => Math.max(most, roomIn(i)), 0)
  while (taken.length < quantity && size > 0) {
    size = Math.min(size, quantity - taken.length)
    const block = free.without(taken, () => findBlock(search, size))
    if (block) taken.push(...block)
    else size -= 1
  }
  return taken.length < quantity ? null : taken.toSorted((a, b) => a - b)
}

/** In the own rows without an orphan, then in the others', then with one where it cannot be avoided. */
function findBlock(search: Search, size: number): number[] | null {
  const { own, others } = search.rows
  return (
    findIn(search, own, size, false) ??
    findBehind(search, others, size, false) ??
    findIn(search, own, size, true) ??
    findBehind(search, others, size, true)
  )
}

/** The best block of these rows, looked for no further than it is good. */
function findIn(search: Search, rows: number[], size: number, orphans: boolean): number[] | null {
  let [best, least] = [-1, Infinity]
  for (const i of rows) {
    const { nearest } = search.hall.rows[i]!
    if (nearest * size >= least) break
    const cost = costOf(search, i, size, orphans)
    if (cost < least) [best, least] = [i, cost]
  }
  return best < 0 ? null : seatsIn(search, best, size, orphans)
}

/** As findIn, in rows of other choosers: behind the seats they are about to take, or as far back as there is room. */
function findBehind(search: Search, rows: number[], size: number, orphans: boolean): number[] | null {
  let [best, least, spared] = [-1, Infinity, 0]
  for (const i of rows) {
    const { nearest } = search.hall.rows[i]!
    const behind = spared >= search.lane.underWay
    if (behind && nearest * size >= least) break
    const cost = costOf(search, i, size, orphans)
    if (cost < Infinity && (!behind || cost < least)) [best, least] = [i, behind ? cost : Infinity]
    spared += search.free.inRow[i]!
  }
  return best < 0 ? null : seatsIn(search, best, size, orphans)
}

function costOf({ hall, blocks, free }: Search, i: number, size: number, orphans: boolean): number {
  const row = hall.rows[i]!
  if (!row.general) return blocks.cost(i, size, orphans)
  return free.inRow[i]! >= size ? row.nearest * size : Infinity
}

function seatsIn(search: Search, i: number, size: number, orphans: boolean): number[] {
  const row = search.hall.rows[i]!
  if (row.general) return anyPlaces(search, row, size)
  const at = search.blocks.at(i, size, orphans)
  return Array.from({ length: size }, (_, k) => at + k)
}

/**
 * One place is as good as another: each chooser begins with its own part of the area, and takes from the others' parts
 * from their ends, where their choosers come last.
 */
function anyPlaces({ free, lane }: Search, { first, count }: Row, size: number): number[] {
  const begin = (part: number) => first + Math.floor((count * part) / lane.of)
  const seats: number[] = []
  for (let k = 0; k < lane.of; k++) {
    const part = (lane.index + k) % lane.of
    takePlaces(free, { from: begin(part), to: begin(part + 1), backwards: k > 0 }, size, seats)
  }
  return seats.toSorted((a, b) => a - b)
}

function takePlaces(
  free: FreeSeats,
  { from, to, backwards }: { from: number; to: number; backwards: boolean },
  size: number,
  seats: number[],
): void {
  const step = backwards ? -1 : 1
  for (let n = backwards ? to - 1 : from; n >= from && n < to && seats.length < size;) {
    const block = Math.floor(n / PLACES_PER_BLOCK)
    if (free.inBlock[block] === 0)
      n = backwards ? block * PLACES_PER_BLOCK - 1 : (block + 1) * PLACES_PER_BLOCK
    else {
      if (free.isFree(n)) seats.push(n)
      n += step
    }
  }
}
