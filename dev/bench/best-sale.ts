// Owns one sale of `bench best`: everybody asks for the best at once, tenth by tenth, until nobody gets anything more.
import { SEAT_CODES, type SeatCode } from '../../db/lifecycle.ts'
import { connectRedis, redisReady, type RedisClient } from '../../db/redis.ts'
import { getEvent } from '../../db/events.ts'
import { Chooser } from '../../server/bookings/best/choose-seats.ts'
import { FreeSeats } from '../../server/bookings/best/free-seats.ts'
import { hallOf, type Hall } from '../../server/bookings/best/hall.ts'
import { SeatMemory } from '../../server/events/seat-memory.ts'
import { saleAttemptsKey } from '../../server/events/keys.ts'
import { layOut } from '../../server/protocol/map-layout/lay-out.ts'
import type { Ask, SalePlan } from './best-plans.ts'
import { loadHttp, requestBytes } from './http-load.ts'
import type { LedgerStack } from './ledger-stack.ts'

const PATH = '/api/v1/booking/best'
const [CREATED, CONFLICT] = [201, 409]
const TENTHS = 10
/** Servers add their counts up once a second. */
const COUNTED_AFTER_MS = 1_300
const SECONDS_MAX = 120
/** Of the plan, to see whether what is left would meet one of them. */
const WISHES = 1_000
/** Refusals that answer somebody who asks for what is not there any more. */
const NONE_LEFT = new Set(['sold_out', 'seats_not_together'])
/** More than a server's claims last, so that nothing a buyer gave up is still out of sight. */
const CLAIMS_OVER_MS = 11_000

interface Tenth {
  attempts: number
  conflicts: number
}

export interface Sold {
  tenths: Tenth[]
  holds: number
  seconds: number
  latencies: number[]
  /** Buyers told that somebody else was quicker, after all tries of the server's own. */
  refusedInside: number
  orphansMade: number
  avoidableOrphans: number
  left: number
  /** Wishes that the rest of the seats would still have met. */
  fitting: number
  /** Seats told to two buyers. */
  twice: number
  /** Answers that were not meant to be, in words. */
  unmeant: string
  cores: string
}

export async function sellOut(
  stack: LedgerStack,
  plan: SalePlan & { seats: number; buyers: number },
): Promise<Sold> {
  const eventId = await stack.openHouse(plan.house(plan.seats))
  const redis = connectRedis(stack.run.redis.url, { role: 'commands', name: 'bench' })
  await redisReady(redis)
  try {
    const sale = new Sale(stack, eventId, plan)
    const cores = stack.cores()
    const tenths: Tenth[] = []
    let before = await attemptsOf(redis, eventId)
    for (let tenth = 1; tenth <= TENTHS; tenth++) {
      await sale.sellUntil(tenth === TENTHS ? Infinity : (plan.seats * tenth) / TENTHS)
      await Bun.sleep(COUNTED_AFTER_MS)
      const now = await attemptsOf(redis, eventId)
      tenths.push({
        attempts: now.attempts - before.attempts,
        conflicts: now.conflicts - before.conflicts,
      })
      before = now
    }
    // What was refused to one of two who met is free again once both servers know it.
    await Bun.sleep(CLAIMS_OVER_MS)
    await sale.sellUntil(Infinity)
    return { ...sale.sold, ...(await judge(stack, eventId, sale.told, plan)), tenths, cores: cores() }
  } finally {
    redis.disconnect()
  }
}

async function attemptsOf(redis: RedisClient, eventId: string): Promise<Tenth> {
  const [attempts, conflicts] = await redis.hmget(saleAttemptsKey(eventId), 'total', 'conflicts')
  return { attempts: Number(attempts ?? 0), conflicts: Number(conflicts ?? 0) }
}

/** The buyers and what they were told, in the order of the answers. */
class Sale {
  readonly told: number[][] = []
  readonly sold = { holds: 0, seconds: 0, latencies: [] as number[], refusedInside: 0, unmeant: '' }
  #asked = 0
  #seatsTold = 0
  #stack: LedgerStack
  #plan: SalePlan & { buyers: number }
  #eventId: string

