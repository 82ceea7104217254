// Owns the certainty of expiry: whatever happened to a booking's job, its seats come back within about a second.
import { expireDueBookings } from '../db/bookings/expire-bookings.ts'
import type { Context } from './context.ts'
import type { LoopPlan } from './loop.ts'

const PACE_MS = 1_000
const BATCH = 200

export function sweeping({ gate, telemetry }: Context): LoopPlan {
  return {
    name: 'sweep-expired',
    paceMs: PACE_MS,
    round: async () => {
      const { expired } = await expireDueBookings(gate, { limit: BATCH })
      if (expired > 0) telemetry.bookingsSwept(expired)
      return expired >= BATCH
    },
  }
}
