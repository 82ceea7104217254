// Owns the model of a sale: which moves may come at any moment, what must hold in every state, and how all comes to rest.
import { BOOKING_MOVES, SEAT_MOVES } from '../../../db/lifecycle.ts'
import type { Model, Step } from './explore.ts'
import { isGone, isOverdue, Moves, versionOf, type Guard } from './sale-moves.ts'
import { copyOf, firstState, keyOf, type Charge, type Plan, type State } from './sale-state.ts'

/** Every interleaving of a plan's moves; `lacks` names a guard that is missing. */
export function saleModel(plan: Plan, lacks: Guard | null = null): Model<State> {
  return {
    first: firstState(plan),
    steps: (state) => stepsOf(state, plan, lacks),
    keyOf: (state) => keyOf(state, plan),
    broken: (state) => brokenIn(state, plan) ?? strandedAfter(state, plan, lacks),
    brokenStep,
  }
}

function stepsOf(state: State, plan: Plan, lacks: Guard | null): Step<State>[] {
  const steps: Step<State>[] = []
  const may = (name: string, act: (moves: Moves) => unknown) => {
    const next = copyOf(state)
    act(new Moves(next, plan, lacks))
    steps.push({ name, next })
  }
  for (const [i, { status, asked }] of state.bookings.entries()) {
    if (status === 'NONE' && plan.redis && !asked) may(`${i} passes the gate`, (m) => m.ask(i))
    if (status === 'NONE' && (asked || !plan.redis)) may(`${i} holds`, (m) => m.hold(i))
    if (status === 'NONE') continue
    may(`time passes for ${i}`, (m) => m.pass(i))
    may(`${i} expires`, (m) => m.expire(i))
    may(`${i} releases`, (m) => m.release(i))
    if (plan.extensions) may(`${i} extends`, (m) => m.extend(i))
    if (plan.organiser) may(`the organiser refunds ${i}`, (m) => m.refund(i))
  }
  for (const c of state.charges.keys()) {
    may(`charge ${c} is opened`, (m) => m.start(c))
    may(`the provider captures ${c}`, (m) => m.charge(c, 'captured'))
    may(`the provider declines ${c}`, (m) => m.charge(c, 'declined'))
    may(`the word on ${c} comes`, (m) => m.hear(c))
    may(`charge ${c} is given up`, (m) => m.giveUp(c))
    may(`the provider pays ${c} back`, (m) => m.payBack(c))
    may(`the refund of ${c} is noted`, (m) => m.noteRefund(c))
  }
  if (!plan.redis) return steps
  for (const [k, { n, status, version }] of state.told.entries()) {
    may(`the cache hears ${n} is ${status}:${version}`, (m) => m.deliver(k))
    may(`"${n} is ${status}:${version}" is lost`, (m) => m.lose(k))
  }
  for (const [n, { hint, lock }] of state.seats.entries()) {
    if (hint !== null) may(`the cache forgets ${n}`, (m) => m.forget(n))
    if (lock !== null) may(`the lock of ${n} ends`, (m) => m.unlock(n))
  }
  may('the cache is reconciled', (m) => m.reconcile())
  return steps
}

const MONEY_MOVES: [from: Charge['ledger'], to: Charge['ledger']][] = [
  ['NONE', 'PROCESSING'],
  ['PROCESSING', 'CAPTURED'],
  ['PROCESSING', 'DECLINED'],
  ['PROCESSING', 'REFUND_DUE'],
  ['CAPTURED', 'REFUND_DUE'],
  ['REFUND_DUE', 'REFUNDED'],
]
/** A transaction may make two moves at once: an overdue hold gives way and its seat is held anew, or bought back. */
const isMove = (moves: Record<string, { from: string; to: string }>, from: string, to: string) =>
  Object.values(moves).some((move) => move.from === from && move.to === to)

function brokenStep(before: State, { name, next }: Step<State>): string | null {
  for (const [n, seat] of next.seats.entries()) {
    const was = before.seats[n]!
    const moved = seat.status !== was.status || seat.booking !== was.booking
    if (moved !== seat.version > was.version)
      return `seat ${n} moved without its version, or the other way round`
    if (seat.status !== was.status && !isMove(SEAT_MOVES, was.status, seat.status))
      return `seat ${n} went from ${was.status} to ${seat.status}`
    if (seat.hint !== null && versionOf(seat.hint) < versionOf(was.hint))
      return `the cache went back from ${was.hint} to ${seat.hint}`
  }
  for (const [i, { status, left, extended }] of next.bookings.entries()) {
    const was = before.bookings[i]!
    if (status === 'EXPIRED' && was.status === 'PENDING' && was.left > 0)
      return `booking ${i} was ended before its time`
    if (left > was.left && was.extended && extended) return `booking ${i} was extended twice`
    if (status === was.status || was.status === 'NONE') continue
    if (!isMove(BOOKING_MOVES, was.status, status)) return `booking ${i} went from ${was.status} to ${status}`
  }
  for (const [c, { ledger }] of next.charges.entries()) {
    const was = before.charges[c]!.ledger
    if (ledger !== was && !MONEY_MOVES.some(([from, to]) => from === was && to === ledger))
      return `charge ${c} went from ${was} to ${ledger} (${name})`
  }
  return null
}

