// Owns how a map and an availability are read: where seat n lies, what it is called, and which status its bits say.
import { SEAT_ACCESS, type SeatAccess } from './codes.ts'
import type { MapAccess, MapSection, MapView, SeatRun } from './http.ts'

export type Numbering = NonNullable<MapSection['numbering']>

/**
 * Positions of all seats: x of seat n at 2n, y at 2n + 1, in seat pitches. Places of a general area stand in a grid
 * inside its box.
 */
export function expandMap(map: MapView): Float32Array {
  const positions = new Float32Array(2 * map.total)
  for (const section of map.sections) {
    if (section.kind === 'general') placeGeneral(section, positions)
    else placeRows(section, positions)
  }
  return positions
}

function placeRows(section: MapSection, positions: Float32Array): void {
  let at = 2 * section.first
  for (const { count, x, y, dx, dy, arc } of section.rows) {
    for (let i = 0; i < count; i++) {
      if (arc) {
        const [centreX, centreY, radius, first, step] = arc
        positions[at++] = centreX + radius * Math.cos(first + i * step)
        positions[at++] = centreY + radius * Math.sin(first + i * step)
      } else {
        positions[at++] = x + i * dx
        positions[at++] = y + i * dy
      }
    }
  }
}

function placeGeneral(section: MapSection, positions: Float32Array): void {
  const [x, y, width, height] = section.box
  const columns = Math.max(1, Math.round(Math.sqrt((section.seats * width) / height)))
  const rows = Math.ceil(section.seats / columns)
  for (let i = 0; i < section.seats; i++) {
    positions[2 * (section.first + i)] = x + ((i % columns) + 0.5) * (width / columns)
    positions[2 * (section.first + i) + 1] = y + (Math.floor(i / columns) + 0.5) * (height / rows)
  }
}

/** Whom each seat is kept for: its index in SEAT_ACCESS, so 0 is a standard seat. */
export function expandAccess({ total, access }: Pick<MapView, 'total' | 'access'>): Uint8Array {
  const codes = new Uint8Array(total)
  const mark = (runs: SeatRun[], kind: SeatAccess) => {
    for (const [first, count] of runs) codes.fill(SEAT_ACCESS.indexOf(kind), first, first + count)
  }
  if (access) {
    mark(access.accessible, 'accessible')
    mark(access.companion, 'companion')
  }
  return codes
}

/** The same, written shortly for a map; undefined when every seat is a standard one. `marked` is ascending in n. */
export function packAccess(marked: { n: number; access: SeatAccess }[]): MapAccess | undefined {
  const runsOf = (kind: SeatAccess) => {
    const runs: SeatRun[] = []
    for (const { n, access } of marked) {
      if (access !== kind) continue
      const last = runs.at(-1)
      if (last && last[0] + last[1] === n) last[1] += 1
      else runs.push([n, 1])
    }
    return runs
  }
  const access = { accessible: runsOf('accessible'), companion: runsOf('companion') }
  return access.accessible.length + access.companion.length > 0 ? access : undefined
}

export interface SeatName {
  section: MapSection
  /** Null in a general area. */
  row: string | null
  number: string | null
  /** Index into the map's tiers. */
  tier: number
}

/** What seat n is called; null when the map has no such seat. */
export function seatName(map: MapView, n: number): SeatName | null {
  const section = sectionOf(map, n)
  if (!section) return null
  if (section.kind === 'general') return { section, row: null, number: null, tier: section.tier }
  let i = n - section.first
  for (const row of section.rows) {
    if (i < row.count) {
      const number = seatNumber(section.numbering ?? 'left-to-right', row.count, i)
      return { section, row: row.label, number, tier: section.tier }
    }
    i -= row.count
  }
  return null
}

/** Sections follow each other in n without a hole, so the right one is found by halving. */
function sectionOf(map: MapView, n: number): MapSection | null {
  let low = 0
  let high = map.sections.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const section = map.sections[middle]
    if (!section) return null
    if (n < section.first) high = middle - 1
    else if (n >= section.first + section.seats) low = middle + 1
    else return section
  }
  return null
}

/**
 * The number on the i-th seat (0-based, from the left as the audience sees it) of a row of `count`. `odd-even` has the
 * odd numbers left of the middle and the even ones right, lowest at the middle, as theatres do.
 */
export function seatNumber(numbering: Numbering, count: number, i: number): string {
  if (numbering === 'left-to-right') return String(i + 1)
  if (numbering === 'right-to-left') return String(count - i)
  const half = Math.ceil(count / 2)
  return String(i < half ? 2 * (half - i) - 1 : 2 * (i - half) + 2)
}

const SEATS_PER_BYTE = 4
const BITS_PER_SEAT = 2
const SEAT_MASK = 0b11

/** Bytes that hold `total` seats. */
const packedLength = (total: number) => Math.ceil(total / SEATS_PER_BYTE)

/** The code of seat n. */
export function codeAt(packed: Uint8Array, n: number): number {
  return ((packed[n >> 2] ?? 0) >> (BITS_PER_SEAT * (n & SEAT_MASK))) & SEAT_MASK
}

/** Writes the code of seat n. */
export function setCode(packed: Uint8Array, n: number, code: number): void {
  const shift = BITS_PER_SEAT * (n & SEAT_MASK)
  packed[n >> 2] = ((packed[n >> 2] ?? 0) & ~(SEAT_MASK << shift)) | (code << shift)
}

/** One code a byte → two bits a seat. */
export function packCodes(codes: Uint8Array): Uint8Array {
  const packed = new Uint8Array(packedLength(codes.length))
  for (const [n, code] of codes.entries()) setCode(packed, n, code)
  return packed
}

/** `availability.status` as answered → one code a byte. */
export function unpackStatus(status: string, total: number): Uint8Array {
  const text = atob(status)
  const codes = new Uint8Array(total)
  for (let n = 0; n < total; n++)
    codes[n] = (text.charCodeAt(n >> 2) >> (BITS_PER_SEAT * (n & SEAT_MASK))) & SEAT_MASK
  return codes
}
