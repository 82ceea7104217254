// Owns the server's metrics and business events: one function an event, each one log line and one metric.
import { statSync } from 'node:fs'
import {
  AggregatorRegistry,
  Counter,
  Gauge,
  Histogram,
  Registry,
  collectDefaultMetrics,
  type MetricObject,
} from 'prom-client'
import { httpMetrics } from './http-metrics.ts'
import type { Log } from './log.ts'

const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const WAIT_BUCKETS = [1, 5, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200]
/** A process that has not reported for this long has ended; its figures leave the answer. */
const SNAPSHOT_MAX_AGE_MS = 15_000
const SNAPSHOTS_MAX = 256
/** Listing them takes a millisecond for each thousand sockets; their number alone is the folder's size (Linux 6.2). */
const OPEN_FILES = '/proc/self/fd'
const HEAP_SPACES = ['total', 'used', 'available'].map((kind) => `nodejs_heap_space_size_${kind}_bytes`)
export const METRICS_CHANNEL = 'metrics'

export interface MetricsSnapshot {
  process: string
  at: number
  metrics: MetricObject[]
}

export type BookingOutcome = 'held' | 'confirmed' | 'cancelled' | 'expired' | 'refunded' | 'declined'
export type ConflictStage = 'status' | 'lock' | 'version'
export type Telemetry = ReturnType<typeof createTelemetry>

