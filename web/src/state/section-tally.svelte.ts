// Owns how each section of a house is taken: sold, held, free and off sale, counted anew a few times a second at most.
import type { SeatMap } from './seat-map.svelte.ts'

const COUNT_EVERY_MS = 500

/** By availability code: free, held, sold, off sale. */
export type SectionCounts = [free: number, held: number, sold: number, blocked: number]

export class SectionTally {
  counts = $state.raw<SectionCounts[]>([])
  readonly #seats: SeatMap

  constructor(seats: SeatMap) {
    this.#seats = seats
  }

  /** Counts whenever seats changed; returns how to stop. */
  follow(): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined
    const later = () => {
      timer ??= setTimeout(() => {
        timer = undefined
        this.counts = countSections(this.#seats)
      }, COUNT_EVERY_MS)
    }
    const stop = this.#seats.onChange(later)
    this.counts = countSections(this.#seats)
    return () => {
      clearTimeout(timer)
      stop()
    }
  }
}

function countSections(seats: SeatMap): SectionCounts[] {
  return (seats.map?.sections ?? []).map(({ first, seats: count }) => {
    const counts: SectionCounts = [0, 0, 0, 0]
    for (let n = first; n < first + count; n += 1) counts[seats.codeOf(n) & 3]! += 1
    return counts
  })
}
