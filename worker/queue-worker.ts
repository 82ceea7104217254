// Owns how the worker takes jobs from BullMQ: bounded, with stalls found soon, and a stop that cannot hang.
import { DelayedError, Worker, type Job } from 'bullmq'
import { BULL_PREFIX } from '../db/redis.ts'
import type { Context } from './context.ts'

/** A worker that is killed leaves its job locked this long; the defaults of 30 s would leave it for a minute. */
const LOCK_MS = 10_000
const STALLED_EVERY_MS = 5_000
/** A stall is the worker's fault, not the job's: only a job that kills worker after worker is given up. */
const STALLS_MAX = 10
/** Finished jobs kept for a person to look at. */
const COMPLETED_KEPT = 1_000
const FAILED_KEPT_SECONDS = 24 * 60 * 60
const FAILED_KEPT = 10_000

export interface QueueWorkerPlan {
  queue: string
  /** Jobs at once in this process. */
  concurrency: number
  /** Throws to have the job tried again as its options say. Runs at least once: it must be safe to repeat. */
  work: (job: Job, token: string | undefined) => Promise<unknown>
  /** Told of a job that is given up without having been worked on: it killed worker after worker. */
  givenUp?: (job: Job, fault: Error) => Promise<void>
}

export interface QueueWorker {
  /** Takes no more jobs and waits for those under way, at most `withinMs`; true when none was left behind. */
  stop(withinMs: number): Promise<boolean>
}

export function startQueueWorker(
  { queueRedis, telemetry, tracing }: Pick<Context, 'queueRedis' | 'telemetry' | 'tracing'>,
  { queue, concurrency, work, givenUp }: QueueWorkerPlan,
): QueueWorker {
  const traced = (job: Job, run: () => Promise<unknown>) => {
    if (tracing === null) return run()
    const { traceparent } = job.data as { traceparent?: string }
    const attributes = { 'messaging.destination.name': queue, 'messaging.message.id': job.id ?? '' }
    return tracing.span(
      { name: `${queue} ${job.name}`, kind: 'consumer', parent: traceparent, attributes },
      run,
    )
  }
  const timed = async (job: Job, token: string | undefined) => {
    const began = performance.now()
    const tell = (outcome: 'done' | 'failed') =>
      telemetry.jobEnded(job.name, outcome, (performance.now() - began) / 1_000)
    try {
      const answer = await traced(job, () => work(job, token))
      tell('done')
      return answer
    } catch (fault) {
      tell(fault instanceof DelayedError ? 'done' : 'failed')
      throw fault
    }
  }
  const worker = new Worker(queue, timed, {
    connection: queueRedis,
    prefix: BULL_PREFIX,
    concurrency,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_EVERY_MS,
    maxStalledCount: STALLS_MAX,
    removeOnComplete: { count: COMPLETED_KEPT },
    removeOnFail: { age: FAILED_KEPT_SECONDS, count: FAILED_KEPT },
  })
  worker.on('error', (fault) => telemetry.connectionFailed(`worker ${queue}`, fault))
  worker.on('stalled', (jobId) => telemetry.jobStalled({ queue, jobId }))
  worker.on('failed', (job, fault) => {
    telemetry.jobFailed({ queue, job: job?.name ?? 'unknown', attempt: job?.attemptsMade ?? 0 }, fault)
    if (job?.deferredFailure)
      givenUp?.(job, fault).catch((lost: unknown) => telemetry.connectionFailed(`worker ${queue}`, lost))
  })
  return {
    stop: async (withinMs) => {
      // Without Redis close() never ends; what it leaves is found by the stalled check of the next worker.
      const closing = worker.close().then(
        () => true,
        () => false,
      )
      return Promise.race([closing, Bun.sleep(withinMs).then(() => false)])
    },
  }
}
