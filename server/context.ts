// Owns what every part of one server process shares, and the order in which it is opened and closed.
import type { Config } from './config.ts'
import { connectLedger, type Ledger } from '../db/client.ts'
import { reportFigures, type FiguresReport } from '../db/figures/figures.ts'
import { connectRedis, type RedisClient } from '../db/redis.ts'
import { measureLedger } from '../db/ledger-figures.ts'
import { readRedisHealth } from '../db/redis-health.ts'
import { listenToStages } from '../db/trace.ts'
import type { Tracing } from '../db/tracing.ts'
import { createAvailability, type Availability } from './events/availability.ts'
import { createSaleHistory, type SaleHistory } from './events/sale-history.ts'
import { createSaleTally, type SaleTally } from './events/sale-tally.ts'
import { addressFrom, callOf, type Origin } from './call.ts'
import { createChannels, type Channels } from './channels.ts'
import { createHoldClock, type HoldClock } from './hold-clock.ts'
import { createLog, faultFields, type Log } from './log.ts'
import { createBeacon } from './room/beacon.ts'
import { openRoom, type Room } from './room/open-room.ts'
import { createStaleReads, type StaleReads } from './stale-reads.ts'
import { createTelemetry, type Telemetry } from './telemetry.ts'
import { createTokens, type Tokens } from './tokens.ts'

/** Connections of one server process; SERVERS × this + the worker's must stay below Postgres' max_connections. */
const LEDGER_CONNECTIONS = 16
const REPORT_EVERY_MS = 1_000
/** Also how often processes that ended are added up; both cost a question or two. */
const MEASURE_EVERY_MS = 5_000

export interface Context {
  config: Config
  log: Log
  telemetry: Telemetry
  /** Null when nobody wants spans. */
  tracing: Tracing | null
  /** What all processes together have counted. */
  figures: FiguresReport
  ledger: Ledger
  /** The few reads that a replica may answer. */
  staleReads: StaleReads
  redis: RedisClient
  channels: Channels
  tokens: Tokens
  availability: Availability
  room: Room
  /** Says to the ledger that buyers can pay, while they can. */
  holdClock: HoldClock
  saleTally: SaleTally
  saleHistory: SaleHistory
  /** The address a request came from, proxies believed as configured. */
  addressOf(request: Request): string
  /** Tells where a request came from; called by the listener before anything else. */
  came(request: Request, from: Origin): void
  close(): Promise<void>
}

/** Opens everything; connections are made in the background, so a store that is away does not stop the start. */
export function createContext(config: Config, tracing: Tracing | null = null): Context {
  if (tracing) listenToStages(tracing)
  const name = `server-${config.serverIndex}-${process.pid}`
  const log = createLog(config.logLevel, { pretty: process.stdout.isTTY, base: { process: name } })
  const telemetry = createTelemetry(log)
  const onError = rareErrors(log)
  const ledger = connectLedger(config.databaseUrl, { max: LEDGER_CONNECTIONS, name })
  const staleReads = createStaleReads({ ledger, url: config.databaseReplicaUrl, name, telemetry })
  const redis = connectRedis(config.redisUrl, { role: 'commands', name, onError })
  const subscriber = connectRedis(config.redisUrl, { role: 'subscriber', name: `${name}-feed`, onError })
  const channels = createChannels(subscriber)
  const tokens = createTokens({ secret: config.jwtSecret, accepted: config.jwtSecretsAccepted })
  const availability = createAvailability({ ledger, channels, redis })
  const room = openRoom({
    ledger,
    redis,
    channels,
    tokens,
    secrets: [config.jwtSecret, ...config.jwtSecretsAccepted],
    availability,
    telemetry,
    log,
    beacon: config.drawBeaconUrl ? createBeacon(config.drawBeaconUrl, log) : null,
  })
  const saleTally = createSaleTally(redis)
  const saleHistory = createSaleHistory({ ledger, redis, availability, room, tally: saleTally })
  const holdClock = createHoldClock({ gate: { db: ledger.db, redis }, name, telemetry })
  const figures = reportFigures(redis, { name, read: telemetry.figures })
  // While Redis is away nothing is told; the next one tries again, and /metrics answers with what is known.
  const stopReporting = each(REPORT_EVERY_MS, () => figures.report().catch(() => {}))
  // Each store apart: one that hangs shall not make the other look silent. A failure shows as the age of the last answer.
  const stopMeasuringLedger = each(MEASURE_EVERY_MS, async () => {
    staleReads.measure()
    await measureLedger(ledger).then(telemetry.ledgerMeasured, () => {})
  })
  const stopMeasuringRedis = each(MEASURE_EVERY_MS, async () => {
    await readRedisHealth(redis).then(telemetry.redisMeasured, () => {})
    await figures.tidy().catch(() => {})
  })

  return {
    config,
    log,
    telemetry,
    tracing,
    figures,
    ledger,
    staleReads,
    redis,
    channels,
    tokens,
    availability,
    room,
    holdClock,
    saleTally,
    saleHistory,
    came: (request, from) => void (callOf(request).from = from),
    addressOf: (request) => forwardedFor(request, addressFrom(request), config.trustProxy),
    async close() {
      stopReporting()
      stopMeasuringLedger()
      stopMeasuringRedis()
      telemetry.close()
      if (tracing) listenToStages(null)
      await tracing?.close()
      holdClock.stop()
      saleHistory.close()
      await saleTally.close()
      await room.close()
      await availability.close()
      subscriber.disconnect()
      await figures.leave().catch(() => {})
      redis.disconnect()
      await staleReads.close()
      await ledger.close()
    },
  }
}

/** Repeats `work`, never twice at once. */
function each(ms: number, work: () => Promise<void>): () => void {
  let running = false
  const timer = setInterval(() => {
    if (running) return
    running = true
    void work().finally(() => (running = false))
  }, ms)
  return () => clearInterval(timer)
}

/** The client's address: the socket's, or what the last believed proxy says of it. */
function forwardedFor(request: Request, from: string, hops: number): string {
  if (hops === 0) return from
  const chain = (request.headers.get('x-forwarded-for') ?? '').split(',').map((address) => address.trim())
  return chain.at(-hops) || from
}

const ERROR_LOG_EVERY_MS = 5_000

/** A store that is away errors many times a second; one line in a while is enough. */
function rareErrors(log: Log): (fault: Error) => void {
  let last = 0
  return (fault) => {
    if (Date.now() - last < ERROR_LOG_EVERY_MS) return
    last = Date.now()
    log.warn('redis_connection_failed', faultFields(fault))
  }
}
