// Owns one layer of the map as a picture somewhat larger than the screen: moving the map copies it, and only a new
// nearness or the picture's edge draws it again.
import type { Size } from './viewport.ts'

/** Where seat pitches land, in CSS pixels: x·scale + dx. */
export interface Placement {
  scale: number
  dx: number
  dy: number
}
export type Brush = CanvasRenderingContext2D

/** Around the screen, in pixels of the device: how far the map can be dragged before the layer is drawn again. */
const MARGIN_PX = 160
/** While the nearness changes, a layer that takes longer than this to draw is shown stretched instead, if that is quicker. */
const BUDGET_MS = 8
const STRETCH_MAX = 1.8
/** A slow drawing counts for less with every frame it was avoided, so that it is tried again. */
const FORGIVEN = 0.9

export type DrawLayer = (brush: Brush, place: Placement, size: Size, pixels: number) => void

export class CachedLayer {
  readonly brush: Brush
  /** Where the picture's own pixels lie; null while it holds nothing. */
  place: Placement | null = null
  /** In CSS pixels. */
  size: Size = { width: 0, height: 0 }
  /** Device pixels a CSS pixel. */
  pixels = 1
  readonly #draw: DrawLayer
  /** Of the latest drawing and the latest stretching: a busy moment does not decide for long. */
  #drawnMs = 0
  #stretchedMs = 0

  constructor(draw: DrawLayer) {
    const canvas = document.createElement('canvas')
    const brush = canvas.getContext('2d')
    if (!brush) throw new Error('this browser gives no 2D canvas')
    this.brush = brush
    this.#draw = draw
  }

  /** What it shows has changed everywhere. */
  forget(): void {
    this.place = null
  }

  /** Copies the layer to the screen, whose pen counts in device pixels. */
  show(pen: Brush, place: Placement, screen: Size, pixels: number, moving: boolean): void {
    if (!this.#serves(place, screen, pixels, moving)) this.#renew(place, screen, pixels)
    const own = this.place
    if (!own) return
    const stretch = place.scale / own.scale
    const x = (place.dx - own.dx * stretch) * pixels
    const y = (place.dy - own.dy * stretch) * pixels
    const { canvas } = this.brush
    if (stretch === 1) return copy(pen, canvas, -Math.round(x), -Math.round(y))
    const began = performance.now()
    pen.imageSmoothingEnabled = true
    pen.imageSmoothingQuality = 'low'
    pen.drawImage(canvas, x, y, canvas.width * stretch, canvas.height * stretch)
    this.#stretchedMs = performance.now() - began
    this.#drawnMs *= FORGIVEN
  }

  #serves(place: Placement, screen: Size, pixels: number, moving: boolean): boolean {
    const own = this.place
    if (!own || this.pixels !== pixels) return false
    const stretch = place.scale / own.scale
    if (stretch !== 1) {
      const near = stretch < STRETCH_MAX && stretch > 1 / STRETCH_MAX
      const quicker = this.#drawnMs > BUDGET_MS && this.#drawnMs > this.#stretchedMs
      if (!moving || !quicker || !near) return false
    }
    const left = place.dx - own.dx * stretch
    const top = place.dy - own.dy * stretch
    // A stretched picture may leave the rim of the screen empty for a moment while it shrinks.
    if (stretch < 1) return true
    return (
      left <= 0 &&
      top <= 0 &&
      left + this.size.width * stretch >= screen.width &&
      top + this.size.height * stretch >= screen.height
    )
  }

  #renew({ scale, dx, dy }: Placement, screen: Size, pixels: number): void {
    const began = performance.now()
    const margin = Math.round(MARGIN_PX / pixels)
    this.size = { width: screen.width + 2 * margin, height: screen.height + 2 * margin }
    this.pixels = pixels
    this.place = { scale, dx: dx + margin, dy: dy + margin }
    const { canvas } = this.brush
    const [width, height] = [Math.round(this.size.width * pixels), Math.round(this.size.height * pixels)]
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width
      canvas.height = height
    }
    this.brush.setTransform(1, 0, 0, 1, 0, 0)
    this.brush.clearRect(0, 0, width, height)
    this.brush.setTransform(pixels, 0, 0, pixels, 0, 0)
    this.#draw(this.brush, this.place, this.size, pixels)
    this.#drawnMs = performance.now() - began
  }
}

/** The part of `from` that begins at (x, y) and is as large as the screen; pixel by pixel. */
function copy(pen: Brush, from: HTMLCanvasElement, x: number, y: number): void {
  const { width, height } = pen.canvas
  pen.imageSmoothingEnabled = false
  pen.drawImage(from, x, y, width, height, 0, 0, width, height)
}
