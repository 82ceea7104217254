// Owns the seats this server has just chosen for somebody: not offered again until everybody knows what became of them.
//
// Choices are made one after another in one process, so buyers who come at once never meet on the same seats here;
// another server's choices show as refusals, and its seats are left alone for a moment.

/** Longer than the news of a hold takes to come back by the seat feed, with Redis away for a moment. */
const CLAIM_MS = 10_000
/** A seat another server was just at. */
const REFUSED_MS = 1_000
/** Of one event; beyond it the oldest are forgotten, and the gate refuses what they would have spared. */
const CLAIMS_MAX = 50_000

export class Claims {
  #until = new Map<number, number>()

  has(n: number, now: number): boolean {
    const until = this.#until.get(n)
    if (until === undefined) return false
    if (until > now) return true
    this.#until.delete(n)
    return false
  }

  claim(seats: number[], now: number): void {
    this.#keep(seats, now + CLAIM_MS)
  }

  refused(seats: number[], now: number): void {
    this.#keep(seats, now + REFUSED_MS)
  }

  release(seats: number[]): void {
    for (const n of seats) this.#until.delete(n)
  }

  #keep(seats: number[], until: number): void {
    for (const n of seats) {
      this.#until.delete(n)
      this.#until.set(n, until)
    }
    for (const n of this.#until.keys()) {
      if (this.#until.size <= CLAIMS_MAX) break
      this.#until.delete(n)
    }
  }
}
