// Owns the names on the map as ready pictures, all on one sheet: text with a rim is dear to draw, a canvas for each is
// dear to make, and names change seldom.
import type { Palette } from './palette.ts'
import type { Brush } from './cached-layer.ts'

/** Of the sheet, in its own pixels; when it is full it is begun anew. */
const SHEET_WIDTH = 2_048
const SHEET_HEIGHT = 1_024
const WIDTHS_MAX = 4_000
const RIM_PX = 4
/** Longer names are cut: the list says them whole. */
const LETTERS_MAX = 60

export interface LabelStyle {
  size: number
  weight: number
  colour: string
}

/** Where a label lies on the sheet, and its size in CSS pixels. */
interface Label {
  left: number
  top: number
  width: number
  height: number
}

export class Labels {
  readonly #palette: Palette
  readonly #pixels: number
  readonly #kept = new Map<string, Label>()
  readonly #widths = new Map<string, number>()
  readonly #sheet: Brush
  /** Labels stand in shelves: where the next one goes, and where the next shelf begins. */
  #left = 0
  #top = 0
  #shelf = 0

  constructor(palette: Palette, pixels: number) {
    this.#palette = palette
    this.#pixels = pixels
    const canvas = document.createElement('canvas')
    canvas.width = SHEET_WIDTH
    canvas.height = SHEET_HEIGHT
    const sheet = canvas.getContext('2d')
    if (!sheet) throw new Error('this browser gives no 2D canvas')
    this.#sheet = sheet
  }

  /** Writes a text with its middle at (x, y), cut to `room` CSS pixels; answers the box it covers. */
  write(pen: Brush, text: string, x: number, y: number, room: number, style: LabelStyle) {
    const { left, top, width, height } = this.#label(text, room, style)
    const [atX, atY] = [x - width / 2, y - height / 2]
    const [across, down] = [width * this.#pixels, height * this.#pixels]
    pen.drawImage(this.#sheet.canvas, left, top, across, down, atX, atY, width, height)
    return { left: atX, right: atX + width, top: atY, bottom: atY + height }
  }

  measure(text: string, { size, weight }: LabelStyle): number {
    const key = `${size}/${weight}/${text}`
    const kept = this.#widths.get(key)
    if (kept !== undefined) return kept
    if (this.#widths.size >= WIDTHS_MAX) this.#widths.clear()
    this.#sheet.font = `${weight} ${size}px ${this.#palette.font}`
    const { width } = this.#sheet.measureText(text.slice(0, LETTERS_MAX))
    this.#widths.set(key, width)
    return width
  }

  #label(text: string, room: number, style: LabelStyle): Label {
    const shown = this.#cut(text, room, style)
    const key = `${style.size}/${style.weight}/${style.colour}/${shown}`
    const kept = this.#kept.get(key)
    if (kept) return kept
    const made = this.#make(shown, style)
    this.#kept.set(key, made)
    return made
  }

  /** As much of a text as there is room for: cut to few different lengths, so that few pictures are made of it. */
  #cut(text: string, room: number, style: LabelStyle): string {
    if (text.length <= LETTERS_MAX && this.measure(text, style) <= room) return text
    // By whole letters: half of one would be another.
    let letters = Array.from(text.slice(0, LETTERS_MAX))
    while (letters.length > 1 && this.measure(`${letters.join('')}…`, style) > room)
      letters = letters.slice(0, Math.floor(letters.length * 0.85))
    return `${letters.join('').trimEnd()}…`
  }

  #make(text: string, style: LabelStyle): Label {
    const room = SHEET_WIDTH / this.#pixels - 1
    const width = Math.min(room, Math.ceil(this.measure(text, style) + 2 * RIM_PX))
    const height = Math.ceil(style.size * 1.4 + RIM_PX)
    const { left, top } = this.#place(Math.ceil(width * this.#pixels), Math.ceil(height * this.#pixels))
    const pen = this.#sheet
    pen.setTransform(this.#pixels, 0, 0, this.#pixels, left, top)
    pen.font = `${style.weight} ${style.size}px ${this.#palette.font}`
    pen.textAlign = 'center'
    pen.textBaseline = 'middle'
    pen.lineJoin = 'round'
    pen.lineWidth = RIM_PX
    pen.strokeStyle = this.#palette.paper
    pen.strokeText(text, width / 2, height / 2, width)
    pen.fillStyle = style.colour
    pen.fillText(text, width / 2, height / 2, width)
    pen.setTransform(1, 0, 0, 1, 0, 0)
    return { left, top, width, height }
  }

  #place(across: number, down: number): { left: number; top: number } {
    if (this.#left + across > SHEET_WIDTH) {
      this.#left = 0
      this.#top = this.#shelf
    }
    if (this.#top + down > SHEET_HEIGHT) {
      this.#sheet.clearRect(0, 0, SHEET_WIDTH, SHEET_HEIGHT)
      this.#kept.clear()
      this.#left = this.#top = this.#shelf = 0
    }
    const at = { left: this.#left, top: this.#top }
    this.#left += across + 1
    this.#shelf = Math.max(this.#shelf, this.#top + down + 1)
    return at
  }
}
