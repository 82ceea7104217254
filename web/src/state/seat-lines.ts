// Decides how a section's seats lie in the list: rows one under the other, each broken into lines of cells; and which
// of them are worth drawing. A section of a million seats costs as much as what is in sight of it.
import type { MapSection } from '../../../server/protocol/http.ts'

/** In CSS pixels. */
export const CELL_PX = 44
export const GAP_PX = 4
const HEAD_PX = 32
const ROW_GAP_PX = 10
const LINE_PX = CELL_PX + GAP_PX

export interface LineSeat {
  n: number
  /** 0-based, within its row. */
  index: number
  left: number
  top: number
}
export interface LineRow {
  /** 0-based, within the section. */
  row: number
  /** From the top of the list. */
  top: number
  height: number
  seats: LineSeat[]
}

export class SeatLines {
  readonly columns: number
  readonly height: number
  readonly #section: MapSection
  readonly #tops: Float64Array
  readonly #firsts: Uint32Array

  /** @param width of the list, in CSS pixels */
  constructor(section: MapSection, width: number) {
    this.#section = section
    this.columns = Math.max(1, Math.floor((width + GAP_PX) / (CELL_PX + GAP_PX)))
    this.#tops = new Float64Array(section.rows.length + 1)
    this.#firsts = new Uint32Array(section.rows.length + 1)
    this.#firsts[0] = section.first
    for (const [row, { count }] of section.rows.entries()) {
      const height = HEAD_PX + Math.ceil(count / this.columns) * LINE_PX + ROW_GAP_PX
      this.#tops[row + 1] = (this.#tops[row] ?? 0) + height
      this.#firsts[row + 1] = (this.#firsts[row] ?? 0) + count
    }
    this.height = this.#tops[section.rows.length] ?? 0
  }

  /** The first seat of a row. */
  firstOf(row: number): number {
    return this.#firsts[row] ?? this.#section.first
  }

  /** The row of a seat of this section. */
  rowOf(n: number): number {
    return lastAtMost(this.#firsts, n, this.#section.rows.length)
  }

  /** Where a seat's cell begins, from the top of the list. */
  topOf(n: number): number {
    const row = this.rowOf(n)
    return (this.#tops[row] ?? 0) + HEAD_PX + Math.floor((n - this.firstOf(row)) / this.columns) * LINE_PX
  }

  /** What lies between two heights, and in any case the cell of `always`. */
  between(from: number, to: number, always: number | null): LineRow[] {
    const rows = this.#section.rows.length
    if (rows === 0) return []
    const firstRow = lastAtMost(this.#tops, Math.max(0, from), rows)
    const found: LineRow[] = []
    for (let row = firstRow; row < rows && (this.#tops[row] ?? 0) < to; row += 1)
      found.push(this.#cut(row, from, to, always))
    const standing = always === null ? null : this.rowOf(always)
    if (standing !== null && !found.some(({ row }) => row === standing))
      found.push(this.#cut(standing, from, to, always))
    return found.toSorted((a, b) => a.row - b.row)
  }

  #cut(row: number, from: number, to: number, always: number | null): LineRow {
    const top = this.#tops[row] ?? 0
    const count = this.#section.rows[row]?.count ?? 0
    const first = this.firstOf(row)
    const lineAt = (height: number) => Math.floor((height - top - HEAD_PX) / LINE_PX)
    const begin = Math.max(0, lineAt(from)) * this.columns
    const end = Math.min(count, (Math.max(-1, lineAt(to)) + 1) * this.columns)
    const seats: LineSeat[] = []
    const add = (index: number) =>
      seats.push({
        n: first + index,
        index,
        left: (index % this.columns) * LINE_PX,
        top: HEAD_PX + Math.floor(index / this.columns) * LINE_PX,
      })
    const lone = always === null ? -1 : always - first
    if (lone >= 0 && lone < Math.min(begin, count)) add(lone)
    for (let index = begin; index < end; index += 1) add(index)
    if (lone >= Math.max(end, begin) && lone < count) add(lone)
    return { row, top, height: (this.#tops[row + 1] ?? 0) - top, seats }
  }
}

/** The last index below `count` whose value is at most `value`; the values ascend. */
function lastAtMost(values: ArrayLike<number>, value: number, count: number): number {
  let low = 0
  let high = count - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((values[middle] ?? 0) <= value) low = middle
    else high = middle - 1
  }
  return low
}
