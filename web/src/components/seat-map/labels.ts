// Owns the names on the map as small ready pictures: text with a rim is dear to draw, and names change seldom.
import type { Palette } from './palette.ts'
import type { Brush } from './cached-layer.ts'

const KEPT_MAX = 1_200
const RIM_PX = 4
/** Longer names are cut: the list says them whole. */
const LETTERS_MAX = 60

export interface LabelStyle {
  size: number
  weight: number
  colour: string
}

interface Label {
  picture: HTMLCanvasElement
  width: number
  height: number
}

export class Labels {
  readonly #palette: Palette
  readonly #pixels: number
  readonly #kept = new Map<string, Label>()
  readonly #ruler: Brush

  constructor(palette: Palette, pixels: number) {
    this.#palette = palette
    this.#pixels = pixels
    const ruler = document.createElement('canvas').getContext('2d')
    if (!ruler) throw new Error('this browser gives no 2D canvas')
    this.#ruler = ruler
  }

  /** Writes a text with its middle at (x, y), cut to `room` CSS pixels; answers the box it covers. */
  write(pen: Brush, text: string, x: number, y: number, room: number, style: LabelStyle) {
    const { picture, width, height } = this.#label(text, room, style)
    const [left, top] = [x - width / 2, y - height / 2]
    pen.drawImage(picture, left, top, width, height)
    return { left, right: left + width, top, bottom: top + height }
  }

  measure(text: string, { size, weight }: LabelStyle): number {
    this.#ruler.font = `${weight} ${size}px ${this.#palette.font}`
    return this.#ruler.measureText(text.slice(0, LETTERS_MAX)).width
  }

  #label(text: string, room: number, style: LabelStyle): Label {
    const key = `${style.size}/${style.weight}/${style.colour}/${Math.ceil(room / 8)}/${text}`
    const kept = this.#kept.get(key)
    if (kept) return kept
    if (this.#kept.size >= KEPT_MAX) this.#kept.clear()
    const made = this.#make(this.#cut(text, room, style), style)
    this.#kept.set(key, made)
    return made
  }

  #cut(text: string, room: number, style: LabelStyle): string {
    if (text.length <= LETTERS_MAX && this.measure(text, style) <= room) return text
    // By whole letters: half of one would be another.
    let letters = Array.from(text.slice(0, LETTERS_MAX))
    while (letters.length > 1 && this.measure(`${letters.join('')}…`, style) > room)
      letters = letters.slice(0, Math.floor(letters.length * 0.85))
    return `${letters.join('').trimEnd()}…`
  }

  #make(text: string, style: LabelStyle): Label {
    const width = Math.ceil(this.measure(text, style) + 2 * RIM_PX)
    const height = Math.ceil(style.size * 1.4 + RIM_PX)
    const picture = document.createElement('canvas')
    picture.width = Math.max(1, Math.round(width * this.#pixels))
    picture.height = Math.max(1, Math.round(height * this.#pixels))
    const pen = picture.getContext('2d')
    if (!pen) throw new Error('this browser gives no 2D canvas')
    pen.scale(this.#pixels, this.#pixels)
    pen.font = `${style.weight} ${style.size}px ${this.#palette.font}`
    pen.textAlign = 'center'
    pen.textBaseline = 'middle'
    pen.lineJoin = 'round'
    pen.lineWidth = RIM_PX
    pen.strokeStyle = this.#palette.paper
    pen.strokeText(text, width / 2, height / 2)
    pen.fillStyle = style.colour
    pen.fillText(text, width / 2, height / 2)
    return { picture, width, height }
  }
}
