// Draws seats, many at a time: grouped by how they look, because changing the brush costs more than drawing.
import { AVAILABLE, RESERVED, SOLD } from '../../state/seat-status.ts'
import { blockedShape, checkShape, heldShape, soldShape, tierShape } from './glyphs.ts'
import { tierColour, type Palette } from './palette.ts'

export type Brush = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D

/** Radius of a seat in seat pitches: neighbours stay apart. */
export const SEAT_RADIUS = 0.38

export interface SeatLooks {
  positions: Float32Array
  codeOf: (n: number) => number
  tierOf: (n: number) => number
}

/** Where seat pitches land on the brush: x·scale + dx. */
export interface Placement {
  scale: number
  dx: number
  dy: number
}

interface Groups {
  tiers: Path2D[]
  held: Path2D
  sold: Path2D
  blocked: Path2D
}

export function drawSeats(
  brush: Brush,
  seats: Iterable<number>,
  looks: SeatLooks,
  palette: Palette,
  { scale, dx, dy }: Placement,
): void {
  const groups: Groups = { tiers: [], held: new Path2D(), sold: new Path2D(), blocked: new Path2D() }
  const r = SEAT_RADIUS * scale
  for (const n of seats) {
    const x = (looks.positions[2 * n] ?? 0) * scale + dx
    const y = (looks.positions[2 * n + 1] ?? 0) * scale + dy
    addSeat(groups, looks.codeOf(n), looks.tierOf(n), x, y, r)
  }
  for (const [tier, path] of groups.tiers.entries()) {
    if (!path) continue
    brush.fillStyle = tierColour(palette, tier)
    brush.fill(path)
  }
  brush.fillStyle = palette.control
  brush.fill(groups.sold)
  brush.strokeStyle = palette.control
  brush.lineWidth = Math.max(0.75, r * 0.2)
  brush.stroke(groups.held)
  brush.stroke(groups.blocked)
}

function addSeat(groups: Groups, code: number, tier: number, x: number, y: number, r: number): void {
  if (code === AVAILABLE) {
    const path = (groups.tiers[tier] ??= new Path2D())
    tierShape(tier)(path, x, y, r)
  } else if (code === RESERVED) heldShape(groups.held, x, y, r)
  else if (code === SOLD) soldShape(groups.sold, x, y, r)
  else blockedShape(groups.blocked, x, y, r)
}

/** The smallest radius (px) of a chosen seat: one's own seats are seen however far out one is. */
const CHOSEN_RADIUS_MIN = 7

export function drawChosen(
  brush: Brush,
  seats: Iterable<number>,
  positions: Float32Array,
  palette: Palette,
  { scale, dx, dy }: Placement,
): void {
  const r = Math.max(SEAT_RADIUS * scale * 1.2, CHOSEN_RADIUS_MIN)
  for (const n of seats) {
    const x = (positions[2 * n] ?? 0) * scale + dx
    const y = (positions[2 * n + 1] ?? 0) * scale + dy
    brush.beginPath()
    brush.arc(x, y, r, 0, 2 * Math.PI)
    brush.fillStyle = palette.ink
    brush.fill()
    brush.strokeStyle = palette.paper
    brush.lineWidth = 2
    brush.stroke()
    brush.beginPath()
    checkShape(brush, x, y, r)
    brush.lineWidth = Math.max(1.5, r * 0.22)
    brush.stroke()
  }
}

export function drawFocus(
  brush: Brush,
  n: number,
  positions: Float32Array,
  palette: Palette,
  { scale, dx, dy }: Placement,
): void {
  const r = Math.max(SEAT_RADIUS * scale * 1.2, CHOSEN_RADIUS_MIN) + 4
  brush.beginPath()
  brush.arc((positions[2 * n] ?? 0) * scale + dx, (positions[2 * n + 1] ?? 0) * scale + dy, r, 0, 2 * Math.PI)
  brush.strokeStyle = palette.focus
  brush.lineWidth = 3
  brush.stroke()
}
