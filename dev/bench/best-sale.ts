// Owns one sale of `bench best`: everybody asks for the best at once, tenth by tenth, until nobody gets anything more.
import { connectRedis, redisReady, type RedisClient } from '../../db/redis.ts'
import { getEvent } from '../../db/events.ts'
import { hallOf } from '../../server/bookings/best/hall.ts'
import { saleAttemptsKey } from '../../server/events/keys.ts'
import { layOut } from '../../server/protocol/map-layout/lay-out.ts'
import { judgeSale, type Judged, type Told } from './best-judge.ts'
import type { SalePlan } from './best-plans.ts'
import { loadHttp, requestBytes } from './http-load.ts'
import type { LedgerStack } from './ledger-stack.ts'

const PATH = '/api/v1/booking/best'
const [CREATED, CONFLICT] = [201, 409]
const TENTHS = 10
/** Servers add their counts up once a second. */
const COUNTED_AFTER_MS = 1_300
const SECONDS_MAX = 120
/** Refusals that answer somebody who asks for what is not there any more. */
const NONE_LEFT = new Set(['sold_out', 'seats_not_together'])
/** More than a server's claims last, so that nothing a buyer gave up is still out of sight. */
const CLAIMS_OVER_MS = 11_000

interface Tenth {
  attempts: number
  conflicts: number
}

export interface Sold extends Judged {
  tenths: Tenth[]
  holds: number
  seconds: number
  latencies: number[]
  /** Buyers told that somebody else was quicker, after all tries of the server's own. */
  refusedInside: number
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
    const pauses: number[] = []
    let before = await attemptsOf(redis, eventId)
    for (let tenth = 1; tenth <= TENTHS; tenth++) {
      await sale.sellUntil(tenth === TENTHS ? Infinity : (plan.seats * tenth) / TENTHS)
      await Bun.sleep(COUNTED_AFTER_MS)
      pauses.push(sale.told.length)
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
    const used = cores()
    const hall = hallOf(layOut(await getEvent(stack.ledger.db, eventId)))
    return { ...sale.sold, ...judgeSale(hall, sale.told, { ...plan, pauses }), tenths, cores: used }
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
  readonly told: Told[] = []
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
          this.told.push({ id: answer.data.id, seats: taken })
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
  data: { id: string; seats: { n: number }[] }
}