/** What must not be in any state, in words; null when all is well. */
export function brokenIn({ seats, bookings, charges }: State, { wishes }: Plan): string | null {
  for (const [n, { status, booking, version, hint }] of seats.entries()) {
    const live = bookings.flatMap((one, i) => (one.live && wishes[i]!.includes(n) ? [i] : []))
    if (live.length > 1) return `seat ${n} is in the live bookings ${live.join(' and ')}`
    const owner = booking === null ? null : bookings[booking]!.status
    const expected = status === 'RESERVED' ? 'PENDING' : status === 'SOLD' ? 'CONFIRMED' : null
    if (owner !== expected) return `seat ${n} is ${status} and its booking ${owner ?? 'none'}`
    if (versionOf(hint) > version) return `the cache says ${hint} of a seat at version ${version}`
    if (versionOf(hint) === version && hint !== `${status}:${version}`)
      return `the cache says ${hint} of a seat that is ${status}`
  }
  for (const [i, { status, live }] of bookings.entries()) {
    if (live !== (status === 'PENDING' || status === 'CONFIRMED'))
      return `booking ${i} is ${status} and ${live ? '' : 'not '}live`
    if (live && wishes[i]!.some((n) => seats[n]!.booking !== i))
      return `booking ${i} is ${status} and lacks a seat`
    const kept = charges.filter(({ booking, ledger }) => booking === i && ledger === 'CAPTURED').length
    if (kept !== (status === 'CONFIRMED' ? 1 : 0))
      return `booking ${i} is ${status} and keeps ${kept} payments`
  }
  for (const [c, { ledger, provider, refunded }] of charges.entries()) {
    const taken = provider === 'captured'
    if (taken && (ledger === 'NONE' || ledger === 'DECLINED'))
      return `money of charge ${c} is unknown to the ledger`
    if (!taken && ['CAPTURED', 'REFUND_DUE', 'REFUNDED'].includes(ledger))
      return `charge ${c} is ${ledger} and no money came`
    if (refunded && ledger !== 'REFUND_DUE' && ledger !== 'REFUNDED')
      return `charge ${c} was paid back and is ${ledger}`
  }
  return null
}

/** When nobody does anything any more and the sweeps have run: no seat, no money and no buyer may be left hanging. */
function strandedAfter(state: State, plan: Plan, lacks: Guard | null): string | null {
  const rest = copyOf(state)
  const moves = new Moves(rest, plan, lacks)
  for (const i of rest.bookings.keys()) {
    while (rest.bookings[i]!.status === 'PENDING' && rest.bookings[i]!.left > 0) moves.pass(i)
    moves.expire(i)
  }
  for (const c of rest.charges.keys()) {
    moves.giveUp(c)
    moves.hear(c)
    moves.payBack(c)
    moves.noteRefund(c)
  }
  rest.told.length = 0
  moves.reconcile()
  for (const [n, seat] of rest.seats.entries()) {
    // A cached hold ends with the hold; everything else stays until it is put right.
    if (seat.hint?.startsWith('RESERVED')) seat.hint = null
    if (seat.status === 'RESERVED') return `seat ${n} stays RESERVED for ever`
    if (seat.status === 'AVAILABLE' && isGone(seat.hint))
      return `seat ${n} is AVAILABLE and refused for ever: the cache says ${seat.hint}`
  }
  if (rest.bookings.some(isOverdue)) return 'an overdue booking stays PENDING for ever'
  for (const [c, { ledger, provider, refunded, booking }] of rest.charges.entries()) {
    if (ledger === 'PROCESSING' || ledger === 'REFUND_DUE') return `charge ${c} stays ${ledger} for ever`
    const bought = ledger === 'CAPTURED' && rest.bookings[booking]!.status === 'CONFIRMED'
    if (provider === 'captured' && bought === refunded)
      return `the money of charge ${c} is ${refunded ? 'given back though it bought' : 'kept for nothing'}`
  }
  return brokenIn(rest, plan)
}
