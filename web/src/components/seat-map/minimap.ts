// Draws the whole map small: sections, the part in sight, one's own seats; and says where on the map a point of it is.
import type { MapView } from '../../../../server/protocol/http.ts'
import type { Brush } from './cached-layer.ts'
import type { Looks } from './looks.ts'
import type { Palette } from './palette.ts'
import { sectionShapes, type SectionShape } from './section-shapes.ts'
import { fitBox, SCALE_MAX, toWorld, type Box, type Size, type View } from './viewport.ts'

const MARGIN_PX = 3
const DOT_PX = 3
const PIXELS_MAX = 2

export class Minimap {
  readonly #pen: Brush
  readonly #map: MapView
  readonly #positions: Float32Array
  readonly #looks: Looks
  readonly #shapes: SectionShape[]
  /** The sections, drawn once for many moves. */
  readonly #ground: Brush
  readonly #size: Size
  readonly #pixels = Math.min(devicePixelRatio || 1, PIXELS_MAX)
  #palette: Palette

  constructor(
    canvas: HTMLCanvasElement,
    { map, positions, looks }: { map: MapView; positions: Float32Array; looks: Looks },
    palette: Palette,
  ) {
    this.#size = { width: canvas.clientWidth, height: canvas.clientHeight }
    this.#pen = penOf(canvas, this.#size, this.#pixels)
    this.#ground = penOf(document.createElement('canvas'), this.#size, this.#pixels)
    this.#map = map
    this.#positions = positions
    this.#looks = looks
    this.#shapes = sectionShapes(map, positions)
    this.#palette = palette
    this.renew(palette)
  }

  /** Free seats or colours have changed. */
  renew(palette: Palette): void {
    this.#palette = palette
    const pen = this.#ground
    const { scale, dx, dy } = this.#place
    pen.setTransform(1, 0, 0, 1, 0, 0)
    pen.clearRect(0, 0, pen.canvas.width, pen.canvas.height)
    pen.setTransform(this.#pixels * scale, 0, 0, this.#pixels * scale, this.#pixels * dx, this.#pixels * dy)
    pen.fillStyle = palette.rule
    pen.fillRect(...this.#map.stage)
    for (const [index, { outline }] of this.#shapes.entries()) {
      const look = this.#looks.sectionLook(index, palette)
      pen.globalAlpha = 0.25 + 0.6 * look.share
      pen.fillStyle = pen.strokeStyle = look.colour
      pen.lineWidth = 1
      pen.fill(outline)
    }
    pen.globalAlpha = 1
  }

  paint(seen: Box, mine: readonly number[]): void {
    const pen = this.#pen
    const { width, height } = this.#size
    const { scale, dx, dy } = this.#place
    pen.setTransform(1, 0, 0, 1, 0, 0)
    pen.clearRect(0, 0, pen.canvas.width, pen.canvas.height)
    pen.drawImage(this.#ground.canvas, 0, 0)
    pen.setTransform(this.#pixels, 0, 0, this.#pixels, 0, 0)
    pen.fillStyle = this.#palette.ink
    for (const n of mine) {
      const x = (this.#positions[2 * n] ?? 0) * scale + dx
      const y = (this.#positions[2 * n + 1] ?? 0) * scale + dy
      pen.beginPath()
      pen.arc(x, y, DOT_PX, 0, 2 * Math.PI)
      pen.fill()
    }
    const [left, right] = [within(seen.left * scale + dx, width), within(seen.right * scale + dx, width)]
    const [top, bottom] = [within(seen.top * scale + dy, height), within(seen.bottom * scale + dy, height)]
    pen.strokeStyle = this.#palette.ink
    pen.lineWidth = 1.5
    pen.strokeRect(left, top, right - left, bottom - top)
  }

  /** The place on the map under a point of the minimap, in CSS pixels within it. */
  worldAt(px: number, py: number): { x: number; y: number } {
    return toWorld(this.#view, this.#size, px, py)
  }

  get #view(): View {
    const whole = { left: 0, top: 0, right: this.#map.width, bottom: this.#map.height }
    return fitBox(whole, this.#size, SCALE_MAX, MARGIN_PX)
  }

  get #place() {
    const { x, y, scale } = this.#view
    return { scale, dx: this.#size.width / 2 - x * scale, dy: this.#size.height / 2 - y * scale }
  }
}

function penOf(canvas: HTMLCanvasElement, { width, height }: Size, pixels: number): Brush {
  canvas.width = Math.max(1, Math.round(width * pixels))
  canvas.height = Math.max(1, Math.round(height * pixels))
  const pen = canvas.getContext('2d')
  if (!pen) throw new Error('this browser gives no 2D canvas')
  return pen
}

const within = (value: number, most: number) => Math.min(Math.max(value, 0.75), most - 0.75)