/** `name` tells this process from the others that report. */
export function createTelemetry(log: Log, name: string) {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  // Asking the runtime for its heap spaces takes milliseconds, and the report goes out every second.
  for (const metric of HEAP_SPACES) registry.removeSingleMetric(metric)
  registry.removeSingleMetric('process_open_fds')
  if (statSync(OPEN_FILES, { throwIfNoEntry: false })?.size) registry.registerMetric(openFilesGauge())
  const counter = <L extends string>(metric: string, help: string, labelNames: L[] = []) =>
    new Counter({ name: metric, help, labelNames, registers: [registry] })
  const gauge = (metric: string, help: string, aggregator: 'sum' | 'max' = 'sum') =>
    new Gauge({ name: metric, help, registers: [registry], aggregator })

  const answered = httpMetrics(
    registry,
    { requests: 'http_requests_total', durations: 'http_request_duration_seconds' },
    LATENCY_BUCKETS,
  )
  const ticketsSold = counter('tickets_sold_total', 'Seats sold')
  const bookings = counter('bookings_total', 'Bookings by what became of them', ['outcome'])
  const conflicts = counter('seat_conflicts_total', 'Seats refused, by the guard that refused', ['stage'])
  const roomWaiting = gauge('room_waiting', 'Entrants waiting to be called, all rooms')
  const roomActive = gauge('room_active', 'Live passes, all rooms')
  const roomAdmitted = counter('room_admitted_total', 'Passes issued')
  const roomNoShow = counter('room_no_show_total', 'Turns that nobody claimed')
  const roomForecasts = counter(
    'room_forecasts_total',
    'Waits that were forecast, by how they came out against the range meant for 80 %',
    ['outcome'],
  )
  const roomWait = new Histogram({
    name: 'room_wait_seconds',
    help: 'From joining to the pass',
    buckets: WAIT_BUCKETS,
    registers: [registry],
  })
  const frozen = gauge('holds_frozen', 'Whether holds stand still, because nobody can pay (0 or 1)', 'max')
  let saidFrozen = false
  const connections = gauge('ws_connections', 'Open sockets')
  const broadcast = new Histogram({
    name: 'ws_broadcast_seconds',
    help: 'Server time to hand one broadcast to every socket of a topic',
    buckets: LATENCY_BUCKETS,
    registers: [registry],
  })

  const others = new Map<string, MetricsSnapshot>()
  const snapshot = async (): Promise<MetricsSnapshot> => ({
    process: name,
    at: Date.now(),
    metrics: await registry.getMetricsAsJSON(),
  })

  return {
    registry,
    /** One HTTP answer, by the route's name and never by its address. */
    answered,
    seatsHeld(fields: { requestId: string; eventId: string; bookingId: string; seats: number }) {
      bookings.inc({ outcome: 'held' })
      log.info('seats_held', fields)
    },
    seatsRefused(stage: ConflictStage, seats: number) {
      conflicts.inc({ stage }, seats)
    },
    bookingConfirmed(fields: { requestId: string; eventId: string; bookingId: string; seats: number }) {
      bookings.inc({ outcome: 'confirmed' })
      ticketsSold.inc(fields.seats)
      log.info('booking_confirmed', fields)
    },
    bookingExtended: (fields: { requestId: string; eventId: string; bookingId: string }) =>
      log.info('booking_extended', fields),
    bookingReleased(fields: { requestId: string; eventId: string; bookingId: string }) {
      bookings.inc({ outcome: 'cancelled' })
      log.info('booking_released', fields)
    },
    bookingRefunded(fields: { requestId: string; eventId: string; bookingId: string }) {
      bookings.inc({ outcome: 'refunded' })
      log.info('booking_refunded', fields)
    },
    paymentDeclined(fields: { requestId: string; eventId: string; bookingId: string }) {
      bookings.inc({ outcome: 'declined' })
      log.info('payment_declined', fields)
    },
    /** Said every second; the log tells each change. */
    holdsFrozen(stand: boolean, reason: string | null) {
      frozen.set(stand ? 1 : 0)
      if (stand !== saidFrozen) log.warn(stand ? 'holds_frozen' : 'holds_run_again', { reason })
      saidFrozen = stand
    },
    holdsGivenBack: (given: { since: Date; until: Date; holds: number; reason: string }) =>
      log.warn('holds_given_back', {
        holds: given.holds,
        reason: given.reason,
        seconds: (given.until.getTime() - given.since.getTime()) / 1_000,
      }),
    roomAdmitted(waitSeconds: number) {
      roomAdmitted.inc()
      roomWait.observe(waitSeconds)
    },
    roomNoShow(turns: number) {
      roomNoShow.inc(turns)
    },
    roomForecast(score: { inside: number; early: number; late: number }) {
      for (const outcome of ['inside', 'early', 'late'] as const)
        if (score[outcome] > 0) roomForecasts.inc({ outcome }, score[outcome])
    },
    /** Said by the process whose clock ticks, for all rooms together. */
    roomCounted(waiting: number, active: number) {
      roomWaiting.set(waiting)
      roomActive.set(active)
    },
    socketOpened() {
      connections.inc()
    },
    socketClosed() {
      connections.dec()
    },
    broadcastSent(seconds: number) {
      broadcast.observe(seconds)
    },
    snapshot,
    /** Takes another process' report; anything that is not one is ignored. */
    remember(message: string) {
      const report = parseSnapshot(message)
      if (!report || report.process === name) return
      if (others.size >= SNAPSHOTS_MAX && !others.has(report.process)) return
      others.set(report.process, report)
    },
    /** Every process' figures in one text, for one scrape of any server. */
    async text(): Promise<{ contentType: string; body: string }> {
      const oldest = Date.now() - SNAPSHOT_MAX_AGE_MS
      for (const [process, report] of others) if (report.at < oldest) others.delete(process)
      const all = [await snapshot(), ...others.values()].map((report) => report.metrics)
      const merged = AggregatorRegistry.aggregate(all)
      return { contentType: merged.contentType, body: await merged.metrics() }
    },
  }
}

function parseSnapshot(message: string): MetricsSnapshot | null {
  try {
    const value: unknown = JSON.parse(message)
    if (typeof value !== 'object' || value === null) return null
    const { process, at, metrics } = value as Partial<MetricsSnapshot>
    return typeof process === 'string' && typeof at === 'number' && Array.isArray(metrics)
      ? { process, at, metrics }
      : null
  } catch {
    return null
  }
}

/** The default counts the entries one by one, a quarter of a server's work at ten thousand sockets. */
const openFilesGauge = () =>
  new Gauge({
    name: 'process_open_fds',
    help: 'Number of open file descriptors.',
    registers: [],
    collect() {
      this.set(statSync(OPEN_FILES).size)
    },
  })
