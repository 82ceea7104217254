// Owns what the worker tells of itself: one method a business event, which is one log line and its metrics.
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client'
import { describeFault, type Log } from './log.ts'

const SAME_LINE_EVERY_MS = 5_000

export interface QueueCount {
  queue: string
  state: string
  jobs: number
}

export type Telemetry = ReturnType<typeof createTelemetry>

/** A registry of this process alone; `publishMetrics` hands its snapshots to the servers, which add them up. */
export function createTelemetry(log: Log) {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
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
  const outbox = new Gauge({
    name: 'outbox_oldest_seconds',
    help: 'Age of the oldest outbox row neither settled nor given up',
    ...shared,
  })
  const dead = new Gauge({ name: 'dead_letters', help: 'Outbox rows given up', ...shared })
  const pending = new Gauge({ name: 'bookings_pending', help: 'Bookings waiting for payment', ...shared })

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
    seatsRepaired: (fields: { eventId: string; repaired: number }) => log.warn('seats_repaired', fields),

    mailSent: (fields: { outboxId: number; kind: string }) => log.info('mail_sent', fields),
    /** There is nobody left to write to, or nothing left to say. */
    mailNotNeeded: (fields: { outboxId: number; kind: string }) => log.info('mail_not_needed', fields),
    /** The row was settled before: this job came twice. */
    outboxSkipped: (fields: { outboxId: number }) => log.debug('outbox_skipped', fields),
    deadLettered: (fields: { outboxId: number; kind: string; attempt: number }, fault: unknown) =>
      log.error('outbox_dead_lettered', { ...fields, fault: describeFault(fault) }),
    outboxRelayed: (count: number) => log.debug('outbox_relayed', { count }),

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
    loopFailed: (loop: string, failures: number, fault: unknown) =>
      log.warn('round_failed', { loop, failures, fault: describeFault(fault) }),
    loopRecovered: (loop: string, failures: number) => log.info('round_recovered', { loop, failures }),

    invariantBroken: (fields: { invariant: string; violations: number }) =>
      log.error('invariant_broken', fields),
    auditFinished: (found: number) => violations.set(found),
    queuesMeasured(counts: QueueCount[]) {
      for (const { queue, state, jobs: count } of counts) jobs.set({ queue, state }, count)
    },
    ledgerMeasured(fields: { outboxOldestSeconds: number; deadLetters: number; bookingsPending: number }) {
      outbox.set(fields.outboxOldestSeconds)
      dead.set(fields.deadLetters)
      pending.set(fields.bookingsPending)
    },
  }
}

/** What the servers read from the channel: one process' metrics at one moment. */
export async function metricsSnapshot(telemetry: Telemetry): Promise<string> {
  const metrics = await telemetry.registry.getMetricsAsJSON()
  return JSON.stringify({ process: `worker-${process.pid}`, at: Date.now(), metrics })
}
