// Owns the glance at the hall that somebody waiting is given: seats free by tier, now and then looked at again.
import { expandMap, unpackStatus } from '../../../server/protocol/seat-map.ts'
import type { MapView } from '../../../server/protocol/http.ts'
import { getAvailability, getMap } from '../net/calls.ts'
import { serverClock } from '../net/server-clock.ts'

/** Many wait and few look closely: rarely, and each at their own moment. */
const LOOK_EVERY_MS = 60_000
const SPREAD_MS = 30_000
/** A larger hall is not sent to everybody who waits. */
const SEATS_MAX = 30_000

export interface Glance {
  map: MapView
  /** x, y of seat n at 2n and 2n + 1. */
  positions: Float32Array
  /** One code a seat; 0 is free. */
  codes: Uint8Array
  /** Free seats by index of tier. */
  free: number[]
  /** When it was so: ISO 8601. */
  at: string
}

export class HallGlance {
  seen = $state.raw<Glance | null>(null)
  readonly #eventId: string
  readonly #seats: number
  #map: MapView | null = null
  #positions: Float32Array | null = null

  constructor(eventId: string, seats: number) {
    this.#eventId = eventId
    this.#seats = seats
  }

  /** Looks now and then again as long as the page is seen; returns how to stop. */
  start(): () => void {
    if (this.#seats === 0 || this.#seats > SEATS_MAX) return () => {}
    const look = () => {
      if (!document.hidden) void this.#look()
    }
    look()
    const timer = setInterval(look, LOOK_EVERY_MS + Math.random() * SPREAD_MS)
    return () => clearInterval(timer)
  }

  async #look(): Promise<void> {
    if (!this.#map) {
      const answer = await getMap(this.#eventId)
      if (!answer.ok) return
      this.#map = answer.data
      this.#positions = expandMap(answer.data)
    }
    const [map, positions] = [this.#map, this.#positions]
    const answer = await getAvailability(this.#eventId)
    if (!answer.ok || !positions || answer.data.total !== map.total) return
    const codes = unpackStatus(answer.data.status, map.total)
    const at = new Date(serverClock.now()).toISOString()
    this.seen = { map, positions, codes, free: countFree(map, codes), at }
  }
}

function countFree(map: MapView, codes: Uint8Array): number[] {
  const free = map.tiers.map(() => 0)
  for (const { first, seats, tier } of map.sections)
    for (let n = first; n < first + seats; n += 1) if (codes[n] === 0) free[tier] = (free[tier] ?? 0) + 1
  return free
}
