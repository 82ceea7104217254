// Owns the server's metrics and business events: one function an event, each one log line and one metric.
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { measureProcess } from '../db/figures/measure-process.ts'
import type { Figure } from '../db/figures/sums.ts'
import { httpMetrics } from './http-metrics.ts'
import type { Log } from './log.ts'
import { CLOSE_CODES, type ErrorCode } from './protocol/codes.ts'
import type { RoomsCounted } from './room/clock.ts'
import { storeGauges } from './store-gauges.ts'

/** To the longest deadline of any route (server/deadlines.ts) and beyond; the finer ones are where promises are made. */
const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const WAIT_BUCKETS = [1, 5, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200]
/** What closes a socket without any word of ours: it went, its page was left, it sent too much, it was cut. */
const OTHER_CLOSES = [1000, 1001, 1005, 1006, 1009, 1011]
const KNOWN_CLOSES = new Set<number>([...Object.values(CLOSE_CODES), ...OTHER_CLOSES])

/** Each has its series from the start: what begins with its first count shows no rate for it. */
const OUTCOMES = ['held', 'confirmed', 'cancelled', 'expired', 'refunded', 'declined'] as const
const STAGES = ['status', 'lock', 'version'] as const
const STORES_OF_STALE_READS = ['primary', 'replica'] as const
export type ConflictStage = (typeof STAGES)[number]
export type Telemetry = ReturnType<typeof createTelemetry>

export function createTelemetry(log: Log) {
  const registry = new Registry()
  const stopMeasuring = measureProcess(registry)
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
  for (const outcome of OUTCOMES) bookings.inc({ outcome }, 0)
  for (const stage of STAGES) conflicts.inc({ stage }, 0)
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

  const closes = counter('ws_closed_total', 'Sockets closed, by the code of the close', ['code'])
  const socketRefusals = counter('ws_refusals_total', 'Frames refused, by the code of the refusal', ['code'])
  const roomWaitingOpen = gauge(
    'room_waiting_open',
    'Entrants waiting to be called in rooms that are open and have seats left',
  )
  const tickedAt = new Map<string, number>()
  registry.registerMetric(oldestTick(tickedAt))
  const staleReads = counter('stale_reads_total', 'Reads that a replica may answer, by who did', ['store'])
  for (const store of STORES_OF_STALE_READS) staleReads.inc({ store }, 0)
  const replicaLag = gauge(
    'postgres_replica_lag_seconds',
    'How old what the replica shows may be at the most; 0 without one',
    'max',
  )

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
    roomCounted({ waiting, waitingOpen, active }: RoomsCounted) {
      roomWaiting.set(waiting)
      roomWaitingOpen.set(waitingOpen)
      roomActive.set(active)
    },
    roomTicked: (eventId: string) => void tickedAt.set(eventId, Date.now()),
    roomForgotten: (eventId: string) => void tickedAt.delete(eventId),
    socketOpened() {
      connections.inc()
    },
    socketClosed(code: number) {
      connections.dec()
      closes.inc({ code: KNOWN_CLOSES.has(code) ? code : 'other' })
    },
    /** A frame was answered by an error. */
    socketRefused: (code: ErrorCode) => socketRefusals.inc({ code }),
    staleReadFrom: (store: (typeof STORES_OF_STALE_READS)[number]) => staleReads.inc({ store }),
    replicaMeasured: (lagSeconds: number) => replicaLag.set(lagSeconds),
    /** `left` says why the replica is asked no more; null: it is asked from now on. */
    replicaChanged: (left: string | null) =>
      left === null ? log.info('replica_used') : log.warn('replica_left', { reason: left }),
    scrapeRefused: (why: string) => log.warn('scrape_refused', { why }),
    ...storeGauges(registry),
    broadcastSent(seconds: number) {
      broadcast.observe(seconds)
    },
    /** This process' own figures. */
    figures: async () => (await registry.getMetricsAsJSON()) as unknown as Figure[],
    close: stopMeasuring,
  }
}

/** How long ago the room that was ticked longest ago was: a line that stands still shows here within a second. */
const oldestTick = (tickedAt: Map<string, number>) =>
  new Gauge({
    name: 'room_tick_age_seconds',
    help: 'Since the clock last moved the line it moved longest ago',
    registers: [],
    aggregator: 'max',
    collect() {
      const now = Date.now()
      this.set(Math.max(0, ...[...tickedAt.values()].map((at) => now - at)) / 1_000)
    },
  })
