// Decides which seats to propose: a party around one tap, the like of those that were lost, places of an area without
// numbers, and the category to ask the server for.
import { leftAlone, middleOf, nearestBlock, rowOf } from './seat-blocks.ts'
import type { SeatMap } from './seat-map.svelte.ts'
import type { SeatWish } from './seat-wish.svelte.ts'

/** Neighbours in the row of a seat, it among them, leaving as few alone as can be. Null where they do not fit. */
export function partyAround(seats: SeatMap, n: number, size: number): number[] | null {
  const { hall } = seats
  const row = hall && rowOf(hall, n)
  if (!hall || !row) return null
  const isFree = (seat: number) => seats.isFree(seat) && seats.accessOf(seat) === seats.accessOf(n)
  let best: { block: number[]; cost: number } | null = null
  for (let at = Math.max(row.first, n - size + 1); at <= n && at + size <= row.first + row.count; at += 1) {
    const block = Array.from({ length: size }, (_, i) => at + i)
    if (!block.every(isFree)) continue
    // The tapped seat at the left end, as it is read, unless that leaves somebody alone.
    const cost = leftAlone(hall, block, isFree).length * size + (n - at)
    if (!best || cost < best.cost) best = { block, cost }
  }
  return best?.block ?? null
}

/** As many seats side by side as were lost, nearest to them: at the same price, else within the wish. */
export function likeThose(
  seats: SeatMap,
  wish: SeatWish,
  { lost, kept }: { lost: readonly number[]; kept: readonly number[] },
): { seats: readonly number[]; samePrice: boolean } | null {
  const { hall, map } = seats
  const numbered = lost.filter((n) => seats.isNumbered(n))
  const [first] = numbered
  if (!hall || !map || first === undefined) return null
  const tier = map.sections[seats.sectionOf(first)]?.tier
  const access = seats.accessOf(first)
  const near = middleOf(hall.positions, numbered)
  const isFree = (n: number) => seats.isFree(n) && seats.accessOf(n) === access && !kept.includes(n)
  const find = (mayBe: (section: number) => boolean) =>
    nearestBlock(hall, { size: numbered.length, near, isFree, mayBe })
  const same = find((section) => map.sections[section]?.tier === tier)
  const found = same ?? find((section) => wish.mayBeSection(section))
  return found && { seats: found, samePrice: same !== null }
}

/** Free places of an area from a random point on, so that buyers do not all reach for the same ones. */
export function anyFree(
  seats: SeatMap,
  sectionIndex: number,
  count: number,
  except: ReadonlySet<number>,
): number[] {
  const section = seats.map?.sections[sectionIndex]
  if (!section || count <= 0) return []
  const from = Math.floor(Math.random() * section.seats)
  const found: number[] = []
  for (let i = 0; i < section.seats && found.length < count; i += 1) {
    const n = section.first + ((from + i) % section.seats)
    if (seats.isFree(n) && !except.has(n)) found.push(n)
  }
  return found
}

/** Of the categories that serve a wish the one with the best seats just now; undefined when any will do. */
export function tierToAskFor(seats: SeatMap, wish: SeatWish, size: number): string | undefined {
  const { hall, map } = seats
  const tiers = wish.servingTiers
  if (!hall || !map || tiers.length >= map.tiers.length) return undefined
  const [left, top, width, height] = map.stage
  const block = nearestBlock(hall, {
    size,
    near: { x: left + width / 2, y: top + height },
    isFree: (n) => seats.isFree(n) && seats.accessOf(n) === 0,
    mayBe: (section) => wish.mayBeSection(section),
  })
  const [first] = block ?? []
  const tier = first === undefined ? tiers[0] : map.sections[seats.sectionOf(first)]?.tier
  return tier === undefined ? undefined : map.tiers[tier]?.name
}
