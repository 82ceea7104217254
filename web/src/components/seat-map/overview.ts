// Owns the picture of the whole map, painted once and patched seat by seat: what is shown from afar and in motion.
import { drawSeats, type Brush, type SeatLooks } from './draw-seats.ts'
import type { Palette } from './palette.ts'

/** Most pixels of the picture: 32 MB of memory. */
const PIXELS_MAX = 8_000_000
/** Pixels a seat pitch beyond which the picture gains nothing: nearer, seats are drawn live. */
const PITCH_MAX = 12
/** More changed seats than this are quicker painted anew. */
const PATCH_MAX = 2_000
/** A seat's own square on the picture, in seat pitches. */
const CELL = 0.98

export class Overview {
  readonly picture: HTMLCanvasElement
  /** Pixels a seat pitch. */
  readonly pitch: number
  readonly #brush: Brush
  readonly #seats: Iterable<number>
  readonly #looks: SeatLooks
  readonly #palette: Palette

  constructor(
    map: { width: number; height: number },
    seats: Iterable<number>,
    looks: SeatLooks,
    palette: Palette,
  ) {
    this.pitch = Math.min(PITCH_MAX, Math.sqrt(PIXELS_MAX / Math.max(1, map.width * map.height)))
    this.picture = document.createElement('canvas')
    this.picture.width = Math.ceil(map.width * this.pitch)
    this.picture.height = Math.ceil(map.height * this.pitch)
    const brush = this.picture.getContext('2d')
    if (!brush) throw new Error('this browser gives no 2D canvas')
    this.#brush = brush
    this.#seats = seats
    this.#looks = looks
    this.#palette = palette
    this.paint()
  }

  paint(): void {
    this.#brush.clearRect(0, 0, this.picture.width, this.picture.height)
    drawSeats(this.#brush, this.#seats, this.#looks, this.#palette, this.#placement())
  }

  patch(seats: readonly number[]): void {
    if (seats.length > PATCH_MAX) return this.paint()
    const edge = CELL * this.pitch
    const { positions } = this.#looks
    for (const n of seats) {
      const x = (positions[2 * n] ?? 0) * this.pitch
      const y = (positions[2 * n + 1] ?? 0) * this.pitch
      this.#brush.clearRect(x - edge / 2, y - edge / 2, edge, edge)
    }
    drawSeats(this.#brush, seats, this.#looks, this.#palette, this.#placement())
  }

  #placement() {
    return { scale: this.pitch, dx: 0, dy: 0 }
  }
}
