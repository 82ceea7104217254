// Owns what a map is made from, and the measures its parts share. All lengths are in seat pitches.
import type { MapAccess, MapSection } from '../http.ts'
import type { Numbering } from '../seat-map.ts'

/** What the map is made from; all of it belongs to one mapVersion. */
export interface HouseView {
  mapVersion: number
  seatCount: number
  currency: string
  tiers: { id: number; name: string; price: number }[]
  /** As on the map; left out when every seat is a standard one. */
  access?: MapAccess | undefined
  sections: {
    id: number
    name: string
    kind: 'seated' | 'general'
    tierId: number
    firstN: number
    seatCount: number
    layout: {
      rows: number
      seatsPerRow: number
      rowLabels: string[]
      numbering: Numbering
      shape: 'straight' | 'arc'
    } | null
  }[]
}
export type Section = HouseView['sections'][number]

export interface Box {
  x: number
  y: number
  width: number
  height: number
}

export const AISLE = 2
export const BAND_GAP = 3

/** What the map says of a section whatever its place; `rows` and `box` are the layout's. */
export function described(section: Section): Omit<MapSection, 'box' | 'rows'> {
  const { id, name, kind, tierId, firstN, seatCount, layout } = section
  return {
    id,
    name,
    kind,
    tier: tierId,
    first: firstN,
    seats: seatCount,
    ...(layout ? { numbering: layout.numbering } : {}),
  }
}
