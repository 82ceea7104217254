// Owns the BullMQ catalogue: every queue, job, payload and retry, and the outbox rows that become jobs.
import { Queue, type ConnectionOptions, type JobsOptions } from 'bullmq'
import Type, { type Static } from 'typebox'
import { BULL_PREFIX, connectRedis, type RedisClient } from './redis.ts'

const QUEUES = ['ticket-cleanup', 'email', 'payment'] as const
export type QueueName = (typeof QUEUES)[number]

const Id = Type.String({ minLength: 1, maxLength: 64 })
/** The job reads its row again; what the row says, secrets too, never enters Redis. */
const OutboxRowOnly = Type.Object({
  outboxId: Type.Integer({ minimum: 1 }),
  traceparent: Type.Optional(Type.String()),
})
const WEEK_SECONDS = 7 * 24 * 60 * 60

/**
 * - `attempts` tries in all, waiting `backoffMs`, then twice as long each time.
 * - Finished jobs go at once, so that the same id may be added again; what failed for good is listed by the
 *   outbox's dead letters, and for jobs without an outbox row kept in the queue for a week.
 */
export const JOBS = {
  'expire-due': {
    queue: 'ticket-cleanup',
    payload: Type.Object({ tick: Type.Integer({ minimum: 0 }) }),
    attempts: 5,
    backoffMs: 500,
    removeOnFail: { age: WEEK_SECONDS },
  },
  'settle-payment': {
    queue: 'payment',
    payload: Type.Object({ eventId: Id, paymentId: Id, traceparent: Type.Optional(Type.String()) }),
    attempts: 8,
    backoffMs: 500,
    removeOnFail: { age: WEEK_SECONDS },
  },
  'refund-payment': {
    queue: 'payment',
    payload: OutboxRowOnly,
    attempts: 8,
    backoffMs: 500,
    removeOnFail: true,
  },
  'cancel-event': {
    queue: 'payment',
    payload: OutboxRowOnly,
    attempts: 8,
    backoffMs: 500,
    removeOnFail: true,
  },
  'send-email': {
    queue: 'email',
    payload: OutboxRowOnly,
    // A mail server that restarts is away for minutes: the last try comes after some eight.
    attempts: 10,
    backoffMs: 1_000,
    removeOnFail: true,
  },
} as const satisfies Record<
  string,
  {
    queue: QueueName
    payload: unknown
    attempts: number
    backoffMs: number
    removeOnFail: true | { age: number }
  }
>
export type JobName = keyof typeof JOBS
export type JobPayload<N extends JobName> = Static<(typeof JOBS)[N]['payload']>

/** Ids are the same for the same work, so that adding a job twice is adding it once. Colons are not allowed in them. */
export const jobIds = {
  expireDue: (tick: number) => `expire-${tick}`,
  settlePayment: (paymentId: string) => `settle-${paymentId}`,
  outbox: (outboxId: number) => `outbox-${outboxId}`,
}

/** Holds that end within the same so many milliseconds share one job: a sold-out minute costs 240 jobs, not thousands. */
export const EXPIRY_TICK_MS = 250

/** The tick at which a hold that ends at `expiresAt` is looked at, ms since 1970; at most EXPIRY_TICK_MS late. */
export const expiryTick = (expiresAt: Date): number =>
  Math.ceil(expiresAt.getTime() / EXPIRY_TICK_MS) * EXPIRY_TICK_MS

export function jobOptions(name: JobName, jobId: string, delayMs = 0): JobsOptions {
  const { attempts, backoffMs, removeOnFail } = JOBS[name]
  return {
    jobId,
    attempts,
    backoff: { type: 'exponential', delay: backoffMs },
    removeOnComplete: true,
    removeOnFail,
    ...(delayMs > 0 ? { delay: Math.ceil(delayMs) } : {}),
  }
}

export interface Queues {
  ticketCleanup: Queue
  email: Queue
  payment: Queue
  close(): Promise<void>
}

/** Producers on a connection of their own. They fail fast: whatever is added here is also found by a sweep. */
export function openQueues(redisUrl: string, onError?: (fault: Error) => void): Queues {
  const redis = connectRedis(redisUrl, { role: 'producer', name: 'queues', ...(onError && { onError }) })
  const queues = queuesOn(redis, onError)
  return {
    ...queues,
    close: async () => {
      await Promise.allSettled(Object.values(queues).map((queue) => queue.close()))
      redis.disconnect()
    },
  }
}

/** Producers on a connection that does not pipeline by itself; closed with it. */
export function queuesOn(
  redis: RedisClient,
  onError: (fault: Error) => void = () => {},
): Omit<Queues, 'close'> {
  const open = (name: QueueName) => {
    const queue = new Queue(name, {
      connection: redis as ConnectionOptions,
      prefix: BULL_PREFIX,
      skipVersionCheck: true,
      skipWaitingForReady: true,
    })
    queue.on('error', onError)
    return queue
  }
  return { ticketCleanup: open('ticket-cleanup'), email: open('email'), payment: open('payment') }
}
