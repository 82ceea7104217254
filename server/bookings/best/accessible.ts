// Decides which seats go to somebody who needs an accessible one.
//
// The rule: neighbours in one row, one accessible seat at least. The others are companion seats first and standard ones
// where those do not suffice; a second accessible seat only where there is no other way, since somebody else may need
// it. Then: no companion seat left without an accessible one beside it, no orphan, near the stage.
// Such seats are chosen for nobody else while they are marked; the organiser alone releases them. Whoever picks one on
// the map says by that to need it, as is usual: nobody is asked for a proof.
import type { Search } from './choose-seats.ts'
import { ACCESSIBLE, COMPANION, STANDARD } from './hall.ts'

/** What each breach of the rule weighs, the gravest by far the most; distances stay below one of the least. */
const SECOND_ACCESSIBLE = 1e15
const STANDARD_SEAT = 1e12
const STRANDED_COMPANION = 1e9
const ORPHAN = 1e6

/** The best such block, or null. Rows with accessible seats are few; they are looked through as they are. */
export function accessibleBlock(search: Search, size: number): number[] | null {
  let best: { at: number; cost: number } | null = null
  for (const i of search.rows.accessible) {
    const { first, count } = search.hall.rows[i]!
    for (let at = first; at + size <= first + count; at++) {
      const cost = costOf(search, i, at, size)
      if (cost < (best?.cost ?? Infinity)) best = { at, cost }
    }
  }
  if (!best) return null
  const { at } = best
  return Array.from({ length: size }, (_, k) => at + k)
}

/** Whether a seat is left that only who needs it may have by choice. */
export function accessibleLeft({ hall, free, rows }: Search): boolean {
  return rows.accessible.some((i) => {
    const { first, count } = hall.rows[i]!
    for (let n = first; n < first + count; n++) if (hall.access[n] !== STANDARD && free.isFree(n)) return true
    return false
  })
}

function costOf({ hall, free }: Search, row: number, at: number, size: number): number {
  const { first, count } = hall.rows[row]!
  const isFree = (n: number) => n >= first && n < first + count && free.isFree(n)
  let [accessible, cost] = [0, 0]
  for (let n = at; n < at + size; n++) {
    if (!free.isFree(n)) return Infinity
    if (hall.access[n] === ACCESSIBLE) accessible += 1
    if (hall.access[n] === STANDARD) cost += STANDARD_SEAT
    cost += hall.distance[n]!
  }
  if (accessible === 0) return Infinity
  cost += (accessible - 1) * SECOND_ACCESSIBLE
  for (const [beside, beyond] of [
    [at - 1, at - 2],
    [at + size, at + size + 1],
  ] as const) {
    if (!isFree(beside)) continue
    const kind = hall.access[beside]
    const served = isFree(beyond) && hall.access[beyond] === ACCESSIBLE
    if (kind === COMPANION && !served) cost += STRANDED_COMPANION
    if (kind === STANDARD && !(isFree(beyond) && hall.access[beyond] === STANDARD)) cost += ORPHAN
  }
  return cost
}
