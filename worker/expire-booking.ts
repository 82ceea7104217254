// Decides what the expiry job does: look again, then end the booking that is still unpaid and overdue.
import { DelayedError, type Job } from 'bullmq'
import { expireBooking } from '../db/bookings/expire-bookings.ts'
import { JOBS } from '../db/jobs.ts'
import type { Context } from './context.ts'
import { readPayload } from './payload.ts'
import { startQueueWorker, type QueueWorker } from './queue-worker.ts'

/** A sold-out minute ends thousands of holds at the same second; each is one short transaction. */
const CONCURRENCY = 8

export function startExpiring(context: Context): QueueWorker {
  return startQueueWorker(context, {
    queue: JOBS['expire-booking'].queue,
    concurrency: CONCURRENCY,
    work: (job, token) => workExpiry(context, job, token),
  })
}

async function workExpiry({ gate, telemetry }: Context, job: Job, token: string | undefined) {
  const booking = readPayload('expire-booking', job.data)
  const { expired, dueInMs } = await expireBooking(gate, booking)
  if (expired) telemetry.bookingExpired(booking)
  if (dueInMs === null) return
  // Early, by another clock or because the hold was extended: the same job comes back when it is due.
  await job.moveToDelayed(Date.now() + dueInMs, token)
  throw new DelayedError()
}
