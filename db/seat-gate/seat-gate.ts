// Owns the gate in front of the seats: who may try in Postgres, and what everyone is told afterwards.
//
// Everything here is a hint. A gate that fails, lies or is empty costs a wrong "try again" or a longer path,
// never a seat: callers go on without it.
import type { RedisClient } from '../redis.ts'
import { SEAT_CODES, type SeatStatus } from '../lifecycle.ts'
import { feedVersionKey, seatFeedChannel, seatLockKey, seatStatusKey } from './keys.ts'
import lockSeatsText from './lua/lock-seats.lua' with { type: 'text' }
import settleSeatsText from './lua/settle-seats.lua' with { type: 'text' }
import { runScript, script } from './scripts.ts'

/** Longer than a reservation may wait for Postgres' row locks, shorter than a buyer's patience. */
export const SEAT_LOCK_MS = 5_000
/** Of every cached status but RESERVED; reconciling renews what is still true. */
export const CACHE_MS = 24 * 60 * 60 * 1_000
/** Keys of one script: it must not keep Redis from others. */
const SETTLE_BATCH = 500

const LOCK_SEATS = script(lockSeatsText)
const SETTLE_SEATS = script(settleSeatsText)

export interface LockRequest {
  eventId: string
  /** Distinct seat numbers. */
  seats: number[]
  /** Unique to this reservation. */
  token: string
}

export type LockAnswer = { locked: true } | { locked: false; why: 'taken' | 'busy'; seats: number[] }

/** Locks all seats or none, for SEAT_LOCK_MS at the most. Throws when Redis does not answer. */
export async function lockSeats(
  redis: RedisClient,
  { eventId, seats, token }: LockRequest,
): Promise<LockAnswer> {
  const keys = [...seats.map((n) => seatStatusKey(eventId, n)), ...seats.map((n) => seatLockKey(eventId, n))]
  const [word, ...indexes] = (await runScript(redis, LOCK_SEATS, keys, [token, SEAT_LOCK_MS])) as [
    'locked' | 'taken' | 'busy',
    ...number[],
  ]
  if (word === 'locked') return { locked: true }
  return { locked: false, why: word, seats: indexes.map((i) => seats[i - 1]!) }
}

export interface SettledSeat {
  n: number
  status: SeatStatus
  /** The seat's version in Postgres after the move. */
  version: number
  /** Of a RESERVED seat: when its hold ends. */
  expiresAtMs?: number
  /** Replace exactly this cached value (null = absent) instead of going by version. */
  observed?: string | null
}

/**
 * Tells the cache and every watcher what Postgres has committed, and frees the locks of `token`.
 * Safe to repeat and to come late. Throws when Redis does not answer.
 */
export async function settleSeats(
  redis: RedisClient,
  eventId: string,
  seats: SettledSeat[],
  { token = '' }: { token?: string } = {},
): Promise<void> {
  const nowMs = Date.now()
  for (let from = 0; from < seats.length; from += SETTLE_BATCH) {
    const batch = seats.slice(from, from + SETTLE_BATCH)
    const told = batch.flatMap((seat) => [
      seat.n,
      seat.status,
      SEAT_CODES[seat.status],
      seat.version,
      lifetimeMs(seat, nowMs),
      seat.observed === undefined ? '' : (seat.observed ?? '-'),
    ])
    await runSettle(redis, eventId, { numbers: batch.map((seat) => seat.n), token, told, nowMs })
  }
}

/** Frees the locks of a reservation that came to nothing. Throws when Redis does not answer. */
export async function unlockSeats(redis: RedisClient, { eventId, seats, token }: LockRequest): Promise<void> {
  const told = seats.flatMap((n) => [n, '', 0, 0, 0, ''])
  await runSettle(redis, eventId, { numbers: seats, token, told, nowMs: Date.now() })
}

async function runSettle(
  redis: RedisClient,
  eventId: string,
  {
    numbers,
    token,
    told,
    nowMs,
  }: { numbers: number[]; token: string; told: (string | number)[]; nowMs: number },
): Promise<void> {
  const keys = [
    feedVersionKey(eventId),
    ...numbers.map((n) => seatStatusKey(eventId, n)),
    ...numbers.map((n) => seatLockKey(eventId, n)),
  ]
  await runScript(redis, SETTLE_SEATS, keys, [token, seatFeedChannel(eventId), nowMs, CACHE_MS, ...told])
}

function lifetimeMs({ status, expiresAtMs }: SettledSeat, nowMs: number): number {
  if (status !== 'RESERVED' || expiresAtMs === undefined) return CACHE_MS
  return Math.max(0, Math.ceil(expiresAtMs - nowMs))
}
