// Decides who gets seats: the whole reservation path, from the gate to one transaction to the announcement.
//
// Each of its three round trips (the gate's script, the transaction, the settling script) is shared with whoever asks
// while the one before is under way (db/batches.ts). Every request is still all or none, and answered on its own.
import { createBatches, onePer, Overloaded } from '../batches.ts'
import { lockInBulk, type LockAnswer } from '../seat-gate/seat-gate.ts'
import { stage } from '../trace.ts'
import { commitTogether } from './commit-together.ts'
import { scheduleExpiry, settleAfterCommit, tryRedis, unlockAfterRefusal, type Gate } from './gate.ts'
import type { Committed, Hold, HoldOutcome, HoldRequest } from './hold.ts'
import { isId } from './rows.ts'

export type { HoldOutcome, HoldRefusal, HoldRequest } from './hold.ts'

/** No request may name more, whatever the event allows; the edge has a limit of its own. */
const SEATS_PER_REQUEST_MAX = 1_000

/** Of the gate's script: one under way, since Redis does one thing at a time anyway. */
const LOCKS = { inFlightMax: 1, weightMax: 500 }
/**
 * Of the transaction: one at a time, and more only when one takes far longer than any should. This is also what keeps
 * Postgres from being overrun when Redis is away and refuses nobody any more.
 */
export const COMMITS = { inFlightMax: 4, alongsideAfterMs: 25, weightMax: 128 }
/** Of transactions that are not shared: as many as there are connections to a small pool. */
const COMMITS_ALONE = { inFlightMax: 8, weightMax: 1 }
/** Some seconds of work at the measured rate; whoever comes on top is told so at once. */
const WAITING_MAX = 10_000
/** A buyer who waited longer has pressed again. */
const PATIENCE_MS = 4_000

/**
 * Holds all the seats or none, AVAILABLE → RESERVED, in a new PENDING booking that ends `holdSeconds` later.
 * Redis only refuses early; without it the path is longer, never wrong.
 */
export async function holdSeats(gate: Gate, request: HoldRequest): Promise<HoldOutcome> {
  const { eventId } = request
  const wanted = [...new Set(request.seats)].toSorted((a, b) => a - b)
  if (wanted.length === 0 || !wanted.every(isSeatNumber)) return { ok: false, refusal: 'request_invalid' }
  if (wanted.length > SEATS_PER_REQUEST_MAX) return { ok: false, refusal: 'seats_too_many' }
  if (!isId(eventId)) return { ok: false, refusal: 'not_found' }

  const desk = deskOf(gate)
  const hold: Hold = { ...request, bookingId: request.bookingId ?? Bun.randomUUIDv7(), seats: wanted }
  const lock = { eventId, seats: wanted, token: hold.bookingId }
  try {
    const answer = await stage('hold: gate', () => desk.lock(hold))
    if (answer && !answer.locked)
      return answer.why === 'taken'
        ? { ok: false, refusal: 'seat_taken', seats: answer.seats, stage: 'status' }
        : { ok: false, refusal: 'seat_locked', seats: answer.seats, stage: 'lock' }
  } catch (fault) {
    if (fault instanceof Overloaded) return { ok: false, refusal: 'overloaded' }
    throw fault
  }

  try {
    const { outcome, known } = await stage('hold: commit', () => desk.commit(hold))
    if (outcome.ok)
      await stage('hold: settle', () =>
        Promise.all([
          settleAfterCommit(gate, known, hold.bookingId),
          scheduleExpiry(gate, outcome.booking.expiresAt),
        ]),
      )
    // What Postgres said of the seats spares the next buyer the way here.
    else await unlockAfterRefusal(gate, lock, known)
    return outcome
  } catch (fault) {
    await unlockAfterRefusal(gate, lock)
    if (fault instanceof Overloaded) return { ok: false, refusal: 'overloaded' }
    throw fault
  }
}

const isSeatNumber = (n: number) => Number.isInteger(n) && n >= 0 && n < 2 ** 31

const shared = { weigh: ({ seats }: Hold) => seats.length, waitingMax: WAITING_MAX, patienceMs: PATIENCE_MS }
const deskOf = onePer((gate: Gate) => ({
  /** Null when Redis does not answer. */
  lock: createBatches<Hold, LockAnswer | null>({
    name: 'the gate',
    run: (holds) => lockTogether(gate, holds),
    ...LOCKS,
    ...shared,
  }),
  commit: createBatches<Hold, Committed>({
    name: 'Postgres',
    run: (holds) => commitTogether(gate, holds),
    ...(gate.alone ? COMMITS_ALONE : COMMITS),
    ...shared,
  }),
}))

async function lockTogether(gate: Gate, holds: Hold[]): Promise<(LockAnswer | null)[]> {
  const answers = new Map<Hold, LockAnswer>()
  const byEvent = Map.groupBy(holds, ({ eventId }) => eventId)
  await Promise.all(
    [...byEvent].map(async ([eventId, list]) => {
      const requests = list.map(({ seats, bookingId }) => ({ seats, token: bookingId }))
      const said = await tryRedis(gate, 'lock_failed', (redis) => lockInBulk(redis, eventId, requests))
      said?.forEach((answer, i) => answers.set(list[i]!, answer))
    }),
  )
  return holds.map((hold) => answers.get(hold) ?? null)
}
