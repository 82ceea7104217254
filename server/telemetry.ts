// Owns the server's metrics and business events: one function an event, each one log line and one metric.
import { statSync } from 'node:fs'
import { AggregatorRegistry, Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { Totals } from '../db/figures/figures.ts'
import type { Figure } from '../db/figures/sums.ts'
import type { LedgerFigures } from '../db/ledger-figures.ts'
import type { RedisHealth } from '../db/redis-health.ts'
import { httpMetrics } from './http-metrics.ts'
import type { Log } from './log.ts'
import { CLOSE_CODES, type ErrorCode } from './protocol/codes.ts'
import type { RoomsCounted } from './room/clock.ts'

/** To the longest deadline of any route (server/deadlines.ts) and beyond; the finer ones are where promises are made. */
const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
/** From the clock's own grain to a process that stands still. */
const LAG_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const LAG_LOOK_EVERY_MS = 100
const WAIT_BUCKETS = [1, 5, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200]
/** Listing them takes a millisecond for each thousand sockets; their number alone is the folder's size (Linux 6.2). */
const OPEN_FILES = '/proc/self/fd'
const HEAP_SPACES = ['total', 'used', 'available'].map((kind) => `nodejs_heap_space_size_${kind}_bytes`)
/** What closes a socket without any word of ours: it went, its page was left, it sent too much, it was cut. */
const OTHER_CLOSES = [1000, 1001, 1005, 1006, 1009, 1011]
const KNOWN_CLOSES = new Set<number>([...Object.values(CLOSE_CODES), ...OTHER_CLOSES])

/** Each has its series from the start: what begins with its first count shows no rate for it. */
const OUTCOMES = ['held', 'confirmed', 'cancelled', 'expired', 'refunded', 'declined'] as const
const STAGES = ['status', 'lock', 'version'] as const
const STORES_OF_STALE_READS = ['primary', 'replica'] as const
const STORES = ['postgres', 'redis'] as const
type Store = (typeof STORES)[number]
export type ConflictStage = (typeof STAGES)[number]
export type Telemetry = ReturnType<typeof createTelemetry>

export function createTelemetry(log: Log) {
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
  const storeAnswered = answerAges(registry)
  const showLedger = ledgerGauges(registry)
  const showRedis = redisGauges(registry)
  const stopLag = watchLag(registry)

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
    ledgerMeasured(figures: LedgerFigures) {
      storeAnswered('postgres')
      showLedger(figures)
    },
    redisMeasured(health: RedisHealth) {
      storeAnswered('redis')
      showRedis(health)
    },
    broadcastSent(seconds: number) {
      broadcast.observe(seconds)
    },
    /** This process' own figures. */
    figures: async () => (await registry.getMetricsAsJSON()) as unknown as Figure[],
    close: stopLag,
  }
}

/** Every process' figures in one text, for one scrape of any server. */
export async function tellFigures({ parts, live }: Totals): Promise<{ contentType: string; body: string }> {
  const kinds = ['server', 'worker'].map((kind) => ({
    labels: { kind },
    value: live.filter((name) => name.startsWith(kind)).length,
  }))
  const processes = {
    name: 'processes',
    help: 'Processes that report, by kind',
    type: 'gauge',
    aggregator: 'max',
    values: kinds,
  }
  const merged = AggregatorRegistry.aggregate([...parts, [processes]])
  return { contentType: merged.contentType, body: await merged.metrics() }
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

/** The same from every server, so the greatest counts, not the sum. */
function ledgerGauges(registry: Registry): (figures: LedgerFigures) => void {
  const gauge = greatestGauges(registry)
  const outbox = gauge('outbox_oldest_seconds', 'Age of the oldest outbox row neither settled nor given up')
  const pending = gauge('bookings_pending', 'Bookings waiting for payment')
  const dead = gauge('dead_letters', 'Outbox rows given up')
  const connections = gauge('postgres_connections', 'Connections by state', ['state'])
  const most = gauge('postgres_connections_max', 'Connections that PostgreSQL takes')
  const lockWaits = gauge('postgres_lock_waits', 'Connections that wait for a lock')
  const longest = gauge('postgres_longest_transaction_seconds', 'Age of the oldest open transaction')
  const transactions = gauge('postgres_transactions', 'Transactions since the statistics began', ['outcome'])
  const deadlocks = gauge('postgres_deadlocks', 'Deadlocks since the statistics began')
  const size = gauge('postgres_size_bytes', 'Size of the database')
  return (ledger) => {
    outbox.set(ledger.outboxOldestSeconds)
    pending.set(ledger.bookingsPending)
    dead.set(ledger.deadLetters)
    for (const [state, count] of Object.entries(ledger.connections)) connections.set({ state }, count)
    most.set(ledger.connectionsMax)
    lockWaits.set(ledger.lockWaits)
    longest.set(ledger.longestTransactionSeconds)
    transactions.set({ outcome: 'committed' }, ledger.committed)
    transactions.set({ outcome: 'rolled_back' }, ledger.rolledBack)
    deadlocks.set(ledger.deadlocks)
    size.set(ledger.sizeBytes)
  }
}

function redisGauges(registry: Registry): (health: RedisHealth) => void {
  const gauge = greatestGauges(registry)
  const used = gauge('redis_memory_used_bytes', 'Memory that Redis uses, all masters')
  const most = gauge('redis_memory_max_bytes', 'Memory that Redis may use, all masters; 0 = no limit')
  const clients = gauge('redis_clients', 'Connections to Redis')
  const evicted = gauge(
    'redis_evicted_keys',
    'Keys that Redis threw away for want of memory, since it started',
  )
  const commands = gauge('redis_commands', 'Commands since Redis started')
  const persisted = gauge('redis_persistence_ok', 'Whether Redis keeps what it is told on disk (0 or 1)')
  return (health) => {
    used.set(health.usedBytes)
    most.set(health.maxBytes)
    clients.set(health.clients)
    evicted.set(health.evictedKeys)
    commands.set(health.commands)
    persisted.set(health.persists ? 1 : 0)
  }
}

const greatestGauges =
  (registry: Registry) =>
  <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry], aggregator: 'max' })

/** How long each store has been silent: one that hangs or is away shows here, whether or not a question to it returns. */
function answerAges(registry: Registry) {
  const started = performance.now()
  const answeredAt = new Map(STORES.map((store) => [store, started]))
  registry.registerMetric(
    new Gauge({
      name: 'store_answer_age_seconds',
      help: 'Since the store last answered a server that looks at it every few seconds',
      labelNames: ['store'],
      registers: [],
      aggregator: 'max',
      collect() {
        const now = performance.now()
        for (const [store, at] of answeredAt) this.set({ store }, (now - at) / 1_000)
      },
    }),
  )
  return (store: Store) => void answeredAt.set(store, performance.now())
}

/** prom-client's own figure starts anew with each report, so that a scrape every few seconds would miss most of it. */
function watchLag(registry: Registry): () => void {
  const lag = new Histogram({
    name: 'event_loop_lag_seconds',
    help: 'How late a timer of the process came',
    buckets: LAG_BUCKETS,
    registers: [registry],
  })
  let looked = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    lag.observe(Math.max(0, now - looked - LAG_LOOK_EVERY_MS) / 1_000)
    looked = now
  }, LAG_LOOK_EVERY_MS)
  return () => clearInterval(timer)
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
