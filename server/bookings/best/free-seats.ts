// Owns which seats of a hall can be offered now: free as far as is known, and not just chosen for somebody else.
//
// Choices are made one after another in one process, so buyers who come at once never meet on the same seats here;
// another server's choices show as refusals, and its seats are left alone for a moment. Whoever keeps something worked
// out of a row is told when the row is no longer what it was, so that nothing here is ever looked through as a whole.
import { codeAt } from '../../protocol/seat-map.ts'
import type { SeatMemory } from '../../events/seat-memory.ts'
import type { Hall } from './hall.ts'

/** Longer than a hold may take, with Redis away for a moment. */
const CLAIM_MS = 10_000
/** A seat another server is at this moment. */
const LOCKED_MS = 1_000
/** Of one hall; beyond it the oldest are forgotten, and the gate refuses what they would have spared. */
const CLAIMS_MAX = 50_000
/** Places of a general area are counted by so many. */
export const PLACES_PER_BLOCK = 256

const GONE = 1
const CLAIMED = 2

export class FreeSeats {
  /** Free seats with n in [256 i, 256 i + 256). */
  readonly inBlock: Uint16Array
  /** Free seats of each row. */
  readonly inRow: Uint32Array
  /** Called with the index of a row of which a seat was taken or given back. */
  onRowChanged: (row: number) => void = () => {}
  /** Of seat n: 0 = free. */
  #state: Uint8Array
  #claims = new Map<number, number>()
  /** In the order in which they end, one list a lifetime; those claimed anew stand in it twice. */
  #ends = { claim: new Ends(), locked: new Ends(), held: new Ends() }
  #seen: { memory: SeatMemory; version: number } | null = null

  constructor(readonly hall: Hall) {
    const { total, rows } = hall
    this.#state = new Uint8Array(total)
    this.inBlock = new Uint16Array(Math.ceil(total / PLACES_PER_BLOCK))
    for (let n = 0; n < total; n++) this.inBlock[Math.floor(n / PLACES_PER_BLOCK)]! += 1
    this.inRow = Uint32Array.from(rows, ({ count }) => count)
  }

  isFree(n: number): boolean {
    return this.#state[n] === 0
  }

  /** Takes over what became known since the last time; all of it only after a reload. */
  follow(memory: SeatMemory, now: number): void {
    this.#endClaims(now)
    const seen = this.#seen
    const changes = seen?.memory === memory ? memory.since(seen.version) : null
    if (changes) for (const [n, code] of changes) this.#tell(n, code)
    else {
      // What was held here is in what was read, unless it was given back since.
      for (const [n, until] of this.#claims) if (until > now + CLAIM_MS) this.release([n])
      const known = Math.min(memory.total, this.hall.total)
      for (let n = 0; n < known; n++) this.#tell(n, codeAt(memory.packed, n))
    }
    this.#seen = { memory, version: memory.version }
  }

  /** Not to be offered to others: their hold is under way. */
  claim(seats: number[], now: number): void {
    for (const n of seats) this.#keep(n, now + CLAIM_MS, this.#ends.claim)
  }

  /** Their hold stands until then. Without the feed nobody else would say so. */
  held(seats: number[], until: number): void {
    for (const n of seats)
      if (this.#state[n]! & GONE) this.release([n])
      else this.#keep(n, until, this.#ends.held)
  }

  /** Somebody else has them, or is about to. */
  lost(seats: number[], why: 'taken' | 'locked', now: number): void {
    const [until, ends] =
      why === 'taken' ? [now + CLAIM_MS, this.#ends.claim] : [now + LOCKED_MS, this.#ends.locked]
    for (const n of seats) if (n < this.hall.total) this.#keep(n, until, ends)
  }

  /** Another server is about to hold them; what is kept for a buyer of this one stays so. */
  chosenElsewhere(seats: number[], now: number): void {
    this.lost(
      seats.filter((n) => this.isFree(n)),
      'locked',
      now,
    )
  }

  release(seats: number[]): void {
    for (const n of seats) {
      this.#claims.delete(n)
      this.#set(n, this.#state[n]! & ~CLAIMED)
    }
  }

  /** Runs `look` as if `seats` were taken. */
  without<T>(seats: number[], look: () => T): T {
    const before = seats.map((n) => this.#state[n]!)
    for (const n of seats) this.#set(n, GONE)
    const found = look()
    for (const [i, n] of seats.entries()) this.#set(n, before[i]!)
    return found
  }

  /** A claim has done its part once the seat is known to be gone: given back, the seat is free at once. */
  #tell(n: number, code: number): void {
    if (code === 0) return this.#set(n, this.#state[n]! & ~GONE)
    this.#claims.delete(n)
    this.#set(n, GONE)
  }

  #keep(n: number, until: number, ends: Ends): void {
    this.#claims.delete(n)
    this.#claims.set(n, until)
    ends.add(n, until)
    this.#set(n, this.#state[n]! | CLAIMED)
    for (const [oldest] of this.#claims) {
      if (this.#claims.size <= CLAIMS_MAX) break
      this.release([oldest])
    }
  }

  #endClaims(now: number): void {
    for (const ends of Object.values(this.#ends))
      for (const { n, until } of ends.takeUntil(now)) if (this.#claims.get(n) === until) this.release([n])
  }

  #set(n: number, state: number): void {
    const before = this.#state[n]
    // Seats newer than this hall are offered by the one that is made of them.
    if (before === undefined || before === state) return
    this.#state[n] = state
    if ((before === 0) === (state === 0)) return
    const by = state === 0 ? 1 : -1
    const row = this.hall.rowOf[n]!
    this.inBlock[Math.floor(n / PLACES_PER_BLOCK)]! += by
    this.inRow[row]! += by
    this.onRowChanged(row)
  }
}

/** Seats and when their claims end, in that order: all of one list last equally long. */
class Ends {
  #list: { n: number; until: number }[] = []
  #next = 0

  add(n: number, until: number): void {
    this.#list.push({ n, until })
  }

  takeUntil(now: number): { n: number; until: number }[] {
    const from = this.#next
    while (this.#next < this.#list.length && this.#list[this.#next]!.until <= now) this.#next += 1
    const ended = this.#list.slice(from, this.#next)
    // Half of it is over: the rest moves up, which costs each entry one move on average.
    if (this.#next > this.#list.length / 2) {
      this.#list.splice(0, this.#next)
      this.#next = 0
    }
    return ended
  }
}
