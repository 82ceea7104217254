// Decides where seats lie on the map: sections in blocks before the stage, or in rings around it, never overlapping.
import type { MapSection, MapView } from '../http.ts'
import { blockSection, placeBlocks, reachOf } from './blocks.ts'
import { BAND_GAP, type HouseView, type Section } from './house.ts'
import { placeRings } from './rings.ts'

const STAGE_GAP = 4
const MARGIN = 2
const STAGE_WIDTH_MIN = 10
const STAGE_WIDTH_MAX = 80
/** Of the house's width. */
const STAGE_SHARE = 0.35
/** Of the stage's width. */
const STAGE_DEPTH_SHARE = 0.14
const STAGE_DEPTH_MIN = 3

/** A map whose seats n follow each other section by section and row by row, front row first. */
export function layOut(house: HouseView): MapView {
  const sections = house.sections.toSorted((a, b) => a.firstN - b.firstN)
  const firstArc = sections.findIndex(isArc)
  const front = firstArc < 0 ? sections : sections.slice(0, firstArc)
  const rings = sections.filter(isArc)
  const rear = firstArc < 0 ? [] : sections.slice(firstArc).filter((section) => !isArc(section))

  const placed = new Map<number, MapSection>()
  const blocks = placeBlocks(front, STAGE_GAP)
  for (const block of blocks) placed.set(block.section.id, blockSection(block))
  const ringed = placeRings(rings, reachOf(blocks))
  // With nothing inside the rings, their ends come up to the stage.
  const lift = blocks.length > 0 ? 0 : STAGE_GAP - Math.min(...ringed.map(({ box }) => box[1]))
  for (const section of ringed.map((one) => moved(one, 0, lift))) placed.set(section.id, section)
  const bottom = Math.max(STAGE_GAP, ...[...placed.values()].map(({ box }) => box[1] + box[3] + BAND_GAP))
  for (const block of placeBlocks(rear, bottom)) placed.set(block.section.id, blockSection(block))

  const inOrder = sections.map((section) => placed.get(section.id)).filter((section) => section !== undefined)
  return frame(house, inOrder)
}

const isArc = (section: Section) => section.layout?.shape === 'arc'

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
    ...(house.access && { access: house.access }),
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
        ? {
            ...row,
            arc: [
              round(row.arc[0] + moveX),
              round(row.arc[1] + moveY),
              round(row.arc[2]),
              fine(row.arc[3]),
              fine(row.arc[4]),
            ],
          }
        : { ...row, x: round(row.x + moveX), y: round(row.y + moveY) },
    ),
  }
}

const round = (length: number) => Math.round(length * 100) / 100
/** An angle: at a radius of a thousand seats this is a hundredth of one. */
const fine = (angle: number) => Math.round(angle * 1e6) / 1e6
