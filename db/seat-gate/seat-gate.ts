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
export async function lockSeats(redis: RedisClient, request: LockRequest): Promise<LockAnswer> {
  const [answer] = await lockInBulk(redis, request.eventId, [request])
  return answer!
}

/** The same for many reservations of one event in one step, the earlier of them first; an answer each, in their order. */
export async function lockInBulk(
  redis: RedisClient,
  eventId: string,
  requests: Pick<LockRequest, 'seats' | 'token'>[],
): Promise<LockAnswer[]> {
  const keys = requests.flatMap(({ seats }) => [
    ...seats.map((n) => seatStatusKey(eventId, n)),
    ...seats.map((n) => seatLockKey(eventId, n)),
  ])
  const asked = requests.flatMap(({ seats, token }) => [token, seats.length])
  const answers = await runScript(redis, LOCK_SEATS, keys, [SEAT_LOCK_MS, ...asked])
  return (answers as ['locked' | 'taken' | 'busy', ...number[]][]).map(([word, ...indexes], i) =>
    word === 'locked'
      ? { locked: true }
      : { locked: false, why: word, seats: indexes.map((index) => requests[i]!.seats[index - 1]!) },
  )
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

/** A lock to be freed, if `token` still owns it. */
export interface HeldLock {
  n: number
  token: string
}

/**
 * Tells the cache and every watcher what Postgres has committed, and frees `locks`.
 * Safe to repeat and to come late. Throws when Redis does not answer.
 */
export async function settleSeats(
  redis: RedisClient,
  eventId: string,
  seats: SettledSeat[],
  locks: HeldLock[] = [],
): Promise<void> {
  const nowMs = Date.now()
  const tokens = new Map(locks.map(({ n, token }) => [n, token]))
  const told = new Set(seats.map(({ n }) => n))
  const entries = [
    ...seats.map((seat) => settled(seat, tokens.get(seat.n) ?? '', nowMs)),
    ...locks.filter(({ n }) => !told.has(n)).map(({ n, token }) => [n, '', 0, 0, 0, '', token] as const),
  ]
  for (let from = 0; from < entries.length; from += SETTLE_BATCH) {
    const batch = entries.slice(from, from + SETTLE_BATCH)
    const keys = [
      feedVersionKey(eventId),
      ...batch.map(([n]) => seatStatusKey(eventId, n)),
      ...batch.map(([n]) => seatLockKey(eventId, n)),
    ]
    await runScript(redis, SETTLE_SEATS, keys, [seatFeedChannel(eventId), nowMs, CACHE_MS, ...batch.flat()])
  }
}

type Entry = readonly [
  n: number,
  status: string,
  code: number,
  version: number,
  lifetimeMs: number,
  observed: string,
  token: string,
]

const settled = (seat: SettledSeat, token: string, nowMs: number): Entry => [
  seat.n,
  seat.status,
  SEAT_CODES[seat.status],
  seat.version,
  lifetimeMs(seat, nowMs),
  seat.observed === undefined ? '' : (seat.observed ?? '-'),
  token,
]

function lifetimeMs({ status, expiresAtMs }: SettledSeat, nowMs: number): number {
  if (status !== 'RESERVED' || expiresAtMs === undefined) return CACHE_MS
  return Math.max(0, Math.ceil(expiresAtMs - nowMs))
}
