// Owns the live status of every seat: a snapshot, the changes after it, and the free seats counted by section.
import type { AvailabilityView, MapView } from '../../../server/protocol/http.ts'
import { unpackStatus } from '../../../server/protocol/seat-map.ts'

export const AVAILABLE = 0
export const RESERVED = 1
export const SOLD = 2
export const BLOCKED = 3

export class SeatStatus {
  version = -1
  codes: Uint8Array
  /** Free seats by the section's index in the map. */
  readonly free: Uint32Array
  readonly #map: MapView
  readonly #sectionOf: Uint16Array

  constructor(map: MapView) {
    this.#map = map
    this.codes = new Uint8Array(map.total).fill(BLOCKED)
    this.free = new Uint32Array(map.sections.length)
    this.#sectionOf = new Uint16Array(map.total)
    for (const [index, { first, seats }] of map.sections.entries())
      this.#sectionOf.fill(index, first, first + seats)
  }

  /** Replaces everything, unless what we have is newer already. */
  load(snapshot: AvailabilityView): boolean {
    if (snapshot.version < this.version) return false
    this.version = snapshot.version
    this.codes = unpackStatus(snapshot.status, this.#map.total)
    this.free.fill(0)
    for (let n = 0; n < this.codes.length; n += 1) if (this.codes[n] === AVAILABLE) this.#count(n, 1)
    return true
  }

  /** Takes changes in; answers the seats that are different now. Old news changes nothing. */
  apply(version: number, changes: readonly (readonly [number, number])[]): number[] {
    if (version <= this.version) return []
    this.version = version
    return changes.flatMap(([n, code]) => (this.set(n, code) ? [n] : []))
  }

  /** What we were told about one seat outside the stream, by a refusal. */
  set(n: number, code: number): boolean {
    const before = this.codes[n]
    if (before === undefined || before === code) return false
    this.codes[n] = code
    if (before === AVAILABLE) this.#count(n, -1)
    if (code === AVAILABLE) this.#count(n, 1)
    return true
  }

  isFree(n: number): boolean {
    return this.codes[n] === AVAILABLE
  }

  freeIn(first: number, count: number): number {
    let free = 0
    for (let n = first; n < first + count; n += 1) if (this.codes[n] === AVAILABLE) free += 1
    return free
  }

  sectionOf(n: number): number {
    return this.#sectionOf[n] ?? 0
  }

  #count(n: number, by: number): void {
    const section = this.sectionOf(n)
    this.free[section] = (this.free[section] ?? 0) + by
  }
}
