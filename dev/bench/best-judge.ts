// Decides what a sale of `bench best` did to the hall: seats left alone, seats told twice, and what is left.
import { SEAT_CODES, type SeatCode } from '../../db/lifecycle.ts'
import { Chooser } from '../../server/bookings/best/choose-seats.ts'
import { FreeSeats } from '../../server/bookings/best/free-seats.ts'
import type { Hall } from '../../server/bookings/best/hall.ts'
import { SeatMemory } from '../../server/events/seat-memory.ts'
import type { Ask } from './best-plans.ts'

/** Of the plan, to see whether what is left would meet one of them. */
const WISHES = 1_000

/** A booking as its buyer was told of it. */
export interface Told {
  id: string
  seats: number[]
}

export interface Judged {
  /** Seats that a choice left alone, as the hall was then. */
  orphansMade: number
  /** Of these: the same number of seats was to be had without, in that section. */
  orphansWithChoice: number
  /** Of these: and nobody who was under way at that moment was given them instead. */
  avoidableOrphans: number
  /** Free seats between taken ones or at a row's end, at each pause; whatever the order, nothing is under way then. */
  alone: number[]
  left: number
  /** Wishes that the rest of the seats would still have met. */
  fitting: number
  /** Seats told to two buyers. */
  twice: number
}

interface Sale {
  ask(i: number): Ask
  buyers: number
  /** How many bookings had been told when all was quiet. */
  pauses: number[]
}

/**
 * Replays a sale in the order in which its seats were chosen. That of the answers would say nothing: of two neighbours
 * the second is often told first, and the seats between would count as left alone by somebody who knew them taken.
 */
export function judgeSale(hall: Hall, told: Told[], { ask, buyers, pauses }: Sale): Judged {
  const chosen = inOrderOfChoice(told)
  const [then, soon] = [new Replay(hall, chosen), new Replay(hall, chosen)]
  let [orphansMade, orphansWithChoice, avoidableOrphans] = [0, 0, 0]
  const alone: number[] = []
  for (const [at, seats] of chosen.entries()) {
    const made = orphansBeside(then.free, seats)
    if (made > 0) {
      const { section } = hall.rows[hall.rowOf[seats[0]!]!]!
      const wish = { quantity: seats.length, section }
      soon.playUntil(at + buyers)
      orphansMade += made
      if (then.hasWithoutOrphan(wish)) orphansWithChoice += made
      if (soon.hasWithoutOrphan(wish)) avoidableOrphans += made
    }
    then.playUntil(at + 1)
    if (pauses.includes(at + 1)) alone.push(aloneIn(then.free))
  }
  const gone = new Set(chosen.flat())
  const wishes = Array.from({ length: WISHES }, (_, i) => ask(i))
  return {
    orphansMade,
    orphansWithChoice,
    avoidableOrphans,
    alone,
    twice: chosen.flat().length - gone.size,
    left: hall.total - gone.size,
    fitting: wishes.filter((wish) => then.choose(wish)).length,
  }
}

/** A booking's id begins with the moment of its making, which is that of the choice: in one process to the order. */
const inOrderOfChoice = (told: Told[]) =>
  told.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(({ seats }) => seats)

/** The hall as it was after so many choices. */
class Replay {
  readonly free: FreeSeats
  #chooser: Chooser
  #memory: SeatMemory
  #chosen: number[][]

  constructor(hall: Hall, chosen: number[][]) {
    this.free = new FreeSeats(hall)
    this.#chooser = new Chooser(this.free)
    this.#memory = new SeatMemory(new Uint8Array(hall.total), 0)
    this.#chosen = chosen
  }

  playUntil(count: number): void {
    for (let at = this.#memory.version; at < Math.min(count, this.#chosen.length); at++) {
      const changes = this.#chosen[at]!.map((n) => [n, SEAT_CODES.RESERVED] as [number, SeatCode])
      this.#memory.apply({ previous: at, version: at + 1, changes })
      this.free.follow(this.#memory, 0)
    }
  }

  choose(ask: Ask): number[] | null {
    const choice = this.#chooser.choose({ ...ask, together: true }, { index: 0, of: 1, underWay: 0 })
    return 'seats' in choice ? choice.seats : null
  }

  hasWithoutOrphan(ask: Ask): boolean {
    const seats = this.choose(ask)
    return seats !== null && orphansBeside(this.free, seats) === 0
  }
}

/** Seats that taking these leaves alone and that were not before; none in a general area. */
function orphansBeside(free: FreeSeats, seats: number[]): number {
  const { hall } = free
  const row = hall.rows[hall.rowOf[seats[0]!]!]!
  if (row.general) return 0
  const [first, last] = [seats[0]!, seats.at(-1)!]
  const isFree = (n: number) => n >= row.first && n < row.first + row.count && free.isFree(n)
  const left = isFree(first - 1) && !isFree(first - 2)
  const right = isFree(last + 1) && !isFree(last + 2)
  return Number(left) + Number(right)
}

function aloneIn(free: FreeSeats): number {
  let alone = 0
  for (const { first, count, general } of free.hall.rows) {
    if (general) continue
    const isFree = (n: number) => n >= first && n < first + count && free.isFree(n)
    for (let n = first; n < first + count; n++) if (isFree(n) && !isFree(n - 1) && !isFree(n + 1)) alone += 1
  }
  return alone
}
