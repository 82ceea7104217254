// Owns what the worker watches on the clock: the gauges, the audit, old rows, and the report to the servers.
import { createRoundAudit } from '../db/audit/rounds.ts'
import { deleteOldAudits, saveAudit } from '../db/audit/results.ts'
import { deleteOldAnswers } from '../db/idempotency.ts'
import { deleteOldOutbox } from '../db/outbox.ts'
import type { Context } from './context.ts'
import type { LoopPlan } from './loop.ts'
import type { QueueCount } from './telemetry.ts'

const MEASURE_EVERY_MS = 5_000
const PUBLISH_EVERY_MS = 1_000
const AUDIT_EVERY_MS = 60_000
const PURGE_EVERY_MS = 10 * 60_000
const STATES = ['waiting', 'active', 'delayed', 'failed'] as const

/** Jobs by state. What waits in the stores the servers measure: a worker that stands still would not tell. */
export function measuring({ queues, telemetry }: Context): LoopPlan {
  return {
    name: 'measure',
    paceMs: MEASURE_EVERY_MS,
    round: async () => {
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
      telemetry.auditFinished(
        lines.reduce((sum, { violations }) => sum + violations, 0),
        (performance.now() - began) / 1_000,
      )
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

/** Tells this process' figures to the servers. */
export function publishing({ figures }: Context): LoopPlan {
  return { name: 'publish-metrics', paceMs: PUBLISH_EVERY_MS, round: () => figures.report() }
}
