// Decides where curved sections lie: sectors of rings around the stage.
import type { MapRow, MapSection } from '../http.ts'
import { expandMap } from '../seat-map.ts'
import { AISLE, BAND_GAP, described, type Box, type Section } from './house.ts'

/** A ring spans at most this angle, so that its ends stay in front of the stage. */
const RING_ANGLE_MAX = 2.4
/** Narrower spans that are tried, for one that leaves no lone section in the last ring. */
const RING_ANGLE_MIN = 1.6
const RING_ANGLE_STEP = 0.1
const RING_RADIUS_MIN = 10
/** Inner radius of the first ring as a share of the radius that would hold all seats. */
const RING_RADIUS_SHARE = 0.35
/** Columns fan out towards the back; a radius of so many depths keeps the last row's seats near each other. */
const RING_RADIUS_PER_ROW = 1.2
/** Up to so many sections are levels of a theatre: each of another depth has a ring of its own. */
const LEVELS_MAX = 6

interface Sector {
  section: Section
  rows: number
  seatsPerRow: number
}
interface Ring {
  /** Of its inner edge. */
  radius: number
  /** Along the inner edge, the aisles between the sectors among it. */
  length: number
  sectors: Sector[]
}

/** Sections as sectors of rings around (0, 0), the first `reach` away or further; rings share no radius. */
export function placeRings(sections: Section[], reach: number): MapSection[] {
  return bestRings(sections, reach).flatMap(({ radius, length, sectors }) => {
    let angle = (Math.PI + length / radius) / 2
    return sectors.map(({ section, seatsPerRow }) => {
      const sector = sectorSection(section, radius, angle - 0.5 / radius, 1 / radius)
      angle -= (seatsPerRow + AISLE) / radius
      return sector
    })
  })
}

/** The widest rings whose last one is as full as can be. */
function bestRings(sections: Section[], reach: number): Ring[] {
  let best: Ring[] = []
  let bestFill = 0
  for (let angle = RING_ANGLE_MAX; angle >= RING_ANGLE_MIN; angle -= RING_ANGLE_STEP) {
    const rings = planRings(sections, reach, angle)
    const last = rings.at(-1)
    const fill = last ? last.length / last.radius / angle : 0
    if (fill > bestFill) [best, bestFill] = [rings, fill]
    if (rings.length <= 1) break
  }
  return best
}

function planRings(sections: Section[], reach: number, angleMax: number): Ring[] {
  const seats = sections.reduce((sum, { seatCount }) => sum + seatCount, 0)
  const natural = RING_RADIUS_SHARE * Math.sqrt((2 * seats) / angleMax)
  let radius = Math.max(RING_RADIUS_MIN, natural, reach + BAND_GAP)
  const rings: Ring[] = []
  for (const section of sections) {
    if (!section.layout) continue
    const { rows, seatsPerRow } = section.layout
    const needed = Math.max(radius, rows * RING_RADIUS_PER_ROW)
    const ring = rings.at(-1)
    const length = (ring?.length ?? 0) + AISLE + seatsPerRow
    const alike = sections.length > LEVELS_MAX || ring?.sectors[0]?.rows === rows
    if (ring && alike && length <= angleMax * Math.max(ring.radius, rows * RING_RADIUS_PER_ROW)) {
      ring.sectors.push({ section, rows, seatsPerRow })
      ring.length = length
      ring.radius = Math.max(ring.radius, rows * RING_RADIUS_PER_ROW)
    } else {
      const inner = Math.max(needed, seatsPerRow / angleMax)
      rings.push({ radius: inner, length: seatsPerRow, sectors: [{ section, rows, seatsPerRow }] })
    }
    const last = rings.at(-1)
    if (last) radius = last.radius + Math.max(...last.sectors.map((sector) => sector.rows)) + BAND_GAP
  }
  return rings
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
