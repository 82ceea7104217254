// Owns the seats as a layer: small ones stamped as pixels, near ones drawn live with their numbers; and patches single
// seats when their state changes.
import { CachedLayer, type Brush, type Placement } from './cached-layer.ts'
import type { Shape } from './glyphs.ts'
import type { Look, Looks } from './looks.ts'
import type { Palette } from './palette.ts'
import type { SeatIndex } from './seat-index.ts'
import { SEAT_RADIUS, Stamps } from './stamps.ts'
import { FAR_SCALE } from './draw-ground.ts'
import type { Size } from './viewport.ts'

/** From this many CSS pixels a pitch on, seats carry their number. */
const NUMBER_SCALE = 22
/** From here on a pixel's place no longer shows: seats are drawn as shapes. */
const SHAPE_SCALE = 16
/** More seats than this on the layer are stamped, however near: a large screen. */
const LIVE_MAX = 5_000
/** More changed seats in sight than this are quicker drawn anew, all of them. */
const PATCH_MAX = 600
/** A seat's own square, in seat pitches. */
const CELL = 0.98

export interface SeatSource {
  positions: Float32Array
  index: SeatIndex
  looks: Looks
  numberOf: (n: number) => string
  /** False for places without a place of their own: general admission. */
  isNumbered: (n: number) => boolean
}

export class SeatLayer {
  readonly #source: SeatSource
  readonly #layer: CachedLayer
  #palette: Palette
  #book: readonly Look[]
  #stamps: Stamps | null = null
  /** Of the stamped picture; null when the layer is drawn live. */
  #picture: ImageData | null = null
  #stampedAt = 0

  constructor(source: SeatSource, palette: Palette) {
    this.#source = source
    this.#palette = palette
    this.#book = source.looks.book(palette)
    this.#layer = new CachedLayer((brush, place, size, pixels) => this.#draw(brush, place, size, pixels))
  }

  recolour(palette: Palette): void {
    this.#palette = palette
    this.#book = this.#source.looks.book(palette)
    this.#stamps = null
    this.#layer.forget()
  }

  forget(): void {
    this.#layer.forget()
  }

  show(pen: Brush, place: Placement, screen: Size, pixels: number, moving: boolean): void {
    if (place.scale < FAR_SCALE) return
    this.#layer.show(pen, place, screen, pixels, moving)
  }

  /** Draws anew the seats that look different now. */
  patch(seats: readonly number[]): void {
    const { place, size, pixels, brush } = this.#layer
    if (!place) return
    const { positions, isNumbered } = this.#source
    const inSight = seats.filter((n) => {
      const x = (positions[2 * n] ?? 0) * place.scale + place.dx
      const y = (positions[2 * n + 1] ?? 0) * place.scale + place.dy
      return x > 0 && y > 0 && x < size.width && y < size.height && isNumbered(n)
    })
    if (inSight.length === 0) return
    if (this.#picture) return this.#restamp(inSight, this.#picture, place, pixels, brush)
    if (inSight.length > PATCH_MAX) return this.#layer.forget()
    const edge = CELL * place.scale
    for (const n of inSight) {
      const x = (positions[2 * n] ?? 0) * place.scale + place.dx
      const y = (positions[2 * n + 1] ?? 0) * place.scale + place.dy
      brush.clearRect(x - edge / 2, y - edge / 2, edge, edge)
    }
    this.#drawShapes(brush, inSight, place)
  }

  #draw(brush: Brush, place: Placement, size: Size, pixels: number): void {
    const inSight = this.#inSight(place, size)
    const live = place.scale >= NUMBER_SCALE || (place.scale >= SHAPE_SCALE && inSight.length <= LIVE_MAX)
    if (live) {
      this.#picture = null
      return this.#drawShapes(brush, inSight, place)
    }
    this.#stamp(inSight, place, pixels, brush)
  }

