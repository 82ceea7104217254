// Owns what the choice of seats knows of a hall: its rows of adjacent seats, how good each seat is, whom it is kept for.
//
// A seat is as good as it is near to the middle of the stage's edge, measured on the map that buyers see.
import { expandAccess, expandMap } from '../../protocol/seat-map.ts'
import type { MapView } from '../../protocol/http.ts'

/** Seats first … first + count − 1; in a seated row neighbours in n are neighbours in the hall. */
export interface Row {
  first: number
  count: number
  section: string
  tier: string
  /** General admission: any places will do, and none is ever alone. */
  general: boolean
  /** Of its best seat. */
  nearest: number
  /** Neighbouring rows differ by one, so that every section is shared out evenly among the choosers. */
  turn: number
  /** Some of its seats are accessible ones. */
  accessible: boolean
}

export interface Hall {
  mapVersion: number
  total: number
  /** Nearest to the stage first. */
  rows: Row[]
  /** Of seat n, in seat pitches; the smaller the better. */
  distance: Float32Array
  /** Of seat n, as its index in SEAT_ACCESS. */
  access: Uint8Array
  /** Of seat n, as an index of `rows`. */
  rowOf: Uint32Array
}

export function hallOf(map: MapView): Hall {
  const positions = expandMap(map)
  const access = expandAccess(map)
  const [left, top, width, height] = map.stage
  const [middle, edge] = [left + width / 2, top + height]
  const distance = Float32Array.from({ length: map.total }, (_, n) =>
    Math.hypot(positions[2 * n]! - middle, positions[2 * n + 1]! - edge),
  )
  const rows: Row[] = []
  const add = (of: Omit<Row, 'nearest' | 'accessible'>) => {
    const end = of.first + of.count
    const nearest = distance.subarray(of.first, end).reduce((a, b) => Math.min(a, b), Infinity)
    rows.push({ ...of, nearest, accessible: access.subarray(of.first, end).includes(ACCESSIBLE) })
  }
  for (const [at, section] of map.sections.entries()) {
    const named = { section: section.name, tier: map.tiers[section.tier]!.name }
    if (section.kind === 'general')
      add({ first: section.first, count: section.seats, ...named, general: true, turn: at })
    else {
      let first = section.first
      for (const [row, { count }] of section.rows.entries()) {
        add({ first, count, ...named, general: false, turn: at + row })
        first += count
      }
    }
  }
  rows.sort((a, b) => a.nearest - b.nearest)
  const rowOf = new Uint32Array(map.total)
  for (const [index, { first, count }] of rows.entries()) rowOf.fill(index, first, first + count)
  return { mapVersion: map.mapVersion, total: map.total, rows, distance, access, rowOf }
}

/** Indexes in SEAT_ACCESS. */
export const STANDARD = 0
export const ACCESSIBLE = 1
export const COMPANION = 2
