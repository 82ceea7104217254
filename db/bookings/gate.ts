// Owns what every move of a booking needs, and what follows its commit: cache, announcement, expiry job.
//
// Nothing after a commit may turn the answer into an error: the sweep and the reconciling heal what was lost.
import { createBatches, onePer } from '../batches.ts'
import type { Db } from '../client.ts'
import { expiryTick, jobIds, jobOptions, queuesOn } from '../jobs.ts'
import { producerBeside, type RedisClient } from '../redis.ts'
import { askRedis } from '../redis-breaker.ts'
import { traceparent } from '../trace.ts'
import { settleSeats, type HeldLock, type LockRequest, type SettledSeat } from '../seat-gate/seat-gate.ts'

export interface Gate {
  db: Db
  redis: RedisClient
  /** Told of each failure that a buyer must not notice. */
  onFault?: (what: GateFault, fault: unknown) => void
  /** Each hold in a transaction of its own: what sharing one is measured against. */
  alone?: boolean
}
export type GateFault = 'lock_failed' | 'settle_failed' | 'enqueue_failed'

const queuesOf = onePer((redis: RedisClient) => queuesOn(producerBeside(redis)))

/** Asks Redis for a hint: null when it does not answer in time, or lately did not. */
export const tryRedis = async <T>(
  gate: Gate,
  what: GateFault,
  ask: (redis: RedisClient) => Promise<T>,
): Promise<T | null> =>
  (await askRedis(gate.redis, ask, { onFault: (fault) => gate.onFault?.(what, fault) })) ?? null

/** What a move did to one seat of one event. */
export interface MovedSeat extends SettledSeat {
  eventId: string
}

/** What Redis is told of one move. */
interface Told {
  moved: MovedSeat[]
  locks: (HeldLock & { eventId: string })[]
}

/** Scripts of settled seats under way at once: Redis does one thing at a time anyway, and meanwhile the next ones gather. */
const SETTLES_IN_FLIGHT = 1
const SETTLE_SEATS_MAX = 500
/** Beyond these Redis is told nothing more for now, and reconciling makes it good. */
const SETTLES_WAITING_MAX = 20_000
const SETTLE_PATIENCE_MS = 2_000

const settleOne = onePer((gate: Gate) =>
  createBatches<Told, void>({
    name: 'Redis to be told',
    run: async (all) => (await settleTogether(gate, all), all.map(() => {})),
    inFlightMax: SETTLES_IN_FLIGHT,
    weightMax: SETTLE_SEATS_MAX,
    weigh: ({ moved, locks }) => Math.max(moved.length, locks.length),
    waitingMax: SETTLES_WAITING_MAX,
    patienceMs: SETTLE_PATIENCE_MS,
  }),
)

/** Cache, unlock and announcement after a commit; never throws. `token` owns the locks that are freed with the seats. */
export async function settleAfterCommit(gate: Gate, moved: MovedSeat[], token = ''): Promise<void> {
  if (moved.length === 0) return
  const locks = token ? moved.map(({ eventId, n }) => ({ eventId, n, token })) : []
  await settle(gate, { moved, locks })
}

/** Never throws: a lock nobody frees ends by itself. */
export async function unlockAfterRefusal(
  gate: Gate,
  { eventId, seats, token }: LockRequest,
  moved: MovedSeat[] = [],
): Promise<void> {
  await settle(gate, { moved, locks: seats.map((n) => ({ eventId, n, token })) })
}

async function settle(gate: Gate, told: Told): Promise<void> {
  await settleOne(gate)(told).catch((fault: unknown) => gate.onFault?.('settle_failed', fault))
}

async function settleTogether(gate: Gate, all: Told[]): Promise<void> {
  const moved = Map.groupBy(
    all.flatMap((told) => told.moved),
    (seat) => seat.eventId,
  )
  const locks = Map.groupBy(
    all.flatMap((told) => told.locks),
    (lock) => lock.eventId,
  )
  const events = new Set([...moved.keys(), ...locks.keys()])
  await Promise.all(
    [...events].map((eventId) =>
      tryRedis(gate, 'settle_failed', (redis) =>
        settleSeats(redis, eventId, moved.get(eventId) ?? [], locks.get(eventId) ?? []),
      ),
    ),
  )
}

/** Ticks of expiry this process has asked for; those in the past are forgotten. */
const ticksAskedOf = onePer((_redis: RedisClient) => new Set<number>())
const TICKS_REMEMBERED_MAX = 20_000

/** Makes the expiry punctual: one job for all holds that end in the same tick. The sweep makes it certain. Never throws. */
export async function scheduleExpiry(gate: Gate, expiresAt: Date): Promise<void> {
  const tick = expiryTick(expiresAt)
  const asked = ticksAskedOf(gate.redis)
  if (asked.has(tick)) return
  if (asked.size >= TICKS_REMEMBERED_MAX) for (const old of asked) if (old < Date.now()) asked.delete(old)
  if (asked.size >= TICKS_REMEMBERED_MAX) asked.clear()
  asked.add(tick)
  const options = jobOptions('expire-due', jobIds.expireDue(tick), tick - Date.now())
  const added = await tryRedis(gate, 'enqueue_failed', (redis) =>
    queuesOf(redis).ticketCleanup.add('expire-due', { tick }, options),
  )
  if (added === null) asked.delete(tick)
}

/** An expiry job is of all holds of its tick, so it is part of nobody's trace; a settling is of one payment. */
function traceNow(): { traceparent?: string } {
  const trace = traceparent()
  return trace === undefined ? {} : { traceparent: trace }
}

/** Makes the settling of an open payment prompt; the sweep makes it certain. Never throws. */
export async function scheduleSettling(
  gate: Gate,
  { eventId, paymentId, delayMs }: { eventId: string; paymentId: string; delayMs: number },
): Promise<void> {
  const options = jobOptions('settle-payment', jobIds.settlePayment(paymentId), delayMs)
  await tryRedis(gate, 'enqueue_failed', (redis) =>
    queuesOf(redis).payment.add('settle-payment', { eventId, paymentId, ...traceNow() }, options),
  )
}
