// Decides what the crowd does: buyers who want the same few seats, change their minds, lose answers and ask again.
import { requestBytes } from '../bench/http-load.ts'
import { now, type BookingSeen, type History, type Outcome } from './history.ts'
import { pick, type Random } from './plan.ts'
import type { Client, Reply } from './wire.ts'

/** Longer than a server takes to say 503, and about as long as a buyer waits. */
const PATIENCE_MS = 8_000
/** Requests of one logical request: the first and its repetitions. */
const TRIES_MAX = 6
const PAUSE_MS = { least: 60, most: 400 }
/** Buyers without an answer who walk away, so that what they asked for stays unknown. */
const WALK_AWAY_SHARE = 0.2
/** Acknowledged requests repeated with the same key all the same. */
const REPEAT_SHARE = 0.05
const BEST_SHARE = 0.25
const PAIR_SHARE = 0.3
const REFUND_REASON = 'The seat is needed again'
/** Sold bookings the organiser keeps before taking the oldest back. */
const SOLD_KEPT = 6
const ORGANIZER_PAUSE_MS = 40
const REFUND_TRIES_MAX = 8
const REFUND_PAUSE_MS = 1_500
const LOOKS_MAX = 4
const LOOK_PAUSE_MS = 900
/** A seat chosen so is the more wanted the nearer to the front it is. */
const HOT_POWER = 1.6

/** What a held booking is used for; each as often as it is named. */
const PLANS = ['confirm', 'confirm', 'confirm', 'release', 'release', 'leave', 'extend', 'read'] as const
const METHODS = [
  'sandbox_ok',
  'sandbox_ok',
  'sandbox_ok',
  'sandbox_ok',
  'sandbox_declined',
  'sandbox_slow',
  'sandbox_lost_webhook',
] as const

export interface Hall {
  eventId: string
  seats: number
}

interface Sold {
  id: string
  tries: number
  /** Not to be asked for again before this moment. */
  from: number
}

export interface Crowd {
  clients: Client[]
  history: History
  hall: Hall
  random: Random
  /** Resolves when this buyer may attempt the next reservation; false when the sale is over. */
  turn(): Promise<boolean>
  over(): boolean
  /** Bookings that were paid, or may be: the organiser takes them back. */
  sold: Sold[]
}

export interface Buyer {
  accountId: string
  token: string
  /** Shown where the event has a room. */
  pass?: string
}

/** One buyer's sale, until it is over. Rejects only by a fault of the bench itself. */
export async function buy(crowd: Crowd, buyer: Buyer): Promise<void> {
  while (await crowd.turn()) {
    const booking = await reserve(crowd, buyer)
    if (booking) await use(crowd, buyer, booking)
  }
}

/** One attempt to reserve; the booking when it was acknowledged. */
export async function reserve(crowd: Crowd, buyer: Buyer): Promise<BookingSeen | null> {
  const { random, hall, history } = crowd
  const best = random() < BEST_SHARE
  const quantity = random() < PAIR_SHARE ? 2 : 1
  const body = best
    ? { eventId: hall.eventId, quantity, together: false }
    : { seatIds: chooseSeats(random, hall, quantity) }
  const called = now()
  const key = crypto.randomUUID()
  const outcome = await ask(crowd, buyer, {
    method: 'POST',
    path: best ? '/booking/best' : '/booking',
    body,
    key,
  })
  history.attempted(outcome)
  const call = { accountId: buyer.accountId, key, called, answered: now() }
  if (outcome.kind === 'unknown') history.unknownHolds.push({ ...call, answered: Infinity })
  if (outcome.kind !== 'done') return null
  history.held(call, outcome.data)
  return outcome.data
}

function chooseSeats(random: Random, { eventId, seats }: Hall, quantity: number): string[] {
  const first = Math.floor(seats * random() ** HOT_POWER)
  return Array.from({ length: quantity }, (_, i) => `${eventId}:${(first + i) % seats}`)
}

