/** Owns one synthetic buyer: stand in line, take the turn, book what is free, pay or not, leave. */
import type { BookingView } from '../../server/protocol/http.ts'
import type { RoomPhase, SandboxMethod } from '../../server/protocol/codes.ts'
import type { Api } from './api.ts'
import type { Line, LineEvent } from './line.ts'
import type { Visit } from './order.ts'
import type { Seats } from './seats.ts'

/** A place lost without a booking (a missed turn, a pass run out) is tried for again this often. */
const MOST_VISITS = 3
const MOST_SEAT_TRIES = 200
const RETRY_PAUSE_MS = 60
const NO_SEATS_PAUSE_MS = 500

export type Outcome = 'bought' | 'walked_away' | 'sold_out' | 'closed' | 'out_of_time' | 'refused'

/** What is needed of a booking's answer. */
type Held = Pick<BookingView, 'id' | 'seats'>

export interface BuyerPlan {
  party: number
  /** Whether this one pays, or leaves the booking to expire. */
  pays: boolean
  /** Whether the provider's word on the payment gets lost, both as an answer and as a webhook. */
  losesWebhook?: boolean
  /** How long nothing to buy is borne, in ms. */
  patienceMs: number
  /** Looking at the map before a hold, and half of it again before paying; the mean, in ms. */
  thinkMs: number
  /** ms since the epoch. */
  deadline: number
  eventId: string
  /** False when the event sells without a room. */
  room: boolean
}

/** What one buyer went through; durations in ms. */
export interface BuyerRecord {
  state: 'arriving' | 'waiting' | 'admitted' | 'done'
  visits: Visit[]
  outcome: Outcome | undefined
  seats: number
  /** How often the time at the seats was over before anything was booked, or while it was. */
  passesLost: number
  joinMs: number[]
  claimMs: number[]
  bookMs: number[]
  payMs: number[]
}

export function newRecord(): BuyerRecord {
  const durations = { joinMs: [], claimMs: [], bookMs: [], payMs: [] }
  return { state: 'arriving', visits: [], outcome: undefined, seats: 0, passesLost: 0, ...durations }
}

export interface BuyerWorld {
  api: Api
  seats: Seats
  /** Opens this buyer's connection to the line. */
  join(listen: (event: LineEvent) => void): Line
}

/** Resolves when the buyer has bought, given up, or run out of time; `record` is filled on the way. */
export async function runBuyer(plan: BuyerPlan, world: BuyerWorld, record: BuyerRecord): Promise<void> {
  if (plan.room) await runVisits(plan, world, record)
  else record.outcome = (await shop(plan, world, record, () => undefined)) ?? 'refused'
  record.state = 'done'
}

async function runVisits(plan: BuyerPlan, world: BuyerWorld, record: BuyerRecord) {
  for (let visits = 0; visits < MOST_VISITS && record.outcome === undefined; visits += 1) {
    const visit = new Standing(record)
    const line = world.join((event) => visit.hear(event, line))
    const admitted = await visit.untilAdmitted(plan)
    record.outcome = admitted
      ? await shop(plan, world, record, () => visit.pass)
      : visit.ended
        ? undefined
        : visit.whyNot()
    visit.leave()
    line.leave()
    await Bun.sleep(RETRY_PAUSE_MS)
    line.close()
  }
  record.outcome ??= 'refused'
}

/** One stay in the line, from the socket's opening to the end of the pass. */
class Standing {
  pass: string | undefined
  ended = false
  readonly #record: BuyerRecord
  readonly #began = performance.now()
  #visit: Visit | undefined
  #phase: RoomPhase | undefined
  #claimedAt: number | undefined
  #soldOutSince: number | undefined

  constructor(record: BuyerRecord) {
    this.#record = record
  }

