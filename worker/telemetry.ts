// Owns what the worker tells of itself: one method a business event, which is one log line and its metrics.
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { measureProcess } from '../db/figures/measure-process.ts'
import type { Figure } from '../db/figures/sums.ts'
import { describeFault, type Log } from './log.ts'

const SAME_LINE_EVERY_MS = 5_000
/** A mail waits for its server, a refund for its provider. */
const JOB_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const AUDIT_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export interface QueueCount {
  queue: string
  state: string
  jobs: number
}

export type Telemetry = ReturnType<typeof createTelemetry>

/** A registry of this process alone; its reports are added to those of the servers (db/figures). */
export function createTelemetry(log: Log) {
  const registry = new Registry()
  const registers = [registry]
  const stopMeasuring = measureProcess(registry)
  // Gauges that measure the shared stores are the same from every worker, so the greatest counts, not the sum.
  const shared = { registers, aggregator: 'max' as const }
  const bookings = new Counter({
    name: 'bookings_total',
    help: 'Bookings by outcome',
    labelNames: ['outcome'],
    registers,
  })
  const expired = new Counter({
    name: 'bookings_expired_total',
    help: 'Bookings that ran out unpaid',
    registers,
  })
  const sold = new Counter({ name: 'tickets_sold_total', help: 'Seats that became tickets', registers })
  const violations = new Gauge({
    name: 'invariant_violations',
    help: 'Findings of the last audit',
    ...shared,
  })
  const jobs = new Gauge({
    name: 'queue_jobs',
    help: 'Jobs by queue and state',
    labelNames: ['queue', 'state'],
    ...shared,
  })
  const jobSeconds = new Histogram({
    name: 'job_duration_seconds',
    help: 'Time a job was worked on, by how it ended',
    labelNames: ['job', 'outcome'],
    buckets: JOB_BUCKETS,
    registers,
  })
  const auditSeconds = new Histogram({
    name: 'audit_duration_seconds',
    help: 'Time one audit of all invariants took',
    buckets: AUDIT_BUCKETS,
    registers,
  })
  const repaired = new Counter({
    name: 'seats_repaired_total',
    help: 'Seats whose cached status did not agree with the ledger, and was repaired',
    registers,
  })
  const rounds = new Counter({
    name: 'worker_rounds_failed_total',
    help: 'Rounds of the worker that failed',
    labelNames: ['loop'],
    registers,
  })
  const saidAt = new Map<string, number>()

  return {
    registry,

    workerStarted: () => log.info('worker_started', { pid: process.pid }),
    workerStopped: (fields: { clean: boolean }) => log.info('worker_stopped', fields),

    bookingsExpired(count: number) {
      expired.inc(count)
      bookings.inc({ outcome: 'expired' }, count)
      log.info('bookings_expired', { count })
    },
    /** What the job should have done and the sweep did. */
    bookingsSwept(count: number) {
      expired.inc(count)
      bookings.inc({ outcome: 'expired' }, count)
      log.warn('bookings_swept', { count })
    },
    paymentSettled(fields: { paymentId: string; outcome: string; seats: number }) {
      if (fields.outcome === 'confirmed') {
        bookings.inc({ outcome: 'confirmed' })
        sold.inc(fields.seats)
      }
      log.info('payment_settled', fields)
    },
    webhookSent: (fields: { ref: string; taken: boolean }) => log.debug('webhook_sent', fields),
    seatsRepaired(fields: { eventId: string; repaired: number }) {
      repaired.inc(fields.repaired)
      log.warn('seats_repaired', fields)
    },

    mailSent: (fields: { outboxId: number; kind: string }) => log.info('mail_sent', fields),
    /** There is nobody left to write to, or nothing left to say. */
    mailNotNeeded: (fields: { outboxId: number; kind: string }) => log.info('mail_not_needed', fields),
    /** The row was settled before: this job came twice. */
    outboxSkipped: (fields: { outboxId: number }) => log.debug('outbox_skipped', fields),
    deadLettered: (fields: { outboxId: number; kind: string; attempt: number }, fault: unknown) =>
      log.error('outbox_dead_lettered', { ...fields, fault: describeFault(fault) }),
    outboxRelayed: (count: number) => log.debug('outbox_relayed', { count }),

    jobEnded: (job: string, outcome: 'done' | 'failed', seconds: number) =>
      jobSeconds.observe({ job, outcome }, seconds),
    jobFailed: (fields: { queue: string; job: string; attempt: number }, fault: unknown) =>
      log.warn('job_failed', { ...fields, fault: describeFault(fault) }),
    jobStalled: (fields: { queue: string; jobId: string }) => log.warn('job_stalled', fields),
    /** A store that is away errors many times a second; one line in a while says it. */
    connectionFailed(name: string, fault: unknown) {
      if (Date.now() - (saidAt.get(name) ?? 0) < SAME_LINE_EVERY_MS) return
      saidAt.set(name, Date.now())
      log.warn('connection_failed', { name, fault: describeFault(fault) })
    },
    /** What Redis was not told after a commit; reconciling and the sweeps make up for it. */
    hintFailed: (what: string, fault: unknown) =>
      log.warn('hint_failed', { what, fault: describeFault(fault) }),
    roundFailed: (loop: string) => rounds.inc({ loop }),
    loopFailed: (loop: string, failures: number, fault: unknown) =>
      log.warn('round_failed', { loop, failures, fault: describeFault(fault) }),
    loopRecovered: (loop: string, failures: number) => log.info('round_recovered', { loop, failures }),

    invariantBroken: (fields: { invariant: string; violations: number }) =>
      log.error('invariant_broken', fields),
    auditFinished(found: number, seconds: number) {
      violations.set(found)
      auditSeconds.observe(seconds)
    },
    queuesMeasured(counts: QueueCount[]) {
      for (const { queue, state, jobs: count } of counts) jobs.set({ queue, state }, count)
    },
    /** This process' own figures. */
    figures: async () => (await registry.getMetricsAsJSON()) as unknown as Figure[],
    close: stopMeasuring,
  }
}
