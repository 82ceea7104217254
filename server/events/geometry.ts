// Decides where seats lie on the map: sections in blocks before the stage, or in rings around it, never overlapping.
import type { MapRow, MapSection, MapView } from '../protocol/http.ts'
import { expandMap, type Numbering } from '../protocol/seat-map.ts'

/** What the map is made from; all of it belongs to one mapVersion. */
export interface HouseView {
  mapVersion: number
  seatCount: number
  currency: string
  tiers: { id: number; name: string; price: number }[]
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
type Section = HouseView['sections'][number]
interface Block extends Box {
  section: Section
}
interface Box {
  x: number
  y: number
  width: number
  height: number
}

/** All in seat pitches. */
const AISLE = 2
const BAND_GAP = 3
const STAGE_GAP = 4
const MARGIN = 2
const STAGE_WIDTH_MIN = 10
const STAGE_WIDTH_MAX = 80
const STAGE_SHARE = 0.35
const STAGE_DEPTH_SHARE = 0.14
const STAGE_DEPTH_MIN = 3
/** Width : height that blocks aim at together, and a general area by itself. */
const HOUSE_ASPECT = 1.5
const GENERAL_ASPECT = 2.5
/** A ring spans at most this angle, so that its ends stay in front of the stage. */
const RING_ANGLE_MAX = 2.4
const RING_RADIUS_MIN = 10
/** Inner radius of the first ring as a share of the radius that would hold all seats. */
const RING_RADIUS_SHARE = 0.35
/** Columns fan out towards the back; a radius of so many depths keeps the last row's seats near each other. */
const RING_RADIUS_PER_ROW = 1.2

/** A map whose seats n follow each other section by section and row by row, front row first. */
export function layOut(house: HouseView): MapView {
  const sections = [...house.sections].sort((a, b) => a.firstN - b.firstN)
  const firstArc = sections.findIndex(isArc)
  const front = firstArc < 0 ? sections : sections.slice(0, firstArc)
  const rings = sections.filter(isArc)
  const rear = firstArc < 0 ? [] : sections.slice(firstArc).filter((section) => !isArc(section))

  const placed = new Map<number, MapSection>()
  const blocks = placeBlocks(front, STAGE_GAP)
  for (const block of blocks) placed.set(block.section.id, blockSection(block))
  const ringed = placeRings(rings, reachOf(blocks))
  for (const section of ringed) placed.set(section.id, section)
  const bottom = Math.max(STAGE_GAP, ...[...placed.values()].map(({ box }) => box[1] + box[3] + BAND_GAP))
  for (const block of placeBlocks(rear, bottom)) placed.set(block.section.id, blockSection(block))

  const inOrder = sections.map((section) => placed.get(section.id)).filter((section) => section !== undefined)
  return frame(house, inOrder)
}

const isArc = (section: Section) => section.layout?.shape === 'arc'

/** Blocks side by side in bands, each band centred, the first nearest to the stage. */
function placeBlocks(sections: Section[], top: number): Block[] {
  const sizes = sections.map((section) => ({ section, ...sizeOf(section) }))
  const area = sizes.reduce((sum, { width, height }) => sum + (width + AISLE) * (height + BAND_GAP), 0)
  const widest = sizes.reduce((most, { width }) => Math.max(most, width), Math.sqrt(area * HOUSE_ASPECT))
  const blocks: Block[] = []
  let y = top
  for (let at = 0; at < sizes.length;) {
    const band: typeof sizes = []
    let width = -AISLE
    for (
      let next = sizes[at];
      next && (band.length === 0 || width + AISLE + next.width <= widest);
      next = sizes[at]
    ) {
      band.push(next)
      width += AISLE + next.width
      at++
    }
    let x = -width / 2
    for (const size of band) {
      blocks.push({ ...size, x, y })
      x += size.width + AISLE
    }
    y += Math.max(...band.map(({ height }) => height)) + BAND_GAP
  }
  return blocks
}

function sizeOf({ layout, seatCount }: Section): { width: number; height: number } {
  if (layout) return { width: layout.seatsPerRow, height: layout.rows }
  const width = Math.max(1, Math.round(Math.sqrt(seatCount * GENERAL_ASPECT)))
  return { width, height: Math.ceil(seatCount / width) }
}

function blockSection({ section, x, y, width, height }: Block): MapSection {
  const rows = section.layout?.rowLabels.map((label, row): MapRow => {
    return { label, count: width, x: x + 0.5, y: y + row + 0.5, dx: 1, dy: 0 }
  })
  return { ...described(section), box: [x, y, width, height], rows: rows ?? [] }
}

/** Sections as sectors of rings around the middle of the stage's edge, (0, 0); rings share no radius. */
function placeRings(sections: Section[], reach: number): MapSection[] {
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

/** How far from the middle of the stage's edge the blocks before it reach. */
function reachOf(blocks: Block[]): number {
  return blocks.reduce(
    (most, { x, y, width, height }) => Math.max(most, Math.hypot(Math.max(-x, x + width), y + height)),
    0,
  )
}

function described(section: Section) {
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

/** Adds the stage and moves everything to positive coordinates, rounded to what a seat's width needs. */
function frame(house: HouseView, sections: MapSection[]): MapView {
  const boxes = sections.map(({ box }) => ({
    left: box[0],
    top: box[1],
    right: box[0] + box[2],
    bottom: box[1] + box[3],
  }))
  const widest = boxes.reduce(
    (most, { left, right }) => Math.max(most, 2 * Math.max(-left, right)),
    STAGE_WIDTH_MIN,
  )
  const stageWidth = Math.min(STAGE_WIDTH_MAX, Math.max(STAGE_WIDTH_MIN, widest * STAGE_SHARE))
  const stageDepth = Math.max(STAGE_DEPTH_MIN, stageWidth * STAGE_DEPTH_SHARE)
  const bottom = boxes.reduce((most, box) => Math.max(most, box.bottom), 0)
  const moveX = Math.max(widest, stageWidth) / 2 + MARGIN
  const moveY = stageDepth + MARGIN
  return {
    mapVersion: house.mapVersion,
    total: house.seatCount,
    tiers: house.tiers.map(({ name, price }) => ({
      name,
      price: { amount: price, currency: house.currency },
    })),
    sections: sections.map((section) => moved(section, moveX, moveY)),
    stage: [round(moveX - stageWidth / 2), MARGIN, round(stageWidth), round(stageDepth)],
    width: round(2 * moveX),
    height: round(bottom + moveY + MARGIN),
  }
}

function moved(section: MapSection, moveX: number, moveY: number): MapSection {
  const [x, y, width, height] = section.box
  return {
    ...section,
    box: [round(x + moveX), round(y + moveY), round(width), round(height)],
    rows: section.rows.map((row) =>
      row.arc
        ? { ...row, arc: [round(moveX), round(moveY), round(row.arc[2]), fine(row.arc[3]), fine(row.arc[4])] }
        : { ...row, x: round(row.x + moveX), y: round(row.y + moveY) },
    ),
  }
}

const round = (length: number) => Math.round(length * 100) / 100
/** An angle: at a radius of a thousand seats this is a hundredth of one. */
const fine = (angle: number) => Math.round(angle * 1e6) / 1e6
