// Decides the shape of a seat: one a price category, and one a state, so that colour is never the only sign.

type Pen = Pick<CanvasRenderingContext2D, 'moveTo' | 'lineTo' | 'arc' | 'rect' | 'closePath'>
type Shape = (pen: Pen, x: number, y: number, r: number) => void

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

/** The mark inside a chosen seat. */
export const checkShape: Shape = (pen, x, y, r) => {
  pen.moveTo(x - r * 0.45, y + r * 0.02)
  pen.lineTo(x - r * 0.1, y + r * 0.38)
  pen.lineTo(x + r * 0.48, y - r * 0.36)
}
