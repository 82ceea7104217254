// Decides what one tick of one room does: keep the lease, end what has run out, let in, and call the next.
import { joinHealth } from './booking-health.ts'
import { nextBrake, whatIsWrong, type BookingHealth, type Brake, type BrakeReason } from './brake.ts'
import type { Line, SeatCounts } from './room.ts'
import type { ScriptAnswer } from './scripts.ts'

export const TICK_MS = 250
/** A server that has not ticked for this long is taken over from. */
const LEASE_MS = 2_000
/** One tick's share of each kind of work, so that no script holds Redis up; the rest waits for the next tick. */
const PASSES_PER_TICK = 1_000
const TURNS_PER_TICK = 200
const SWEEPS_PER_TICK = 500
const ADMISSIONS_PER_TICK = 1_000
const CALLS_PER_TICK = 2_000
/** Records looked through for people of a missing server. */
const MISSES_PER_TICK = 500
/** A server nobody has heard of for this long has died, and its people have lost their connection. */
export const MISSING_AFTER_MS = 5_000

export interface Ticked {
  holding: boolean
  noShows: number
  called: number
  /** The fencing number, when the lobby's list is to be closed or its draw to be finished. */
  drawDue: string | null
}

/**
 * One tick by `owner` (a name no other process has). Only the holder of the lease does anything, and each step says
 * with the lease's fencing number that it still is; a server that was stopped in between changes nothing.
 */
export async function tickRoom(
  line: Line,
  eventId: string,
  owner: string,
  seats: SeatCounts | null,
): Promise<Ticked> {
  const lease = await line.run('hold-lease', eventId, [
    owner,
    LEASE_MS,
    seats?.total ?? '',
    seats?.available ?? '',
    seats?.reserved ?? '',
  ])
  if (lease?.[0] !== 'holding') return { holding: false, noShows: 0, called: 0, drawDue: null }
  const fence = lease[1]!
  const step = (
    name: 'expire-passes' | 'expire-turns' | 'miss-server' | 'sweep-away' | 'open-door' | 'call-next',
    ...args: (number | string)[]
  ) => line.run(name, eventId, [fence, ...args])
  // One connection keeps their order: what ends is gone before anybody is let in or called.
  const [, turns, , , door, calls] = await Promise.all([
    step('expire-passes', PASSES_PER_TICK),
    step('expire-turns', TURNS_PER_TICK),
    step('miss-server', MISSING_AFTER_MS, MISSES_PER_TICK),
    step('sweep-away', SWEEPS_PER_TICK),
    step('open-door', ADMISSIONS_PER_TICK),
    step('call-next', CALLS_PER_TICK, ...brakeOf(lease, line.clock.now())),
  ])
  if (door?.[0] === 'opened') for (const seconds of door.slice(1)) line.admitted(Number(seconds))
  return {
    holding: true,
    noShows: turns?.[0] === 'expired' ? Number(turns[1]) : 0,
    called: calls?.[0] === 'called' ? Number(calls[1]) : 0,
    drawDue: lease[3] === '1' ? fence : null,
  }
}

/** The brake for this tick, as call-next.lua takes it, from what hold-lease.lua tells. */
function brakeOf(lease: ScriptAnswer, now: number): [thousandths: number, reason: string] {
  const [value, reason, at, ...reports] = lease.slice(4)
  const [word, figure = ''] = reason!.split(':', 2) as [BrakeReason | '', string?]
  const before = { value: Number(value) / 1_000, reason: word, at: Number(at) }
  const health = joinHealth(reports, now)
  const brake = nextBrake(before, health, now)
  return [
    Math.round(brake.value * 1_000),
    brake.reason && `${brake.reason}:${figureOf(brake, health) ?? figure}`,
  ]
}

/** What makes the reason one, for whoever runs the room: ms, or a share; null once it is no longer so bad. */
function figureOf({ reason }: Brake, health: BookingHealth): string | null {
  if (reason === '' || whatIsWrong(health) !== reason) return null
  if (reason === 'latency') return String(health.p95Ms)
  return (health[reason] / health.attempts).toFixed(2)
}
