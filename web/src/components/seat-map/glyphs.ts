// Decides the shape of a seat: one a price category, one a state, one a kind of access, so that colour is never the
// only sign.

export type ShapePen = Pick<CanvasRenderingContext2D, 'moveTo' | 'lineTo' | 'arc' | 'rect' | 'closePath'>
export type Shape = (pen: ShapePen, x: number, y: number, r: number) => void

const FULL_CIRCLE = 2 * Math.PI

const disc: Shape = (pen, x, y, r) => {
  pen.moveTo(x + r, y)
  pen.arc(x, y, r, 0, FULL_CIRCLE)
}

const square: Shape = (pen, x, y, r) => pen.rect(x - r * 0.88, y - r * 0.88, r * 1.76, r * 1.76)

const polygon =
  (corners: number, turn: number, grow: number): Shape =>
  (pen, x, y, r) => {
    for (let corner = 0; corner < corners; corner += 1) {
      const angle = turn + (corner * FULL_CIRCLE) / corners
      const [px, py] = [x + Math.cos(angle) * r * grow, y + Math.sin(angle) * r * grow]
      if (corner === 0) pen.moveTo(px, py)
      else pen.lineTo(px, py)
    }
    pen.closePath()
  }

const UP = -Math.PI / 2
const SHAPES: Shape[] = [
  disc,
  square,
  polygon(4, UP, 1.15),
  polygon(6, 0, 1.05),
  polygon(3, UP, 1.2),
  polygon(3, -UP, 1.2),
]

/** Price categories beyond these share shapes and colours again: the list tells them apart. */
export const TIER_SHAPES = SHAPES.length

/** The shape of a free seat of this price category. */
export const tierShape = (tier: number): Shape => SHAPES[tier % SHAPES.length] ?? disc

/** Held by somebody: an empty ring. */
export const heldShape: Shape = (pen, x, y, r) => disc(pen, x, y, r * 0.72)

/** Sold: a small dot, the seat's trace. */
export const soldShape: Shape = (pen, x, y, r) => disc(pen, x, y, r * 0.36)

/** Not for sale: a small cross. */
export const blockedShape: Shape = (pen, x, y, r) => {
  const arm = r * 0.42
  pen.moveTo(x - arm, y - arm)
  pen.lineTo(x + arm, y + arm)
  pen.moveTo(x + arm, y - arm)
  pen.lineTo(x - arm, y + arm)
}

/** A place for a wheelchair, and the seat of who comes along: broader than a seat, so it stands out from afar. */
export const accessShape: Shape = (pen, x, y, r) => pen.rect(x - r * 1.12, y - r * 1.12, r * 2.24, r * 2.24)

/** Somebody in a wheelchair: a head, a back, a wheel; drawn as lines. */
export const wheelchairSign: Shape = (pen, x, y, r) => {
  pen.moveTo(x - r * 0.02, y - r * 0.66)
  pen.arc(x - r * 0.12, y - r * 0.66, r * 0.1, 0, FULL_CIRCLE)
  pen.moveTo(x - r * 0.12, y - r * 0.42)
  pen.lineTo(x - r * 0.08, y + r * 0.12)
  pen.lineTo(x + r * 0.36, y + r * 0.12)
  pen.lineTo(x + r * 0.52, y + r * 0.6)
  pen.moveTo(x - r * 0.26, y - r * 0.08)
  pen.arc(x - r * 0.06, y + r * 0.26, r * 0.4, -2.1, 0.9, true)
}

/** Two heads side by side: whoever comes along. */
export const companionSign: Shape = (pen, x, y, r) => {
  for (const side of [-0.36, 0.36]) {
    pen.moveTo(x + r * (side + 0.17), y - r * 0.32)
    pen.arc(x + r * side, y - r * 0.32, r * 0.17, 0, FULL_CIRCLE)
    pen.moveTo(x + r * (side - 0.3), y + r * 0.45)
    pen.arc(x + r * side, y + r * 0.36, r * 0.3, Math.PI, 0)
  }
}

/** The mark inside a chosen seat. */
export const checkShape: Shape = (pen, x, y, r) => {
  pen.moveTo(x - r * 0.45, y + r * 0.02)
  pen.lineTo(x - r * 0.1, y + r * 0.38)
  pen.lineTo(x + r * 0.48, y - r * 0.36)
}
