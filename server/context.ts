// Owns what every part of one server process shares, and the order in which it is opened and closed.
import type { Config } from './config.ts'
import { connectLedger, type Ledger } from '../db/client.ts'
import { connectRedis, type RedisClient } from '../db/redis.ts'
import { createAvailability, type Availability } from './events/availability.ts'
import { createSaleHistory, type SaleHistory } from './events/sale-history.ts'
import { createSaleTally, type SaleTally } from './events/sale-tally.ts'
import { addressFrom, callOf, type Origin } from './call.ts'
import { createChannels, type Channels } from './channels.ts'
import { createHoldClock, type HoldClock } from './hold-clock.ts'
import { createLog, faultFields, type Log } from './log.ts'
import { createBeacon } from './room/beacon.ts'
import { openRoom, type Room } from './room/open-room.ts'
import { createTelemetry, METRICS_CHANNEL, type Telemetry } from './telemetry.ts'
import { createTokens, type Tokens } from './tokens.ts'

/** Connections of one server process; SERVERS × this + the worker's must stay below Postgres' max_connections. */
const LEDGER_CONNECTIONS = 16
const METRICS_EVERY_MS = 1_000

export interface Context {
  config: Config
  log: Log
  telemetry: Telemetry
  ledger: Ledger
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
export function createContext(config: Config): Context {
  const name = `server-${config.serverIndex}-${process.pid}`
  const log = createLog(config.logLevel, { pretty: process.stdout.isTTY, base: { process: name } })
  const telemetry = createTelemetry(log, name)
  const onError = rareErrors(log)
  const ledger = connectLedger(config.databaseUrl, { max: LEDGER_CONNECTIONS, name })
  const redis = connectRedis(config.redisUrl, { role: 'commands', name, onError })
  const subscriber = connectRedis(config.redisUrl, { role: 'subscriber', name: `${name}-feed`, onError })
  const channels = createChannels(subscriber)
  const tokens = createTokens({ secret: config.jwtSecret })
  const availability = createAvailability({ ledger, channels, redis })
  const room = openRoom({
    ledger,
    redis,
    channels,
    tokens,
    secret: config.jwtSecret,
    availability,
    telemetry,
    log,
    beacon: config.drawBeaconUrl ? createBeacon(config.drawBeaconUrl, log) : null,
  })
  const saleTally = createSaleTally(redis)
  const saleHistory = createSaleHistory({ ledger, redis, availability, room, tally: saleTally })
  const holdClock = createHoldClock({ gate: { db: ledger.db, redis }, name, telemetry })
  const forget = channels.listen(METRICS_CHANNEL, telemetry.remember)
  const reporting = setInterval(async () => {
    try {
      await redis.publish(METRICS_CHANNEL, JSON.stringify(await telemetry.snapshot()))
    } catch {
      // Redis is away; the next second tries again, and /metrics still answers with this process' own figures.
    }
  }, METRICS_EVERY_MS)

  return {
    config,
    log,
    telemetry,
    ledger,
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
      clearInterval(reporting)
      holdClock.stop()
      forget()
      saleHistory.close()
      await saleTally.close()
      await room.close()
      await availability.close()
      subscriber.disconnect()
      redis.disconnect()
      await ledger.close()
    },
  }
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
