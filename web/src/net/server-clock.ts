// Owns what we know of the server's time, so that every countdown ends when the server says so, not this device.

/** Past this the bounds say little, and a fresh sample alone is better (the device slept, or its clock was set). */
const STALE_MS = 10 * 60_000

/**
 * The offset (server − device, ms) lies between two bounds; every answer narrows them. Bounds that contradict each
 * other mean that a clock was changed: the newest sample then stands alone.
 */
export class ServerClock {
  #low = -Infinity
  #high = Infinity
  #sampledAt = -Infinity
  readonly #device: () => number

  constructor(device: () => number = Date.now) {
    this.#device = device
  }

  /**
   * @param serverMs the server's time when it answered, or spoke
   * @param sentAt device time when the question left, or null when the server spoke unasked
   */
  sample(serverMs: number, sentAt: number | null): void {
    const receivedAt = this.#device()
    const low = serverMs - receivedAt
    const high = sentAt === null ? Infinity : serverMs - sentAt
    if (!Number.isFinite(serverMs) || low > high) return
    const fresh = receivedAt - this.#sampledAt > STALE_MS
    const narrowedLow = fresh ? low : Math.max(low, this.#low)
    const narrowedHigh = fresh ? high : Math.min(high, this.#high)
    const agrees = narrowedLow <= narrowedHigh
    this.#low = agrees ? narrowedLow : low
    this.#high = agrees ? narrowedHigh : high
    this.#sampledAt = receivedAt
  }

  /** Server time in ms as well as we know it. */
  now(): number {
    return this.#device() + this.offset()
  }

  /** Server − device, in ms; 0 until something was heard. */
  offset(): number {
    const low = Number.isFinite(this.#low)
    const high = Number.isFinite(this.#high)
    if (low && high) return (this.#low + this.#high) / 2
    if (low) return this.#low
    return high ? this.#high : 0
  }
}

export const serverClock = new ServerClock()
