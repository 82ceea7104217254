// Owns the outline of each section: what stands for its seats from afar, and the plate they stand on near by.
import type { MapSection, MapView } from '../../../../server/protocol/http.ts'

/** Points of an outline along one row: enough for a curve, few enough to draw by the hundred. */
const POINTS_A_ROW = 12

export interface SectionShape {
  /** In seat pitches; through the outermost seats, so its rim is drawn one pitch broad. */
  outline: Path2D
  /** Where its name stands: over the middle of its first row near by, at the middle of its middle row from afar. */
  head: { x: number; y: number }
  middle: { x: number; y: number }
  /** Room for the name, in seat pitches. */
  width: number
  height: number
}

export const sectionShapes = (map: MapView, positions: Float32Array): SectionShape[] =>
  map.sections.map((section) =>
    section.kind === 'seated' && section.rows.length > 0 ? ofRows(section, positions) : ofBox(section),
  )

function ofBox({ box: [x, y, width, height] }: MapSection): SectionShape {
  const outline = new Path2D()
  outline.rect(x, y, width, height)
  return {
    outline,
    head: { x: x + width / 2, y },
    middle: { x: x + width / 2, y: y + height / 2 },
    width,
    height,
  }
}

/** Along the first row, down the ends of all rows, back along the last one. */
function ofRows({ first, rows, box }: MapSection, positions: Float32Array): SectionShape {
  const outline = new Path2D()
  const firsts: number[] = []
  let n = first
  for (const { count } of rows) {
    firsts.push(n)
    n += count
  }
  const round: number[] = []
  const along = (row: number) => {
    const count = rows[row]?.count ?? 1
    const steps = Math.min(POINTS_A_ROW, count) - 1
    return Array.from({ length: steps + 1 }, (_, i) =>
      Math.round((firsts[row] ?? 0) + (steps === 0 ? 0 : (i * (count - 1)) / steps)),
    )
  }
  round.push(...along(0))
  for (let row = 1; row < rows.length - 1; row += 1)
    round.push((firsts[row] ?? 0) + (rows[row]?.count ?? 1) - 1)
  if (rows.length > 1) round.push(...along(rows.length - 1).toReversed())
  for (let row = rows.length - 2; row > 0; row -= 1) round.push(firsts[row] ?? 0)
  for (const [index, seat] of round.entries()) {
    const [x, y] = [positions[2 * seat] ?? 0, positions[2 * seat + 1] ?? 0]
    if (index === 0) outline.moveTo(x, y)
    else outline.lineTo(x, y)
  }
  outline.closePath()
  const middleRow = Math.floor((rows.length - 1) / 2)
  const middleOf = (row: number) => {
    const seat = (firsts[row] ?? first) + Math.floor(((rows[row]?.count ?? 1) - 1) / 2)
    return { x: positions[2 * seat] ?? 0, y: positions[2 * seat + 1] ?? 0 }
  }
  const [from, to] = [
    firsts[middleRow] ?? first,
    (firsts[middleRow] ?? first) + (rows[middleRow]?.count ?? 1) - 1,
  ]
  const across = Math.hypot(
    (positions[2 * to] ?? 0) - (positions[2 * from] ?? 0),
    (positions[2 * to + 1] ?? 0) - (positions[2 * from + 1] ?? 0),
  )
  return {
    outline,
    head: middleOf(0),
    middle: middleOf(middleRow),
    width: across + 1,
    height: Math.max(1, Math.min(rows.length, box[3])),
  }
}
