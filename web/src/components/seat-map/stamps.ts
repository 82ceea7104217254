// Owns small seats as ready pixels: each look drawn once, then written straight into a picture. A hundred thousand seats
// cost a few milliseconds so, where as many canvas calls cost a tenth of a second.
import { LOOKS_MAX, type Look } from './looks.ts'

/** Radius of a seat in seat pitches: neighbours stay apart. */
export const SEAT_RADIUS = 0.38

/** A seat lies between pixels: as many copies a direction as show it at its place; the larger, the fewer are needed. */
const phasesOf = (side: number) => (side <= 12 ? 4 : side <= 24 ? 2 : 1)

export class Stamps {
  readonly side: number
  readonly phases: number
  readonly #ink: Uint32Array

  /** @param pitch pixels (of the picture) between seats */
  constructor(looks: readonly Look[], pitch: number) {
    const radius = SEAT_RADIUS * pitch
    // The largest shape reaches 1.25 radii out.
    this.side = Math.ceil(2.5 * radius) + 2
    this.phases = phasesOf(this.side)
    this.#ink = inkOf(looks.slice(0, LOOKS_MAX), this.side, this.phases, radius)
  }

  /** Writes a look around (x, y), in pixels of the picture. */
  print(picture: Uint32Array, width: number, height: number, look: number, x: number, y: number): void {
    const { side, phases } = this
    const left = Math.floor(x)
    const top = Math.floor(y)
    const phase = Math.floor((y - top) * phases) * phases + Math.floor((x - left) * phases)
    const fromX = left - (side >> 1)
    const fromY = top - (side >> 1)
    let at = (look * phases * phases + phase) * side * side
    if (fromX < 0 || fromY < 0 || fromX + side > width || fromY + side > height) return
    const ink = this.#ink
    for (let row = 0; row < side; row += 1) {
      let to = (fromY + row) * width + fromX
      for (let column = 0; column < side; column += 1, at += 1, to += 1) {
        const colour = ink[at] ?? 0
        if (colour !== 0) picture[to] = colour
      }
    }
  }

  /** Makes the square around (x, y) empty again. */
  wipe(picture: Uint32Array, width: number, height: number, edge: number, x: number, y: number): void {
    const half = edge / 2
    const left = Math.max(0, Math.round(x - half))
    const right = Math.min(width, Math.round(x + half))
    const bottom = Math.min(height, Math.round(y + half))
    for (let row = Math.max(0, Math.round(y - half)); row < bottom; row += 1)
      picture.fill(0, row * width + left, row * width + right)
  }
}

function inkOf(looks: readonly Look[], side: number, phases: number, radius: number): Uint32Array {
  const variants = phases * phases
  const sheet = document.createElement('canvas')
  sheet.width = side * variants
  sheet.height = Math.max(1, side * looks.length)
  const pen = sheet.getContext('2d', { willReadFrequently: true })
  if (!pen) throw new Error('this browser gives no 2D canvas')
  for (const [row, look] of looks.entries())
    for (let variant = 0; variant < variants; variant += 1) {
      const shift = (step: number) => (step + 0.5) / phases
      const x = variant * side + (side >> 1) + shift(variant % phases)
      const y = row * side + (side >> 1) + shift(Math.floor(variant / phases))
      pen.beginPath()
      look.shape(pen, x, y, radius)
      if (look.fill) {
        pen.fillStyle = look.fill
        pen.fill()
      }
      if (look.stroke) {
        pen.strokeStyle = look.stroke
        pen.lineWidth = Math.max(0.75, radius * 0.2)
        pen.stroke()
      }
    }
  const pixels = new Uint32Array(pen.getImageData(0, 0, sheet.width, sheet.height).data.buffer)
  const ink = new Uint32Array(looks.length * variants * side * side)
  let at = 0
  for (let look = 0; look < looks.length; look += 1)
    for (let variant = 0; variant < variants; variant += 1)
      for (let row = 0; row < side; row += 1) {
        const from = (look * side + row) * sheet.width + variant * side
        ink.set(pixels.subarray(from, from + side), at)
        at += side
      }
  return ink
}
