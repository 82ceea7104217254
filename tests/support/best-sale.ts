// Owns a simulated sale by best choices: two servers, a gate that decides, a feed that comes late; no stores, its own clock.
import { SEAT_CODES, type SeatCode } from '../../db/lifecycle.ts'
import { judgeSale, type Judged, type Told } from '../../dev/bench/best-judge.ts'
import { Chooser } from '../../server/bookings/best/choose-seats.ts'
import { LISTEN_MS, shareClaims, type Claims } from '../../server/bookings/best/claims.ts'
import { FreeSeats } from '../../server/bookings/best/free-seats.ts'
import type { Hall } from '../../server/bookings/best/hall.ts'
import { SeatMemory } from '../../server/events/seat-memory.ts'
import { randomOf } from './sale.ts'

const SERVERS = 2
/** Of the buyers, those of the first server: it is never quite half. */
const FIRST_SHARE = 0.54
const ATTEMPTS_MAX = 8
const TENTHS = 10
/** As seen under load, ms: between two requests of a buyer; from the choice to the gate's word; from there to the commit. */
const [THINK, GATE, COMMIT] = [
  [1, 60],
  [10, 100],
  [40, 250],
] as const
/** From telling a claim, and a commit, to its being read by the others, ms. */
const [CLAIM, FEED_MS] = [[2, 12], 5] as const
const FOR_GOOD = Number.MAX_SAFE_INTEGER

export interface Ask {
  quantity: number
  section?: string
  tier?: string
}

export interface SimulatedSale {
  hall: Hall
  ask(i: number): Ask
  buyers: number
  seed: number
  /** Nothing that the servers tell each other of their choices arrives. */
  deaf?: boolean
  /** Nobody listens before entering another's rows. */
  hasty?: boolean
  /** The servers were not told which of how many they are. */
  unnumbered?: boolean
}

/** Share of the attempts that met somebody else's seats, by tenths of the hall; and what was done to it. */
export interface SimulatedOutcome extends Judged {
  conflicts: number[]
}

/** Everybody asks again and again until there is nothing more for anybody. The same seed is the same sale. */
export async function sellTo(plan: SimulatedSale): Promise<SimulatedOutcome> {
  const sale = new Sale(plan)
  await sale.run()
  const { ask, buyers } = plan
  return {
    ...judgeSale(plan.hall, sale.told, { ask, buyers, pauses: [sale.told.length] }),
    conflicts: sale.tenths.map(({ attempts, conflicts }) => conflicts / Math.max(1, attempts)),
  }
}

interface Server {
  index: number
  chooser: Chooser
  memory: SeatMemory
  claims: Claims
  underWay: number
}

class Sale {
  readonly told: Told[] = []
  readonly tenths = Array.from({ length: TENTHS }, () => ({ attempts: 0, conflicts: 0 }))
  #due = new Map<number, (() => void)[]>()
  #now = 0
  #pending = 0
  #random: () => number
  #servers: Server[]
  #taken = new Set<number>()
  #version = 0
  #asked = 0
  #chosen = 0
  #inVain = 0

  constructor(private readonly plan: SimulatedSale) {
    this.#random = randomOf(plan.seed)
    const listeners = new Set<(message: string) => void>()
    const channels = {
      listen: (_channel: string, listener: (message: string) => void) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    }
    const redis = {
      publish: async (_channel: unknown, message: unknown) => {
        for (const listener of plan.deaf ? [] : listeners)
          this.#in(this.#between(CLAIM), () => listener(String(message)))
        return listeners.size
      },
    }
    this.#servers = Array.from({ length: SERVERS }, (_, index) => {
      const free = new FreeSeats(plan.hall)
      const heard = (seats: number[]) => free.chosenElsewhere(seats, this.#now)
      const memory = new SeatMemory(new Uint8Array(plan.hall.total), 0)
      const claims = shareClaims({ channels, redis }, 'event', heard)
      return { index, chooser: new Chooser(free), memory, claims, underWay: 0 }
    })
  }

  async run(): Promise<void> {
    for (let buyer = 0; buyer < this.plan.buyers; buyer++) this.#next(buyer)
    for (; this.#pending > 0; this.#now++) {
      const due = this.#due.get(this.#now) ?? []
      this.#due.delete(this.#now)
      for (const happen of due) {
        this.#pending -= 1
        happen()
        // The end of a telling is awaited.
        await Promise.resolve()
      }
    }
  }

  #in(ms: number, happen: () => void): void {
    const at = this.#now + ms
    this.#due.set(at, [...(this.#due.get(at) ?? []), happen])
    this.#pending += 1
  }

  #between([from, to]: readonly [number, number]): number {
    return Math.ceil(from + (to - from) * this.#random())
  }

  #next(buyer: number): void {
    if (this.#inVain >= 2 * this.plan.buyers) return
    const ask = this.plan.ask(this.#asked++)
    const server = this.#servers[buyer < FIRST_SHARE * this.plan.buyers ? 0 : 1]!
    this.#in(this.#between(THINK), () => {
      server.underWay += ask.quantity
      this.#attempt(server, ask, 1, () => {
        server.underWay -= ask.quantity
        this.#next(buyer)
      })
    })
  }

  #attempt(server: Server, ask: Ask, attempt: number, done: () => void, listened = false): void {
    const { chooser, memory, index, underWay, claims } = server
    chooser.free.follow(memory, this.#now)
    const numbered = this.plan.unnumbered ? claims.lane(Date.now()) : { index, of: SERVERS }
    const lane = { ...numbered, underWay: underWay - ask.quantity }
    const choice = chooser.choose({ ...ask, together: true }, lane)
    if ('none' in choice) {
      this.#inVain += 1
      return done()
    }
    const { seats } = choice
    const listens = !this.plan.hasty && !listened && attempt === 1 && lane.underWay > 0
    if (listens && chooser.entersOthers(seats, lane))
      return this.#in(LISTEN_MS, () => this.#attempt(server, ask, attempt, done, true))
    chooser.free.claim(seats, this.#now)
    claims.tell(seats)
    const id = String(this.#chosen++).padStart(9, '0')
    this.#in(this.#between(GATE), () => {
      const lost = seats.filter((n) => this.#taken.has(n))
      const tenth = this.tenths[Math.floor((TENTHS * this.#taken.size) / this.plan.hall.total)]
      if (tenth) tenth.attempts += 1
      if (tenth && lost.length > 0) tenth.conflicts += 1
      if (lost.length === 0) return this.#hold(server, { id, seats }, done)
      chooser.free.release(seats)
      chooser.free.lost(lost, 'taken', this.#now)
      if (attempt < ATTEMPTS_MAX) this.#attempt(server, ask, attempt + 1, done)
      else done()
    })
  }

  #hold({ chooser }: Server, { id, seats }: Told, done: () => void): void {
    for (const n of seats) this.#taken.add(n)
    this.#in(this.#between(COMMIT), () => {
      this.#inVain = 0
      this.told.push({ id, seats })
      chooser.free.held(seats, FOR_GOOD)
      const previous = this.#version++
      const changes = seats.map((n) => [n, SEAT_CODES.RESERVED] as [number, SeatCode])
      const feed = { previous, version: this.#version, changes }
      this.#in(FEED_MS, () => {
        for (const { memory } of this.#servers) memory.apply(feed)
      })
      done()
    })
  }
}
