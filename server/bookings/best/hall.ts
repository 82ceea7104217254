// Owns what the choice of seats knows of a hall: its rows of adjacent seats and how good each seat is.
//
// A seat is as good as it is near to the middle of the stage's edge, measured on the map that buyers see.
import { expandMap } from '../../protocol/seat-map.ts'
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
}

export interface Hall {
  mapVersion: number
  total: number
  /** Nearest to the stage first. */
  rows: Row[]
  /** Of seat n, in seat pitches; the smaller the better. */
  distance: Float32Array
}

export function hallOf(map: MapView): Hall {
  const positions = expandMap(map)
  const [left, top, width, height] = map.stage
  const [middle, edge] = [left + width / 2, top + height]
  const distance = Float32Array.from({ length: map.total }, (_, n) =>
    Math.hypot(positions[2 * n]! - middle, positions[2 * n + 1]! - edge),
  )
  const rows: Row[] = []
  const add = (of: Omit<Row, 'nearest'>) => {
    const nearest = distance
      .subarray(of.first, of.first + of.count)
      .reduce((a, b) => Math.min(a, b), Infinity)
    rows.push({ ...of, nearest })
  }
  for (const section of map.sections) {
    const named = { section: section.name, tier: map.tiers[section.tier]!.name }
    if (section.kind === 'general')
      add({ first: section.first, count: section.seats, ...named, general: true })
    else {
      let first = section.first
      for (const { count } of section.rows) {
        add({ first, count, ...named, general: false })
        first += count
      }
    }
  }
  rows.sort((a, b) => a.nearest - b.nearest)
  return { mapVersion: map.mapVersion, total: map.total, rows, distance }
}
