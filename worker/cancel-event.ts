// Decides how a cancelled event is wound up: every live booking ends and every paid one is refunded, in batches.
import { endCancelledBookings } from '../db/bookings/cancelled-events.ts'
import type { Context } from './context.ts'
import type { LoopPlan } from './loop.ts'

const BATCH = 50
/** Finds what was paid in the moment of cancelling, after the job had looked. */
const SWEEP_PACE_MS = 10_000

/** Returns when no live booking is left; throws when one could not be ended, so that the job is tried again. */
export async function windUpEvent({ gate }: Context, eventId: string): Promise<void> {
  for (let left = true; left;) {
    const batch = await endCancelledBookings(gate, { eventId, limit: BATCH })
    left = batch.left
    if (left && batch.released + batch.refunded === 0)
      throw new Error('bookings of a cancelled event stay live')
  }
}

export function sweepingCancelled({ gate }: Context): LoopPlan {
  return {
    name: 'sweep-cancelled',
    paceMs: SWEEP_PACE_MS,
    round: async () => {
      const { left } = await endCancelledBookings(gate, { limit: BATCH })
      return left
    },
  }
}
