// Decides what is painted at which nearness: sections from afar, stamped seats in the middle, live seats with numbers
// near by; what stands still comes from cached layers, what is one's own is drawn over them in every frame.
import type { MapView } from '../../../../server/protocol/http.ts'
import { CachedLayer, type Brush, type Placement } from './cached-layer.ts'
import { drawGround, drawNames, FAR_SCALE, PLATE_SCALE, type Ground } from './draw-ground.ts'
import { drawMine, drawOffer, drawRing, drawRowNames, drawWayBack } from './draw-marks.ts'
import { Labels } from './labels.ts'
import { readPalette, type Palette } from './palette.ts'
import { SeatLayer, type SeatSource } from './seat-layer.ts'
import { sectionShapes } from './section-shapes.ts'
import type { Box, Size, View } from './viewport.ts'

/** From this many CSS pixels a pitch on, rows are named. */
const ROW_NAME_SCALE = 13
/** More of a screen's own pixels than this are not seen, and cost four times the work. */
const PIXELS_MAX = 2

export interface Scene {
  view: View
  screen: Size
  /** While it moves, a dear layer may be shown stretched. */
  moving: boolean
  focused: number | null
  hovered: number | null
  chosen: readonly number[]
  /** Kept for us by the server. */
  held: readonly number[]
  offered: readonly number[]
  /** A rectangle being drawn to mark seats, in seat pitches. */
  band?: Box | null
}

export interface MapSource extends SeatSource {
  map: MapView
  stageName: string
}

export class Painter {
  readonly #canvas: HTMLCanvasElement
  readonly #pen: Brush
  readonly #source: MapSource
  readonly #ground: CachedLayer
  readonly #seats: SeatLayer
  #what: Ground
  #pixels = 0

  constructor(canvas: HTMLCanvasElement, source: MapSource) {
    const pen = canvas.getContext('2d', { alpha: false })
    if (!pen) throw new Error('this browser gives no 2D canvas')
    this.#canvas = canvas
    this.#pen = pen
    this.#source = source
    const palette = this.#readPalette()
    const { map, looks, stageName, positions } = source
    const shapes = sectionShapes(map, positions)
    this.#what = { map, shapes, looks, palette, stageName, labels: new Labels(palette, 1) }
    this.#ground = new CachedLayer((brush, place, size) => drawGround(brush, this.#what, place, size))
    this.#seats = new SeatLayer(source, palette)
  }

  get palette(): Palette {
    return this.#what.palette
  }

  /** The theme has changed: every colour is another. */
  recolour(): void {
    const palette = this.#readPalette()
    this.#what = { ...this.#what, palette, labels: new Labels(palette, this.#pixels || 1) }
    this.#seats.recolour(palette)
    this.#ground.forget()
  }

  /** Seats look different now: those named, or all. */
  changed(seats: readonly number[] | 'all'): void {
    if (seats === 'all') {
      this.#ground.forget()
      return this.#seats.forget()
    }
    // Near by, a section's plate says nothing of its seats; an area without numbers always does.
    const { isNumbered } = this.#source
    const scale = this.#ground.place?.scale ?? 0
    if (scale < PLATE_SCALE || !seats.every(isNumbered)) this.#ground.forget()
    this.#seats.patch(seats)
  }

  paint(scene: Scene): void {
    const { view, screen, moving } = scene
    if (screen.width < 1 || screen.height < 1) return
    const pixels = this.#fitCanvas(screen)
    const pen = this.#pen
    const place = placeOf(view, screen, pixels)
    pen.setTransform(1, 0, 0, 1, 0, 0)
    pen.fillStyle = this.#what.palette.paper
    pen.fillRect(0, 0, pen.canvas.width, pen.canvas.height)
    this.#ground.show(pen, place, screen, pixels, moving)
    this.#seats.show(pen, place, screen, pixels, moving)
    pen.setTransform(pixels, 0, 0, pixels, 0, 0)
    this.#paintMarks(scene, place)
  }

  #paintMarks({ screen, chosen, held, offered, hovered, focused, band }: Scene, place: Placement): void {
    const pen = this.#pen
    const { map, positions, isNumbered } = this.#source
    const { palette } = this.#what
    drawNames(pen, this.#what, place, screen)
    if (place.scale >= ROW_NAME_SCALE) drawRowNames(pen, map, positions, palette, place, screen)
    const mine = [...chosen, ...held].filter(isNumbered)
    drawMine(pen, chosen.filter(isNumbered), positions, palette, place, false)
    drawMine(pen, held.filter(isNumbered), positions, palette, place, true)
    drawOffer(pen, offered.filter(isNumbered), positions, palette, place)
    if (hovered !== null && isNumbered(hovered) && place.scale >= FAR_SCALE)
      drawRing(pen, hovered, positions, palette.ink, place)
    if (focused !== null && isNumbered(focused)) drawRing(pen, focused, positions, palette.focus, place)
    drawWayBack(pen, mine, positions, palette, place, screen)
    if (!band) return
    pen.fillStyle = pen.strokeStyle = palette.accent
    pen.lineWidth = 1.5
    const [x, y] = [band.left * place.scale + place.dx, band.top * place.scale + place.dy]
    const [width, height] = [(band.right - band.left) * place.scale, (band.bottom - band.top) * place.scale]
    pen.globalAlpha = 0.15
    pen.fillRect(x, y, width, height)
    pen.globalAlpha = 1
    pen.strokeRect(x, y, width, height)
  }

  #readPalette(): Palette {
    return readPalette(this.#canvas.parentElement ?? this.#canvas)
  }

  /** Device pixels a CSS pixel; the canvas is given exactly as many as it shows. */
  #fitCanvas({ width, height }: Size): number {
    const pixels = Math.min(devicePixelRatio || 1, PIXELS_MAX)
    const [w, h] = [Math.round(width * pixels), Math.round(height * pixels)]
    if (this.#canvas.width !== w) this.#canvas.width = w
    if (this.#canvas.height !== h) this.#canvas.height = h
    if (this.#pixels !== pixels) {
      this.#pixels = pixels
      this.#what = { ...this.#what, labels: new Labels(this.#what.palette, pixels) }
      this.#ground.forget()
    }
    return pixels
  }
}

/** On whole device pixels, so that layers are copied and never blurred. */
export function placeOf(view: View, screen: Size, pixels: number): Placement {
  const whole = (length: number) => Math.round(length * pixels) / pixels
  return {
    scale: view.scale,
    dx: whole(screen.width / 2 - view.x * view.scale),
    dy: whole(screen.height / 2 - view.y * view.scale),
  }
}
