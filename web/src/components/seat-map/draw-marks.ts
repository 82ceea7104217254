// Draws what lies over the seats in every frame: mine, the one the keyboard is on, an offer, row labels, and which way
// to one's own seats when they are out of sight.
import type { MapView } from '../../../../server/protocol/http.ts'
import type { Brush, Placement } from './cached-layer.ts'
import { checkShape } from './glyphs.ts'
import type { Palette } from './palette.ts'
import { SEAT_RADIUS } from './stamps.ts'
import type { Size } from './viewport.ts'

/** The smallest radius (px) of one's own seat: it is seen however far out one is. */
const MINE_RADIUS_MIN = 7
const ROW_TEXT_PX = 13
const ROW_EDGE_PX = 14
const ROW_LETTERS = 4
/** Between a row's label and the middle of its first seat, in seat pitches. */
const ROW_GAP_PITCH = 0.75
const ARROW_PX = 13
const ARROW_EDGE_PX = 20

const at = (positions: Float32Array, n: number, { scale, dx, dy }: Placement) => ({
  x: (positions[2 * n] ?? 0) * scale + dx,
  y: (positions[2 * n + 1] ?? 0) * scale + dy,
})
const radiusAt = ({ scale }: Placement) => Math.max(SEAT_RADIUS * scale * 1.2, MINE_RADIUS_MIN)

/** Chosen seats; `held` ones, which are already kept for us, in the accent colour. */
export function drawMine(
  pen: Brush,
  seats: Iterable<number>,
  positions: Float32Array,
  palette: Palette,
  place: Placement,
  held: boolean,
): void {
  const r = radiusAt(place)
  for (const n of seats) {
    const { x, y } = at(positions, n, place)
    pen.beginPath()
    pen.arc(x, y, r, 0, 2 * Math.PI)
    pen.fillStyle = held ? palette.accent : palette.ink
    pen.fill()
    pen.strokeStyle = held ? palette.accentInk : palette.paper
    pen.lineWidth = 2
    pen.stroke()
    pen.beginPath()
    checkShape(pen, x, y, r)
    pen.lineWidth = Math.max(1.5, r * 0.22)
    pen.stroke()
  }
}

/** A block that is offered: a dashed ring around each of its seats. */
export function drawOffer(
  pen: Brush,
  seats: readonly number[],
  positions: Float32Array,
  palette: Palette,
  place: Placement,
): void {
  pen.save()
  pen.setLineDash([4, 3])
  pen.lineWidth = 3
  pen.strokeStyle = palette.accent
  for (const n of seats) {
    const { x, y } = at(positions, n, place)
    pen.beginPath()
    pen.arc(x, y, radiusAt(place) + 2, 0, 2 * Math.PI)
    pen.stroke()
  }
  pen.restore()
}

export function drawRing(
  pen: Brush,
  n: number,
  positions: Float32Array,
  colour: string,
  place: Placement,
): void {
  const { x, y } = at(positions, n, place)
  pen.beginPath()
  pen.arc(x, y, radiusAt(place) + 4, 0, 2 * Math.PI)
  pen.strokeStyle = colour
  pen.lineWidth = 3
  pen.stroke()
}

/** An arrow at the rim of the screen towards one's own seats, when none of them is in sight. */
export function drawWayBack(
  pen: Brush,
  seats: readonly number[],
  positions: Float32Array,
  palette: Palette,
  place: Placement,
  { width, height }: Size,
): void {
  const points = seats.map((n) => at(positions, n, place))
  const inSight = points.some(({ x, y }) => x > 0 && y > 0 && x < width && y < height)
  const [first] = points
  if (!first || inSight) return
  const angle = Math.atan2(first.y - height / 2, first.x - width / 2)
  const reach = Math.min(
    (width / 2 - ARROW_EDGE_PX) / Math.max(Math.abs(Math.cos(angle)), 0.001),
    (height / 2 - ARROW_EDGE_PX) / Math.max(Math.abs(Math.sin(angle)), 0.001),
  )
  pen.save()
  pen.translate(width / 2 + Math.cos(angle) * reach, height / 2 + Math.sin(angle) * reach)
  pen.rotate(angle)
  pen.beginPath()
  pen.moveTo(ARROW_PX, 0)
  pen.lineTo(-ARROW_PX * 0.7, -ARROW_PX * 0.8)
  pen.lineTo(-ARROW_PX * 0.3, 0)
  pen.lineTo(-ARROW_PX * 0.7, ARROW_PX * 0.8)
  pen.closePath()
  pen.fillStyle = palette.accent
  pen.strokeStyle = palette.paper
  pen.lineWidth = 3
  pen.stroke()
  pen.fill()
  pen.restore()
}

/** The label of every row in sight, left of its first seat in sight. */
export function drawRowNames(
  pen: Brush,
  map: MapView,
  positions: Float32Array,
  palette: Palette,
  place: Placement,
  size: Size,
): void {
  pen.font = `500 ${ROW_TEXT_PX}px ${palette.font}`
  pen.textBaseline = 'middle'
  for (const section of map.sections) {
    const [left, top, width, height] = section.box
    const { scale, dx, dy } = place
    const out =
      (left + width + 2) * scale + dx < 0 ||
      (left - 2) * scale + dx > size.width ||
      (top + height) * scale + dy < 0 ||
      top * scale + dy > size.height
    if (out) continue
    let first = section.first
    for (const { label, count } of section.rows) {
      const seat = firstInSight(positions, first, count, place)
      first += count
      if (!seat || seat.x > size.width || seat.y < 0 || seat.y > size.height) continue
      const name = label.slice(0, ROW_LETTERS)
      const right = seat.x - scale * ROW_GAP_PITCH
      pen.fillStyle = palette.inkSoft
      if (right >= 2 * ROW_EDGE_PX) {
        pen.textAlign = 'right'
        pen.fillText(name, right, seat.y)
        continue
      }
      // Over seats, at the screen's edge, a patch of paper keeps the label readable.
      pen.fillStyle = palette.paper
      pen.fillRect(0, seat.y - ROW_TEXT_PX * 0.75, 2 * ROW_EDGE_PX, ROW_TEXT_PX * 1.5)
      pen.fillStyle = palette.inkSoft
      pen.textAlign = 'center'
      pen.fillText(name, ROW_EDGE_PX, seat.y, 2 * ROW_EDGE_PX - 2)
    }
  }
}

/** The first seat of a row right of the screen's left edge; null when the whole row lies left of it. */
function firstInSight(positions: Float32Array, first: number, count: number, place: Placement) {
  for (let n = first; n < first + count; n += 1) {
    const seat = at(positions, n, place)
    if (seat.x >= 0) return seat
  }
  return null
}