/** What a buyer makes of a booking. */
export async function use(crowd: Crowd, buyer: Buyer, booking: BookingSeen): Promise<void> {
  const { random } = crowd
  await Bun.sleep(random() * 1_000)
  const plan = pick(random, PLANS)
  if (plan === 'leave') return
  if (plan === 'read') return look(crowd, buyer, booking.id)
  if (plan === 'release') return release(crowd, buyer, booking.id)
  if (plan === 'extend') {
    await extend(crowd, buyer, booking.id)
    if (random() < 0.5) return release(crowd, buyer, booking.id)
  }
  await pay(crowd, buyer, booking.id)
}

async function look(crowd: Crowd, buyer: Buyer, id: string): Promise<void> {
  const outcome = await ask(crowd, buyer, { method: 'GET', path: `/booking/${id}` })
  if (outcome.kind === 'done') crowd.history.read(outcome.data, outcome.called)
  else if (outcome.kind === 'refused' && outcome.code === 'not_found')
    crowd.history.violation(`booking ${id} was acknowledged and is not known any more`)
}

async function release(crowd: Crowd, buyer: Buyer, id: string): Promise<void> {
  const called = now()
  const outcome = await ask(crowd, buyer, { method: 'DELETE', path: `/booking/${id}` })
  const { history } = crowd
  if (outcome.kind === 'done') history.moved('release', id, called)
  else if (outcome.kind === 'unknown') history.perhaps('release', id, called)
  else if (outcome.code === 'booking_expired') history.saw(id, 'over', outcome.called)
}

async function extend(crowd: Crowd, buyer: Buyer, id: string): Promise<void> {
  const called = now()
  const outcome = await ask(crowd, buyer, { method: 'POST', path: `/booking/${id}/extend` })
  const { history } = crowd
  if (outcome.kind === 'done') history.extended(outcome.data, called)
  // "Extended already" may be the answer to the repetition of a request whose own answer was lost.
  else if (outcome.kind === 'unknown' || outcome.code === 'booking_not_pending')
    history.perhaps('extend', id, called)
  else if (outcome.code === 'booking_expired') history.saw(id, 'over', outcome.called)
}

async function pay(crowd: Crowd, buyer: Buyer, id: string): Promise<void> {
  const { history, random } = crowd
  const method = pick(random, METHODS)
  const called = now()
  const request = {
    method: 'POST',
    path: `/payment/${id}/confirm`,
    body: { method },
    key: crypto.randomUUID(),
  } as const
  const outcome = await ask(crowd, buyer, request)
  if (outcome.kind === 'done' && outcome.data.status === 'CONFIRMED') {
    history.moved('confirm', id, called)
    crowd.sold.push({ id, tries: 0, from: now() })
    if (random() < 0.3) await look(crowd, buyer, id)
    return
  }
  if (outcome.kind === 'refused' && outcome.code === 'payment_declined') {
    if (random() < 0.5) await release(crowd, buyer, id)
    return
  }
  if (outcome.kind === 'refused') {
    if (outcome.code === 'booking_expired') history.saw(id, 'over', outcome.called)
    return
  }
  // Under way, or nobody knows: the provider's word will come by another way.
  history.perhaps('confirm', id, called)
  for (let looks = 0; looks < LOOKS_MAX && !crowd.over(); looks++) {
    await Bun.sleep(LOOK_PAUSE_MS)
    await look(crowd, buyer, id)
  }
  crowd.sold.push({ id, tries: 0, from: now() })
}

/** Takes sold bookings back, so that seats are to be had again; until the sale is over. */
export async function takeBack(crowd: Crowd, organizer: Buyer): Promise<void> {
  const { history, sold } = crowd
  while (!crowd.over()) {
    await Bun.sleep(ORGANIZER_PAUSE_MS)
    if (sold.length <= SOLD_KEPT || sold[0]!.from > now()) continue
    const { id, tries } = sold.shift()!
    const called = now()
    const request = {
      method: 'POST',
      path: `/payment/${id}/refund`,
      body: { reason: REFUND_REASON },
    } as const
    const outcome = await ask(crowd, organizer, { ...request, key: crypto.randomUUID() })
    if (outcome.kind === 'done') history.moved('refund', id, called)
    else {
      if (outcome.kind === 'unknown') history.perhaps('refund', id, called)
      // Not paid yet, perhaps; a seat that nobody takes back would be lost to the sale.
      if (tries < REFUND_TRIES_MAX) sold.push({ id, tries: tries + 1, from: now() + REFUND_PAUSE_MS })
    }
  }
}