  #inSight({ scale, dx, dy }: Placement, { width, height }: Size): number[] {
    const box = {
      left: -dx / scale,
      top: -dy / scale,
      right: (width - dx) / scale,
      bottom: (height - dy) / scale,
    }
    const found: number[] = []
    this.#source.index.visitIn(box, (n) => {
      if (this.#source.isNumbered(n)) found.push(n)
    })
    return found
  }

  #stampsFor(pitch: number): Stamps {
    if (!this.#stamps || this.#stampedAt !== pitch) {
      this.#stamps = new Stamps(this.#book, pitch)
      this.#stampedAt = pitch
    }
    return this.#stamps
  }

  #stamp(seats: readonly number[], { scale, dx, dy }: Placement, pixels: number, brush: Brush): void {
    const { width, height } = brush.canvas
    const { positions, looks } = this.#source
    const stamps = this.#stampsFor(scale * pixels)
    const picture =
      this.#picture?.width === width && this.#picture.height === height
        ? this.#picture
        : brush.createImageData(width, height)
    const ink = new Uint32Array(picture.data.buffer)
    ink.fill(0)
    const [step, left, top] = [scale * pixels, dx * pixels, dy * pixels]
    for (const n of seats) {
      const x = (positions[2 * n] ?? 0) * step + left
      const y = (positions[2 * n + 1] ?? 0) * step + top
      stamps.print(ink, width, height, looks.lookOf(n), x, y)
    }
    this.#picture = picture
    brush.putImageData(picture, 0, 0)
  }

  #restamp(
    seats: readonly number[],
    picture: ImageData,
    { scale, dx, dy }: Placement,
    pixels: number,
    brush: Brush,
  ): void {
    const { width, height } = picture
    const { positions, looks } = this.#source
    const ink = new Uint32Array(picture.data.buffer)
    const stamps = this.#stampsFor(scale * pixels)
    const edge = CELL * scale * pixels
    let [left, top, right, bottom] = [width, height, 0, 0]
    for (const n of seats) {
      const x = ((positions[2 * n] ?? 0) * scale + dx) * pixels
      const y = ((positions[2 * n + 1] ?? 0) * scale + dy) * pixels
      stamps.wipe(ink, width, height, edge, x, y)
      stamps.print(ink, width, height, looks.lookOf(n), x, y)
      left = Math.min(left, x - edge)
      right = Math.max(right, x + edge)
      top = Math.min(top, y - edge)
      bottom = Math.max(bottom, y + edge)
    }
    const fromX = Math.max(0, Math.floor(left))
    const fromY = Math.max(0, Math.floor(top))
    const across = Math.min(width, Math.ceil(right)) - fromX
    const down = Math.min(height, Math.ceil(bottom)) - fromY
    if (across > 0 && down > 0) brush.putImageData(picture, 0, 0, fromX, fromY, across, down)
  }

  /** Grouped by look, because changing the brush costs more than drawing. */
  #drawShapes(brush: Brush, seats: readonly number[], place: Placement): void {
    const { positions, looks } = this.#source
    const { scale, dx, dy } = place
    const groups = Map.groupBy(seats, (n) => looks.lookOf(n))
    const numbered = scale >= NUMBER_SCALE
    if (numbered) {
      brush.font = `600 ${Math.round(scale * 0.4)}px ${this.#palette.font}`
      brush.textAlign = 'center'
      brush.textBaseline = 'middle'
    }
    const r = SEAT_RADIUS * scale
    for (const [key, group] of groups) {
      const look = this.#book[key]
      if (!look) continue
      const path = this.#pathOf(group, look.shape, place)
      if (look.fill) {
        brush.fillStyle = look.fill
        brush.fill(path)
      }
      if (look.stroke) {
        brush.strokeStyle = look.stroke
        brush.lineWidth = Math.max(0.75, r * 0.2)
        brush.stroke(path)
      }
      if (!look.ink) continue
      brush.fillStyle = brush.strokeStyle = look.ink
      if (look.sign) {
        brush.lineWidth = Math.max(1, r * 0.16)
        brush.stroke(this.#pathOf(group, look.sign, place))
      } else if (numbered)
        for (const n of group) {
          const x = (positions[2 * n] ?? 0) * scale + dx
          const y = (positions[2 * n + 1] ?? 0) * scale + dy
          brush.fillText(this.#source.numberOf(n), x, y)
        }
    }
  }

  #pathOf(seats: readonly number[], shape: Shape, { scale, dx, dy }: Placement): Path2D {
    const { positions } = this.#source
    const path = new Path2D()
    for (const n of seats) {
      const x = (positions[2 * n] ?? 0) * scale + dx
      const y = (positions[2 * n + 1] ?? 0) * scale + dy
      shape(path, x, y, SEAT_RADIUS * scale)
    }
    return path
  }
}
