// Decides how far admission is braked while reservations do badly: halved at once, given back little by little (AIMD).
//
// Reported are the last seconds of every server's POST /booking. The brake is a share of the rate and of activeMax.

/** How reservations of one event went lately, on all servers. */
export interface BookingHealth {
  attempts: number
  /** Refused because a seat was taken or locked. */
  conflicts: number
  /** Failed because a store was away or something broke. */
  errors: number
  /** Of the slowest server. */
  p95Ms: number
}
export type BrakeReason = 'latency' | 'conflicts' | 'errors'
export interface Brake {
  /** 0.1–1; 1 = not braked. */
  value: number
  /** Why it was last pulled; '' once it is off. */
  reason: BrakeReason | ''
  /** When it last moved, ms. */
  at: number
}

const LATENCY_TARGET_MS = 1_000
const CONFLICT_SHARE_MAX = 0.5
const ERROR_SHARE_MAX = 0.05
/** Fewer attempts than this say nothing. */
const ATTEMPTS_MIN = { latency: 5, conflicts: 20, errors: 5 } as const
/** An effect shows in the window the health is measured over, and not before. */
export const BRAKE_EVERY_MS = 5_000
const BRAKE_MIN = 0.1
const PULL_FACTOR = 0.5
const RELEASE_STEP = 0.1

export const BRAKE_OFF: Brake = { value: 1, reason: '', at: 0 }

/** What is wrong with reservations; null when nothing is. The worst first: nothing works, it is slow, it is in vain. */
export function whatIsWrong({ attempts, conflicts, errors, p95Ms }: BookingHealth): BrakeReason | null {
  if (attempts >= ATTEMPTS_MIN.errors && errors > attempts * ERROR_SHARE_MAX) return 'errors'
  if (attempts >= ATTEMPTS_MIN.latency && p95Ms > LATENCY_TARGET_MS) return 'latency'
  if (attempts >= ATTEMPTS_MIN.conflicts && conflicts > attempts * CONFLICT_SHARE_MAX) return 'conflicts'
  return null
}

/** The brake at `now` (ms). Moves at most every BRAKE_EVERY_MS. */
export function nextBrake(brake: Brake, health: BookingHealth, now: number): Brake {
  const wrong = whatIsWrong(health)
  if ((wrong === null && brake.value === 1) || now - brake.at < BRAKE_EVERY_MS) return brake
  const moved = wrong ? brake.value * PULL_FACTOR : brake.value + RELEASE_STEP
  const value = Math.round(Math.min(1, Math.max(BRAKE_MIN, moved)) * 1_000) / 1_000
  return { value, reason: value === 1 ? '' : (wrong ?? brake.reason), at: now }
}
