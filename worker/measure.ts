// Owns what the worker watches on the clock: the gauges, the audit, old rows, and the report to the servers.
import { eq } from 'drizzle-orm'
import { createRoundAudit } from '../db/audit/rounds.ts'
import { deleteOldAudits, saveAudit } from '../db/audit/results.ts'
import { deleteOldAnswers } from '../db/idempotency.ts'
import { countDeadLetters, deleteOldOutbox, outboxOldestSeconds } from '../db/outbox.ts'
import { bookings } from '../db/schema.ts'
import type { Context } from './context.ts'
import type { LoopPlan } from './loop.ts'
import { metricsSnapshot, type QueueCount } from './telemetry.ts'

const MEASURE_EVERY_MS = 5_000
const PUBLISH_EVERY_MS = 1_000
const AUDIT_EVERY_MS = 60_000
const PURGE_EVERY_MS = 10 * 60_000
const METRICS_CHANNEL = 'metrics'
const STATES = ['waiting', 'active', 'delayed', 'failed'] as const

/** Jobs by state, the oldest open outbox row, bookings that wait for payment. */
export function measuring({ ledger, queues, telemetry }: Context): LoopPlan {
  return {
    name: 'measure',
    paceMs: MEASURE_EVERY_MS,
    round: async () => {
      const [outboxOldest, deadLetters, bookingsPending] = await Promise.all([
        outboxOldestSeconds(ledger.db),
        countDeadLetters(ledger.db),
        ledger.db.$count(bookings, eq(bookings.status, 'PENDING')),
      ])
      telemetry.ledgerMeasured({ outboxOldestSeconds: outboxOldest, deadLetters, bookingsPending })
      const measured = [queues.ticketCleanup, queues.email, queues.payment].map(async (queue) => {
        const counts = await queue.getJobCounts(...STATES)
        return STATES.map((state): QueueCount => ({ queue: queue.name, state, jobs: counts[state] ?? 0 }))
      })
      telemetry.queuesMeasured((await Promise.all(measured)).flat())
    },
  }
}

/** Every invariant on the live stores; what is broken is said by name. */
export function auditing({ ledger, redis, telemetry }: Context): LoopPlan {
  const audit = createRoundAudit({ db: ledger.db, redis })
  return {
    name: 'audit',
    paceMs: AUDIT_EVERY_MS,
    round: async () => {
      const began = performance.now()
      const lines = await audit()
      await saveAudit(ledger.db, { tookMs: performance.now() - began, lines })
      for (const { id, ok, violations } of lines)
        if (!ok) telemetry.invariantBroken({ invariant: id, violations })
      telemetry.auditFinished(lines.reduce((sum, { violations }) => sum + violations, 0))
    },
  }
}

/** Rows that only served a retry, long after anyone can retry. */
export function purging({ ledger }: Context): LoopPlan {
  return {
    name: 'purge',
    paceMs: PURGE_EVERY_MS,
    round: async () => {
      await deleteOldAnswers(ledger.db)
      await deleteOldOutbox(ledger.db)
      await deleteOldAudits(ledger.db)
    },
  }
}

/** Hands this process' metrics to the servers, which answer `/metrics` for all. */
export function publishing({ redis, telemetry }: Context): LoopPlan {
  return {
    name: 'publish-metrics',
    paceMs: PUBLISH_EVERY_MS,
    round: async () => {
      await redis.publish(METRICS_CHANNEL, await metricsSnapshot(telemetry))
    },
  }
}
