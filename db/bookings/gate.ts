// Owns what every move of a booking needs, and what follows its commit: cache, announcement, expiry job.
//
// Nothing after a commit may turn the answer into an error: the sweep and the reconciling heal what was lost.
import type { Db } from '../client.ts'
import { jobIds, jobOptions, queuesOn, type Queues } from '../jobs.ts'
import { producerBeside, type RedisClient } from '../redis.ts'
import { settleSeats, unlockSeats, type LockRequest, type SettledSeat } from '../seat-gate/seat-gate.ts'

export interface Gate {
  db: Db
  redis: RedisClient
  /** Told of each failure that a buyer must not notice. */
  onFault?: (what: GateFault, fault: unknown) => void
}
export type GateFault = 'lock_failed' | 'settle_failed' | 'enqueue_failed'

/** A hint that takes longer is not worth waiting for. */
const REDIS_PATIENCE_MS = 500
/** After a failure the path goes on without Redis this long, instead of waiting for it once a request. */
const REDIS_REST_MS = 1_000

const restsUntil = new WeakMap<RedisClient, number>()
const queuesOf = new WeakMap<RedisClient, Omit<Queues, 'close'>>()

/** Asks Redis for a hint: null when it does not answer in time, or lately did not. */
export async function tryRedis<T>(
  gate: Gate,
  what: GateFault,
  ask: (redis: RedisClient) => Promise<T>,
): Promise<T | null> {
  const { redis } = gate
  if (redis.status !== 'ready' || (restsUntil.get(redis) ?? 0) > Date.now()) return null
  let timer: ReturnType<typeof setTimeout> | undefined
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Redis did not answer in time')), REDIS_PATIENCE_MS)
  })
  try {
    return await Promise.race([ask(redis), patience])
  } catch (fault) {
    restsUntil.set(redis, Date.now() + REDIS_REST_MS)
    gate.onFault?.(what, fault)
    return null
  } finally {
    clearTimeout(timer)
  }
}

/** What a move did to one seat of one event. */
export interface MovedSeat extends SettledSeat {
  eventId: string
}

/** Cache, unlock and announcement after a commit; never throws. */
export async function settleAfterCommit(gate: Gate, moved: MovedSeat[], token = ''): Promise<void> {
  for (const [eventId, seats] of Map.groupBy(moved, (seat) => seat.eventId))
    await tryRedis(gate, 'settle_failed', (redis) => settleSeats(redis, eventId, seats, { token }))
}

/** Never throws: a lock nobody frees ends by itself. */
export async function unlockAfterRefusal(gate: Gate, request: LockRequest): Promise<void> {
  await tryRedis(gate, 'settle_failed', (redis) => unlockSeats(redis, request))
}

/** Makes the expiry punctual; the sweep makes it certain. Never throws. */
export async function scheduleExpiry(
  gate: Gate,
  { eventId, id, expiresAt }: { eventId: string; id: string; expiresAt: Date },
): Promise<void> {
  const options = jobOptions('expire-booking', jobIds.expireBooking(id), expiresAt.getTime() - Date.now())
  await tryRedis(gate, 'enqueue_failed', (redis) =>
    queuesFor(redis).ticketCleanup.add('expire-booking', { eventId, bookingId: id }, options),
  )
}

/** Makes the settling of an open payment prompt; the sweep makes it certain. Never throws. */
export async function scheduleSettling(
  gate: Gate,
  { eventId, paymentId, delayMs }: { eventId: string; paymentId: string; delayMs: number },
): Promise<void> {
  const options = jobOptions('settle-payment', jobIds.settlePayment(paymentId), delayMs)
  await tryRedis(gate, 'enqueue_failed', (redis) =>
    queuesFor(redis).payment.add('settle-payment', { eventId, paymentId }, options),
  )
}

function queuesFor(redis: RedisClient): Omit<Queues, 'close'> {
  const known = queuesOf.get(redis)
  if (known) return known
  const opened = queuesOn(producerBeside(redis))
  queuesOf.set(redis, opened)
  return opened
}
