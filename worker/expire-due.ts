// Decides what the expiry job of one tick does: end every hold that is overdue by now, whichever tick it belonged to.
import type { Job } from 'bullmq'
import { expireDueBookings } from '../db/bookings/expire-bookings.ts'
import { JOBS } from '../db/jobs.ts'
import type { Context } from './context.ts'
import { readPayload } from './payload.ts'
import { startQueueWorker, type QueueWorker } from './queue-worker.ts'

/** Ticks of one moment share the work: what one has locked, the other skips. */
const CONCURRENCY = 2
/** Of one tick; what is left goes with the next tick or the sweep. */
const EXPIRED_PER_TICK_MAX = 5_000

export function startExpiring(context: Context): QueueWorker {
  return startQueueWorker(context, {
    queue: JOBS['expire-due'].queue,
    concurrency: CONCURRENCY,
    work: (job) => workTick(context, job),
  })
}

async function workTick({ gate, telemetry }: Context, job: Job) {
  readPayload('expire-due', job.data)
  const { expired } = await expireDueBookings(gate, { limit: EXPIRED_PER_TICK_MAX })
  if (expired > 0) telemetry.bookingsExpired(expired)
}