  constructor(stack: LedgerStack, eventId: string, plan: SalePlan & { buyers: number }) {
    this.#stack = stack
    this.#plan = plan
    this.#eventId = eventId
  }

  /** Until so many seats are told, or as many requests in a row as there are buyers got nothing. */
  async sellUntil(seats: number): Promise<void> {
    let emptyInARow = 0
    let underWay = 0
    const loaded = await loadHttp({
      port: this.#stack.port,
      connections: this.#plan.buyers,
      seconds: SECONDS_MAX,
      next: () => {
        // What is under way will be told: one request more than needed at the most.
        if (this.#seatsTold + underWay >= seats || emptyInARow >= 2 * this.#plan.buyers) return null
        const ask = this.#plan.ask(this.#asked)
        const { token } = this.#stack.buyers[this.#asked % this.#stack.buyers.length]!
        this.#asked += 1
        underWay += ask.quantity
        return requestBytes('POST', PATH, { token, body: { eventId: this.#eventId, ...ask } })
      },
      answered: (status, body) => {
        const answer = JSON.parse(body) as Answer
        if (status === CREATED) {
          const taken = answer.data.seats.map(({ n }) => n)
          this.told.push(taken)
          this.#seatsTold += taken.length
          underWay -= taken.length
          this.sold.holds += 1
          emptyInARow = 0
        } else if (NONE_LEFT.has(answer.code)) emptyInARow += 1
        else if (status === CONFLICT) this.sold.refusedInside += 1
        else this.sold.unmeant = `${status} ${answer.code}`
      },
    })
    this.sold.seconds += loaded.seconds
    this.sold.latencies.push(...loaded.latencies)
    if (loaded.dropped > 0) this.sold.unmeant = `${loaded.dropped} × no answer`
  }
}

interface Answer {
  code: string
  data: { seats: { n: number }[] }
}

/**
 * Replays what was told in the order of the answers. An orphan was avoidable when the same number of seats could have
 * been had without one, in that section, and nobody who was under way at that moment was given them instead.
 */
async function judge(
  stack: LedgerStack,
  eventId: string,
  told: number[][],
  { ask, buyers }: SalePlan & { buyers: number },
) {
  const hall = hallOf(layOut(await getEvent(stack.ledger.db, eventId)))
  const [then, soon] = [new Replay(hall, told), new Replay(hall, told)]
  let [orphansMade, avoidableOrphans] = [0, 0]
  for (const [at, seats] of told.entries()) {
    const made = orphansBeside(then.free, seats)
    if (made > 0) {
      soon.playUntil(at + buyers)
      const { section } = hall.rows[hall.rowOf[seats[0]!]!]!
      const other = soon.choose({ quantity: seats.length, section })
      orphansMade += made
      if (other && orphansBeside(soon.free, other) === 0) avoidableOrphans += made
    }
    then.playUntil(at + 1)
  }
  const gone = new Set(told.flat())
  const wishes = Array.from({ length: WISHES }, (_, i) => ask(i))
  return {
    orphansMade,
    avoidableOrphans,
    twice: told.flat().length - gone.size,
    left: hall.total - gone.size,
    fitting: wishes.filter((wish) => then.choose(wish)).length,
  }
}

/** The hall as it was after so many answers. */
class Replay {
  readonly free: FreeSeats
  #chooser: Chooser
  #memory: SeatMemory
  #told: number[][]

  constructor(hall: Hall, told: number[][]) {
    this.free = new FreeSeats(hall)
    this.#chooser = new Chooser(this.free)
    this.#memory = new SeatMemory(new Uint8Array(hall.total), 0)
    this.#told = told
  }

  playUntil(count: number): void {
    for (let at = this.#memory.version; at < Math.min(count, this.#told.length); at++) {
      const changes = this.#told[at]!.map((n) => [n, SEAT_CODES.RESERVED] as [number, SeatCode])
      this.#memory.apply({ previous: at, version: at + 1, changes })
      this.free.follow(this.#memory, 0)
    }
  }

  choose(ask: Ask): number[] | null {
    const choice = this.#chooser.choose({ ...ask, together: true }, { index: 0, of: 1, underWay: 0 })
    return 'seats' in choice ? choice.seats : null
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
