// Owns the loads of `bench ledger`: which requests are sent, and what of their answers counts.
import { holdSeats } from '../../db/bookings/hold-seats.ts'
import { connectRedis, redisReady } from '../../db/redis.ts'
import { loadHttp, requestBytes, type Load, type Loaded } from './http-load.ts'
import { byDriver, CLIENTS } from './ledger-references.ts'
import type { LedgerStack } from './ledger-stack.ts'
import { quantile } from './report.ts'

const API = '/api/v1'
const [CREATED, OK, NOT_MODIFIED, CONFLICT, UNAVAILABLE] = [201, 200, 304, 409, 503]
/** Well above our rates; a hall that is sold out sooner ends its round sooner, and the rate is as true. */
const SEATS_PER_SECOND = 10_000
const MICROSECONDS = 1_000_000
const BOOKING_ID = /"data":\{"id":"([^"]+)"/
const SEAT_INDEX = /"seats":\[\{"id":"[^"]+","n":(\d+)/

export interface Run {
  /** Answers that count, a second. */
  rate: number
  p50: number
  p95: number
  p99: number
  /** Answers by status that were not meant to be, in words; '' when there were none. */
  unmeant: string
  /** CPU time an answer took, µs: of the generator, the servers, Postgres and Redis. */
  micros: Record<string, number>
  /** How much of a core each was busy. */
  cores: Record<string, number>
}

/** Answers of `status` a second; those of `also` are no error. */
export async function measure(
  stack: LedgerStack,
  load: Omit<Load, 'port'>,
  status: number,
  also: number[] = [],
): Promise<Run> {
  const used = stack.cpu()
  const loaded = await loadHttp({ ...load, port: stack.port })
  const { seconds, cores } = used()
  const each = (share: number) => (share * seconds * MICROSECONDS) / Math.max(1, loaded.latencies.length)
  return {
    rate: (loaded.byStatus.get(status) ?? 0) / loaded.seconds,
    p50: quantile(loaded.latencies, 0.5),
    p95: quantile(loaded.latencies, 0.95),
    p99: quantile(loaded.latencies, 0.99),
    unmeant: unmeant(loaded, [status, ...also]),
    cores,
    micros: Object.fromEntries(Object.entries(cores).map(([name, share]) => [name, each(share)])),
  }
}

function unmeant({ byStatus, dropped }: Loaded, meant: number[]): string {
  const others = [...byStatus].filter(([status]) => !meant.includes(status))
  const said = others.map(([status, count]) => `${count} × ${status}`)
  return [...said, ...(dropped > 0 ? [`${dropped} × no answer`] : [])].join(', ')
}

interface Pace {
  connections: number
  seconds: number
  perSecond?: number
}

/** Holds of distinct seats, each by the next buyer. `refusals` says whether 503 is a stated answer here. */
export async function holds(stack: LedgerStack, pace: Pace, refusals = false): Promise<Run> {
  const seats = pace.seconds * SEATS_PER_SECOND
  const eventId = await stack.openHall(seats)
  const next = holdRequests(stack, eventId, seats)
  return measure(stack, { ...pace, next }, CREATED, refusals ? [UNAVAILABLE] : [])
}

function holdRequests({ buyers }: LedgerStack, eventId: string, seats: number) {
  let n = 0
  return () => (n < seats ? holdRequest(buyers[n % buyers.length]!.token, eventId, n++) : null)
}

const holdRequest = (token: string, eventId: string, n: number) =>
  requestBytes('POST', `${API}/booking`, { token, body: { seatId: `${eventId}:${n}` } })

/** Every buyer wants the same seat, then the next; `rounds` seats in all. */
export async function hotSeats(
  stack: LedgerStack,
  { connections, rounds, perRound }: { connections: number; rounds: number; perRound: number },
): Promise<Run & { winners: number[] }> {
  const eventId = await stack.openHall(rounds)
  const winners = Array<number>(rounds).fill(0)
  let sent = 0
  const run = await measure(
    stack,
    {
      connections,
      seconds: 60,
      next() {
        const round = Math.floor(sent / perRound)
        const { token } = stack.buyers[sent++ % connections]!
        return round < rounds ? holdRequest(token, eventId, round) : null
      },
      answered(status, body) {
        if (status === CREATED) winners[Number(SEAT_INDEX.exec(body)![1])]! += 1
      },
    },
    CONFLICT,
    [CREATED],
  )
  return { ...run, winners }
}

/**
 * An authenticated GET that the server answers from memory: a map, which looks at who asks as every signed-in route does,
 * and is known to the asker already.
 */
export async function bareGets(stack: LedgerStack, pace: Pace): Promise<Run> {
  const eventId = await stack.openHall(200)
  const headers = { 'if-none-match': '*' }
  const requests = stack.buyers.map(({ token }) =>
    requestBytes('GET', `${API}/event/${eventId}/map`, { token, headers }),
  )
  let sent = 0
  return measure(stack, { ...pace, next: () => requests[sent++ % requests.length]! }, NOT_MODIFIED)
}

/** Pays `count` bookings that were held just before. */
export async function confirmations(
  stack: LedgerStack,
  { connections, count }: { connections: number; count: number },
): Promise<Run> {
  const eventId = await stack.openHall(count)
  const held: { id: string; token: string }[] = []
  let n = 0
  // Whose booking an answer is, its seat tells.
  await loadHttp({
    port: stack.port,
    connections,
    seconds: 60,
    next: () => (n < count ? holdRequest(buyerOf(stack, n), eventId, n++) : null),
    answered(status, body) {
      if (status !== CREATED) return
      held.push({
        id: BOOKING_ID.exec(body)![1]!,
        token: buyerOf(stack, Number(SEAT_INDEX.exec(body)![1])),
      })
    },
  })
  const next = () => {
    const booking = held.pop()
    if (!booking) return null
    const { id, token } = booking
    return requestBytes('POST', `${API}/payment/${id}/confirm`, { token, body: { method: 'sandbox_ok' } })
  }
  return measure(stack, { connections, seconds: 60, next }, OK)
}

const buyerOf = ({ buyers }: LedgerStack, n: number) => buyers[n % buyers.length]!.token

/** GETs of one path by nobody in particular; `bytes` is the length of the answer's body. */
export async function reads(stack: LedgerStack, path: string, pace: Pace): Promise<Run & { bytes: number }> {
  const answer = await fetch(`${stack.run.url}${API}${path}`, { headers: { 'accept-encoding': 'identity' } })
  const bytes = (await answer.arrayBuffer()).byteLength
  const request = requestBytes('GET', `${API}${path}`)
  return { ...(await measure(stack, { ...pace, next: () => request }, OK)), bytes }
}

/** Holds a second in this process, without HTTP and each in a transaction of its own. */
export async function holdsAlone(stack: LedgerStack, seconds: number): Promise<number> {
  const eventId = await stack.openHall(seconds * SEATS_PER_SECOND)
  const redis = connectRedis(stack.run.redis.url, { role: 'commands', name: 'bench' })
  try {
    await redisReady(redis)
    const gate = { db: stack.ledger.db, redis, alone: true }
    let n = 0
    return await byDriver(
      seconds,
      async () => {
        const at = n++
        const { accountId } = stack.buyers[at % stack.buyers.length]!
        const { ok } = await holdSeats(gate, { accountId, eventId, seats: [at] })
        if (!ok) throw new Error('a free seat was refused')
      },
      CLIENTS,
    )
  } finally {
    redis.disconnect()
  }
}
