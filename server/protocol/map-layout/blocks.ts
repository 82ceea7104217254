// Decides where straight sections and general areas lie: side by side in bands before the stage.
import type { MapRow, MapSection } from '../http.ts'
import { AISLE, BAND_GAP, described, type Box, type Section } from './house.ts'

export interface Block extends Box {
  section: Section
}

/** Width : height that blocks aim at together, and a general area by itself. */
const HOUSE_ASPECT = 1.5
const GENERAL_ASPECT = 2.5

/** Blocks side by side in bands, each band centred, the first nearest to the stage. */
export function placeBlocks(sections: Section[], top: number): Block[] {
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

export function blockSection({ section, x, y, width, height }: Block): MapSection {
  const rows = section.layout?.rowLabels.map((label, row): MapRow => {
    return { label, count: width, x: x + 0.5, y: y + row + 0.5, dx: 1, dy: 0 }
  })
  return { ...described(section), box: [x, y, width, height], rows: rows ?? [] }
}

/** How far from the middle of the stage's edge the blocks before it reach. */
export function reachOf(blocks: Block[]): number {
  return blocks.reduce(
    (most, { x, y, width, height }) => Math.max(most, Math.hypot(Math.max(-x, x + width), y + height)),
    0,
  )
}
