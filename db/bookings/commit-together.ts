// Decides on which way the requests of one moment get their seats, and what is true of them when a connection is lost.
//
// The plain ones go in one statement an event; whoever got nothing there, or cannot go along, goes the long way, where
// each is told why. A batch whose connection was lost is looked up: nobody is told of a failure that was none.
import { sql } from 'drizzle-orm'
import { inTransaction, isInDoubt, isStoreLost, postgresCode, type Reader, type Tx } from '../client.ts'
import { seats } from '../schema.ts'
import { commitHolds } from './commit-holds.ts'
import type { Gate, MovedSeat } from './gate.ts'
import type { Committed, Hold } from './hold.ts'
import { readTogether } from './read-bookings.ts'
import { ids, lockBuyers } from './rows.ts'
import { takeFreeSeats } from './take-free-seats.ts'
import { AnswerKept, keepAnswers } from './write-holds.ts'

const UNIQUE_VIOLATION = '23505'

type Answer = Committed | Promise<Committed>

/** An answer each, in their order; a fault comes as the rejected promise of whom it concerns. */
export async function commitTogether(gate: Gate, holds: Hold[]): Promise<Answer[]> {
  const answers = new Map<Hold, Answer>()
  const keep = (list: Hold[], given: (Answer | null)[]) => {
    for (const [i, answer] of given.entries()) if (answer) answers.set(list[i]!, answer)
  }
  await Promise.all(pickPlain(holds).map(async (plain) => keep(plain, await takePlain(gate, plain))))
  const others = holds.filter((hold) => !answers.has(hold))
  if (others.length > 0) keep(others, await decide(gate, others))
  return holds.map((hold) => answers.get(hold)!)
}

/** By event, those that get on with each other: one a buyer, and one a seat. */
function pickPlain(holds: Hold[]): Hold[][] {
  const busy = new Set<string | number>()
  const byEvent = Map.groupBy(holds, ({ eventId }) => eventId)
  return [...byEvent.values()].map((list) => {
    busy.clear()
    return list.filter(({ accountId, seats: wanted }) => {
      const meets = busy.has(accountId) || wanted.some((n) => busy.has(n))
      busy.add(accountId)
      for (const n of wanted) busy.add(n)
      return !meets
    })
  })
}

/** Null for who got nothing. A fault that may be one request's own leaves them all to the long way. */
async function takePlain(gate: Gate, holds: Hold[]): Promise<(Answer | null)[]> {
  const keyed = holds.some(({ idempotency }) => idempotency !== undefined)
  try {
    return keyed
      ? await inTransaction(gate.db, (tx) => takeAndKeep(tx, holds))
      : await takeFreeSeats(gate.db, holds)
  } catch (fault) {
    return isStoreLost(fault) ? recover(gate, holds, fault) : holds.map(() => null)
  }
}

async function takeAndKeep(tx: Tx, holds: Hold[]): Promise<(Committed | null)[]> {
  const taken = await takeFreeSeats(tx, holds)
  await keepAnswers(
    tx,
    taken.flatMap((answer, i) =>
      answer?.outcome.ok ? [{ hold: holds[i]!, booking: answer.outcome.booking }] : [],
    ),
  )
  return taken
}

/** The long way, and once more for those whose connection was lost. */
async function decide(gate: Gate, holds: Hold[]): Promise<Answer[]> {
  try {
    return await decideTogether(gate, holds)
  } catch (fault) {
    if (!isStoreLost(fault)) return holds.map(() => failed(fault))
    const answers = await recover(gate, holds, fault)
    const missing = holds.filter((_, i) => answers[i] === null)
    const again = missing.length === 0 ? [] : await decideTogether(gate, missing).catch(() => [])
    return holds.map((hold, i) => answers[i] ?? again[missing.indexOf(hold)] ?? failed(fault))
  }
}

/** One transaction for all; if it fails for a reason that may be one request's alone, one for each. */
async function decideTogether(gate: Gate, holds: Hold[]): Promise<Answer[]> {
  try {
    return await inTransaction(gate.db, (tx) => commitHolds(tx, holds))
  } catch (fault) {
    if (isStoreLost(fault)) throw fault
    if (holds.length === 1) return [refusedAlone(holds[0]!, fault)]
    // Whoever fails now fails alone: the others have what they were given.
    const alone = holds.map((hold) => decideTogether(gate, [hold]).then(([one]) => one!))
    await Promise.allSettled(alone)
    return alone
  }
}

function refusedAlone(hold: Hold, fault: unknown): Committed {
  if (fault instanceof AnswerKept) return { outcome: { ok: false, refusal: fault.refusal }, known: [] }
  if (postgresCode(fault) === UNIQUE_VIOLATION && constraintOf(fault) === 'booking_seats_live_key')
    return {
      outcome: { ok: false, refusal: 'seat_taken', seats: hold.seats, stage: 'version' },
      known: [],
    }
  throw fault
}

function constraintOf(fault: unknown): string | null {
  for (let error = fault; error instanceof Error; error = error.cause)
    if ('constraint_name' in error && typeof error.constraint_name === 'string') return error.constraint_name
  return null
}

/**
 * After a lost connection: what stands is answered as it stands; null for the rest, to be tried once more. Whatever is
 * still under way has the buyers' locks, so whoever has got them sees how it ended. Should it come yet later, its bookings'
 * ids are taken, or its seats.
 */
async function recover(gate: Gate, holds: Hold[], fault: unknown): Promise<(Answer | null)[]> {
  if (!isInDoubt(fault)) return holds.map(() => failed(fault))
  try {
    const standing = await inTransaction(gate.db, async (tx) => {
      await lockBuyers(tx, holds)
      return findStanding(tx, holds)
    })
    return holds.map((hold) => standing.get(hold) ?? null)
  } catch {
    return holds.map(() => failed(fault))
  }
}

async function findStanding(reader: Reader, holds: Hold[]): Promise<Map<Hold, Committed>> {
  const found = await readTogether(
    reader,
    holds.map(({ bookingId }) => bookingId),
  )
  const standing = holds.flatMap((hold, i) => {
    const booking = found[i]
    return booking?.accountId === hold.accountId && booking.status === 'PENDING' ? [{ hold, booking }] : []
  })
  if (standing.length === 0) return new Map()
  const moved = await reader
    .select({
      eventId: seats.eventId,
      n: seats.n,
      status: seats.status,
      version: seats.version,
      id: seats.bookingId,
    })
    .from(seats)
    .where(
      sql`(${seats.eventId}, ${seats.bookingId}) in (select * from unnest(
        ${ids(standing.map(({ booking }) => booking.eventId))}, ${ids(standing.map(({ booking }) => booking.id))}))`,
    )
  const seatsOf = Map.groupBy(moved, ({ id }) => id)
  return new Map(
    standing.map(({ hold, booking }) => {
      const expiresAtMs = booking.expiresAt.getTime()
      const own = seatsOf.get(booking.id) ?? []
      const known: MovedSeat[] = own.map(({ id: _id, ...seat }) => ({ ...seat, expiresAtMs }))
      return [hold, { outcome: { ok: true, booking }, known }]
    }),
  )
}

function failed(fault: unknown): Promise<never> {
  const rejected = Promise.reject<never>(fault)
  // Whoever asked hears of it; until then it is nobody's.
  rejected.catch(() => {})
  return rejected
}
