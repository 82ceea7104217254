// Owns one event's seat statuses in memory: two bits a seat, counts, and the latest changes for those who were away.
import type { SeatFeed } from '../../db/seat-gate/feed.ts'
import { codeAt, packCodes, setCode } from '../protocol/seat-map.ts'

/** Seats per status, in the order of the codes. */
export type Counts = [available: number, reserved: number, sold: number, blocked: number]

/** Changes kept for replay: some minutes of a busy sale, well below a megabyte. */
const REPLAY_CHANGES_MAX = 5_000

export class SeatMemory {
  readonly packed: Uint8Array
  readonly total: number
  readonly counts: Counts = [0, 0, 0, 0]
  #version: number
  #recent: SeatFeed[] = []
  #recentChanges = 0

  /** `codes` holds one code a byte, as read from Postgres while the feed stood at `version` or a little later. */
  constructor(codes: Uint8Array, version: number) {
    this.total = codes.length
    this.packed = packCodes(codes)
    this.#version = version
    for (const code of codes) this.#count(code, 1)
  }

  get version(): number {
    return this.#version
  }

  /** `gap` when a change is missing before this one, or it names a seat we do not know: reload. */
  apply(feed: SeatFeed): 'applied' | 'old' | 'gap' {
    if (feed.version <= this.#version) return 'old'
    if (feed.previous !== this.#version || feed.changes.some(([n]) => n >= this.total)) return 'gap'
    for (const [n, code] of feed.changes) {
      this.#count(codeAt(this.packed, n), -1)
      this.#count(code, 1)
      setCode(this.packed, n, code)
    }
    this.#version = feed.version
    this.#remember(feed)
    return 'applied'
  }

  /** What changed since a version, the latest code of each seat; null when that is too long ago or never was. */
  since(version: number): Map<number, number> | null {
    if (version === this.#version) return new Map()
    const from = this.#recent.findLastIndex((feed) => feed.previous === version)
    if (from < 0) return null
    return new Map(this.#recent.slice(from).flatMap((feed) => feed.changes))
  }

  isSameAs(other: SeatMemory): boolean {
    return this.#version === other.version && Buffer.compare(this.packed, other.packed) === 0
  }

  #count(code: number, by: 1 | -1): void {
    this.counts[code] = (this.counts[code] ?? 0) + by
  }

  #remember(feed: SeatFeed): void {
    this.#recent.push(feed)
    this.#recentChanges += feed.changes.length
    let forget = 0
    while (this.#recentChanges > REPLAY_CHANGES_MAX)
      this.#recentChanges -= this.#recent[forget++]?.changes.length ?? 0
    if (forget > 0) this.#recent.splice(0, forget)
  }
}
