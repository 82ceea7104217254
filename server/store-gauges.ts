// Owns what a server tells of the shared stores: how full and how busy each is, and how long it has not answered.
import { Gauge, type Registry } from 'prom-client'
import type { LedgerFigures } from '../db/ledger-figures.ts'
import type { RedisHealth } from '../db/redis-health.ts'

const STORES = ['postgres', 'redis'] as const
type Store = (typeof STORES)[number]

/** Answers what takes each look at a store, which is also the proof that it answered. */
export function storeGauges(registry: Registry) {
  const answered = answerAges(registry)
  const showLedger = ledgerGauges(registry)
  const showRedis = redisGauges(registry)
  return {
    ledgerMeasured(figures: LedgerFigures) {
      answered('postgres')
      showLedger(figures)
    },
    redisMeasured(health: RedisHealth) {
      answered('redis')
      showRedis(health)
    },
  }
}

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

/** The same from every server, so the greatest counts, not the sum. */
const greatestGauges =
  (registry: Registry) =>
  <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry], aggregator: 'max' })