interface Request {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  body?: unknown
  key?: string
}

/** A logical request: sent, and sent again with the same key to whichever server answers, until something is known. */
async function ask(crowd: Crowd, buyer: Buyer, request: Request): Promise<Outcome> {
  const { clients, history, random } = crowd
  const bytes = requestBytes(request.method, `/api/v1${request.path}`, {
    token: buyer.token,
    body: request.body,
    headers: {
      ...(request.key === undefined ? {} : { 'idempotency-key': request.key }),
      ...(buyer.pass === undefined ? {} : { 'x-admission-pass': buyer.pass }),
    },
  })
  let server = balance(clients, Math.floor(random() * clients.length))
  let mayHaveHappened = false
  const reading = request.method === 'GET'
  const reserving = request.path.startsWith('/booking') && request.key !== undefined
  for (let tried = 1; tried <= TRIES_MAX; tried++) {
    const called = now()
    const reply = await clients[server]!.send(bytes, PATIENCE_MS)
    const said = understand(reply)
    if (typeof reply === 'string') history.unanswered += 1
    else history.answer(reply.status, said.kind === 'done' ? '' : said.code)
    if (said.kind === 'done') {
      if (reserving) history.succeeded(server, called)
      if (request.key !== undefined && random() < REPEAT_SHARE) await repeat(crowd, bytes, server, said.data)
      return { kind: 'done', data: said.data, called }
    }
    if (said.kind === 'refused' && !mayHaveHappened) return { ...said, called }
    if (said.kind === 'refused') return reading ? { ...said, called } : { kind: 'unknown' }
    if (said.kind === 'unknown') mayHaveHappened = true
    if (crowd.over() || (said.kind === 'unknown' && random() < WALK_AWAY_SHARE)) break
    await Bun.sleep(PAUSE_MS.least + random() * (PAUSE_MS.most - PAUSE_MS.least))
    server = balance(clients, (server + 1) % clients.length)
  }
  return mayHaveHappened ? { kind: 'unknown' } : { kind: 'refused', code: 'unreachable', called: now() }
}

/** The first healthy server from this one on; this one when none is. */
function balance(clients: Client[], from: number): number {
  const all = clients.map((_, i) => (from + i) % clients.length)
  return all.find((server) => clients[server]!.healthy()) ?? from
}

/** The same request once more: whatever it is told must be the same booking. */
async function repeat({ clients, history }: Crowd, bytes: Uint8Array, server: number, first: BookingSeen) {
  const said = understand(await clients[(server + 1) % clients.length]!.send(bytes, PATIENCE_MS))
  if (said.kind === 'done' && said.data.id !== first.id)
    history.violation(`one Idempotency-Key was answered with booking ${first.id} and with ${said.data.id}`)
  if (said.kind === 'refused' && said.code !== 'idempotency_in_progress')
    history.violation(`a repeated request was refused as ${said.code} after booking ${first.id}`)
}

type Said =
  | { kind: 'done'; data: BookingSeen }
  | { kind: 'refused'; code: string }
  | { kind: 'unknown' | 'nobody'; code: string }

const FAULTS_FROM = 500
const REFUSALS_FROM = 400

function understand(reply: Reply): Said {
  if (reply === 'unknown') return { kind: 'unknown', code: 'unanswered' }
  if (reply === 'unreachable') return { kind: 'nobody', code: 'unreachable' }
  const { data, code } = JSON.parse(reply.body) as { data?: BookingSeen; code?: string }
  if (reply.status < REFUSALS_FROM) return { kind: 'done', data: data! }
  // Whether a fault struck before or after the commit, nobody can say; and a twin under way is not decided yet.
  const open = reply.status >= FAULTS_FROM || code === 'idempotency_in_progress'
  return { kind: open ? 'unknown' : 'refused', code: code ?? 'without a code' }
}
