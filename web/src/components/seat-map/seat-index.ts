// Finds seats by place: those in sight, and the one nearest to a finger; a grid of cells over the whole map.
import type { Box } from './viewport.ts'

/** Edge of a cell in seat pitches: some 16 seats a cell. */
const CELL = 4

export class SeatIndex {
  readonly #positions: Float32Array
  readonly #columns: number
  readonly #rows: number
  /** Seats sorted by cell; those of cell c are order[starts[c] … starts[c + 1]). */
  readonly #starts: Uint32Array
  readonly #order: Uint32Array

  /** @param positions x of seat n at 2n, y at 2n + 1, in seat pitches within (0, 0, width, height) */
  constructor(positions: Float32Array, width: number, height: number) {
    const total = positions.length / 2
    this.#positions = positions
    this.#columns = Math.max(1, Math.ceil(width / CELL) + 1)
    this.#rows = Math.max(1, Math.ceil(height / CELL) + 1)
    this.#starts = new Uint32Array(this.#columns * this.#rows + 1)
    this.#order = new Uint32Array(total)
    const cells = new Uint32Array(total)
    for (let n = 0; n < total; n += 1) {
      const cell = this.#row(positions[2 * n + 1] ?? 0) * this.#columns + this.#column(positions[2 * n] ?? 0)
      cells[n] = cell
      this.#starts[cell + 1] = (this.#starts[cell + 1] ?? 0) + 1
    }
    for (let cell = 0; cell < this.#columns * this.#rows; cell += 1)
      this.#starts[cell + 1] = (this.#starts[cell + 1] ?? 0) + (this.#starts[cell] ?? 0)
    const next = this.#starts.slice()
    for (let n = 0; n < total; n += 1) {
      const cell = cells[n] ?? 0
      const at = next[cell] ?? 0
      this.#order[at] = n
      next[cell] = at + 1
    }
  }

  /** Calls `visit` for every seat in or within a cell of `box`. */
  visitIn(box: Box, visit: (n: number) => void): void {
    const right = this.#column(box.right)
    const bottom = this.#row(box.bottom)
    for (let row = this.#row(box.top); row <= bottom; row += 1) {
      const from = this.#starts[row * this.#columns + this.#column(box.left)] ?? 0
      const to = this.#starts[row * this.#columns + right + 1] ?? 0
      for (let at = from; at < to; at += 1) visit(this.#order[at] ?? 0)
    }
  }

  /** The seat nearest to (x, y) within `reach`, all in seat pitches; null when there is none. */
  nearest(x: number, y: number, reach: number): number | null {
    let best: number | null = null
    let bestSquare = reach * reach
    this.visitIn({ left: x - reach, top: y - reach, right: x + reach, bottom: y + reach }, (n) => {
      const dx = (this.#positions[2 * n] ?? 0) - x
      const dy = (this.#positions[2 * n + 1] ?? 0) - y
      const square = dx * dx + dy * dy
      if (square > bestSquare) return
      bestSquare = square
      best = n
    })
    return best
  }

  #column(x: number): number {
    return Math.min(this.#columns - 1, Math.max(0, Math.floor(x / CELL)))
  }

  #row(y: number): number {
    return Math.min(this.#rows - 1, Math.max(0, Math.floor(y / CELL)))
  }
}
