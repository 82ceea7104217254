// Decides where curved sections lie: sectors of rings around the stage.
import type { MapRow, MapSection } from '../protocol/http.ts'
import { expandMap } from '../protocol/seat-map.ts'
import { AISLE, BAND_GAP, described, type Box, type Section } from './house.ts'

/** A ring spans at most this angle, so that its ends stay in front of the stage. */
const RING_ANGLE_MAX = 2.4
const RING_RADIUS_MIN = 10
/** Inner radius of the first ring as a share of the radius that would hold all seats. */
const RING_RADIUS_SHARE = 0.35
/** Columns fan out towards the back; a radius of so many depths keeps the last row's seats near each other. */
const RING_RADIUS_PER_ROW = 1.2

/** Sections as sectors of rings around the middle of the stage's edge, (0, 0); rings share no radius. */
export function placeRings(sections: Section[], reach: number): MapSection[] {
  const seats = sections.reduce((sum, { seatCount }) => sum + seatCount, 0)
  const natural = RING_RADIUS_SHARE * Math.sqrt((2 * seats) / RING_ANGLE_MAX)
  let radius = Math.max(RING_RADIUS_MIN, natural, reach + BAND_GAP)
  const placed: MapSection[] = []
  for (let at = 0; at < sections.length;) {
    const ring: { section: Section; rows: number; seatsPerRow: number }[] = []
    let length = 0
    for (let next = sections[at]; next?.layout; next = sections[at]) {
      const { rows, seatsPerRow } = next.layout
      const fits =
        length + seatsPerRow + AISLE <= RING_ANGLE_MAX * Math.max(radius, rows * RING_RADIUS_PER_ROW)
      if (ring.length > 0 && !fits) break
      ring.push({ section: next, rows, seatsPerRow })
      length += seatsPerRow + AISLE
      radius = Math.max(radius, length / RING_ANGLE_MAX, rows * RING_RADIUS_PER_ROW)
      at++
    }
    let angle = Math.PI / 2 + (length - AISLE) / radius / 2
    for (const { section, seatsPerRow } of ring) {
      placed.push(sectorSection(section, radius, angle - 0.5 / radius, 1 / radius))
      angle -= (seatsPerRow + AISLE) / radius
    }
    radius += Math.max(...ring.map(({ rows }) => rows)) + BAND_GAP
  }
  return placed
}

function sectorSection(section: Section, inner: number, first: number, pitch: number): MapSection {
  const count = section.layout?.seatsPerRow ?? 0
  const labels = section.layout?.rowLabels ?? []
  const rows = labels.map((label, row): MapRow => {
    return { label, count, x: 0, y: 0, dx: 0, dy: 0, arc: [0, 0, inner + row + 0.5, first, -pitch] }
  })
  const sector: MapSection = { ...described(section), box: [0, 0, 0, 0], rows }
  const alone = { ...sector, first: 0 }
  const box = boundsOf(expandMap({ ...EMPTY, total: section.seatCount, sections: [alone] }))
  return { ...sector, box: [box.x, box.y, box.width, box.height] }
}

const EMPTY = {
  mapVersion: 0,
  tiers: [],
  stage: [0, 0, 0, 0] as [number, number, number, number],
  width: 0,
  height: 0,
}

function boundsOf(positions: Float32Array): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (let at = 0; at < positions.length; at += 2) {
    const [x = 0, y = 0] = [positions[at], positions[at + 1]]
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  return { x: left - 0.5, y: top - 0.5, width: right - left + 1, height: bottom - top + 1 }
}