  hear(event: LineEvent, line: Line) {
    if (event.type === 'room') this.#enterPhase(event.phase)
    if (event.type === 'joined') this.#enter(event.epoch, event.number, event.place)
    if (event.type === 'turn') {
      if (this.#visit) this.#visit.calledBy ??= { stamp: Date.parse(event.claimBefore), seen: Date.now() }
      this.#claimedAt ??= performance.now()
      line.claim()
    }
    if (event.type === 'admitted') this.#admit(event.pass, event.expiresAt)
    if (event.type === 'ended') {
      if (event.reason === 'pass_expired') this.#record.passesLost += 1
      this.ended = true
      this.pass = undefined
      this.leave()
    }
  }

  /** False when the place was lost, nothing is left to wait for, or time is over. */
  async untilAdmitted({ deadline, patienceMs }: BuyerPlan): Promise<boolean> {
    while (this.pass === undefined) {
      const hopeless = this.#soldOutSince !== undefined && Date.now() - this.#soldOutSince > patienceMs
      if (this.ended || hopeless || this.#phase === 'closed' || Date.now() > deadline) return false
      await Bun.sleep(RETRY_PAUSE_MS)
    }
    return true
  }

  whyNot(): Outcome {
    if (this.#phase === 'closed') return 'closed'
    return this.#soldOutSince === undefined ? 'out_of_time' : 'sold_out'
  }

  leave() {
    if (this.#visit) this.#visit.leftAt ??= Date.now()
  }

  #enterPhase(phase: RoomPhase) {
    this.#phase = phase
    this.#soldOutSince = phase === 'sold_out' ? (this.#soldOutSince ?? Date.now()) : undefined
  }

  #enter(epoch: number, number: number, place: number | null) {
    if (this.#visit?.epoch === epoch && this.#visit.number === number) {
      this.#visit.place = place
      return
    }
    if (!this.#visit) this.#record.joinMs.push(performance.now() - this.#began)
    this.leave()
    this.#visit = { epoch, number, place, joinedAt: Date.now() }
    this.#record.visits.push(this.#visit)
    this.#record.state = 'waiting'
  }

  #admit(pass: string, expiresAt: string) {
    if (this.pass === undefined && this.#visit?.admittedBy === undefined) {
      const sinceClaim = this.#claimedAt === undefined ? [] : [performance.now() - this.#claimedAt]
      this.#record.claimMs.push(...sinceClaim)
    }
    if (this.#visit) this.#visit.admittedBy ??= { stamp: Date.parse(expiresAt), seen: Date.now() }
    this.pass = pass
    this.#record.state = 'admitted'
  }
}

/** Undefined when the pass ended before anything was booked: the line may be joined again. */
async function shop(
  plan: BuyerPlan,
  { api, seats }: BuyerWorld,
  record: BuyerRecord,
  pass: () => string | undefined,
): Promise<Outcome | undefined> {
  let nothingSince: number | undefined
  for (let tries = 0; tries < MOST_SEAT_TRIES && Date.now() < plan.deadline;) {
    if (plan.room && pass() === undefined) return undefined
    const seatIds = await seats.pick(plan.party)
    if (seatIds.length === 0) {
      nothingSince ??= Date.now()
      if (Date.now() - nothingSince > plan.patienceMs) return 'sold_out'
      await Bun.sleep(NO_SEATS_PAUSE_MS)
      continue
    }
    nothingSince = undefined
    tries += 1
    // Whoever looks long may find the seat gone, as people do; the second choice is quicker.
    await think(plan.thinkMs / tries)
    if (plan.room && pass() === undefined) return undefined
    const began = performance.now()
    const key = Bun.randomUUIDv7()
    const held = await api.call<Held>({
      method: 'POST',
      path: '/booking',
      body: { seatIds },
      pass: pass(),
      key,
    })
    record.bookMs.push(performance.now() - began)
    if (held.ok) {
      if (!plan.pays) return 'walked_away'
      await think(plan.thinkMs / 2)
      return pay(held.data, api, record, plan.losesWebhook ? 'sandbox_lost_webhook' : 'sandbox_ok')
    }
    if (held.code.startsWith('pass_')) return undefined
    const free = held.code === 'seat_taken' || held.code === 'seat_locked' || held.code === 'sold_out'
    if (!free) return 'refused'
    seats.forget(held.seatIds.length > 0 ? held.seatIds : seatIds)
    await Bun.sleep(RETRY_PAUSE_MS * Math.random())
  }
  return Date.now() < plan.deadline ? 'refused' : 'out_of_time'
}

/** Most people take about the mean, some three times as long. */
const THINK_SPREAD_MAX = 3
const think = (meanMs: number) => Bun.sleep(Math.min(THINK_SPREAD_MAX, -Math.log(1 - Math.random())) * meanMs)

async function pay(booking: Held, api: Api, record: BuyerRecord, method: SandboxMethod): Promise<Outcome> {
  const began = performance.now()
  const paid = await api.call({
    method: 'POST',
    path: `/payment/${booking.id}/confirm`,
    body: { method },
    key: Bun.randomUUIDv7(),
  })
  record.payMs.push(performance.now() - began)
  if (!paid.ok) return 'refused'
  record.seats += booking.seats.length
  return 'bought'
}
