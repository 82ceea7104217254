// Owns what every part of one worker process shares, and the order in which it is opened and closed.
import { connectLedger, type Ledger } from '../db/client.ts'
import type { Gate } from '../db/bookings/gate.ts'
import { openQueues, type Queues } from '../db/jobs.ts'
import { reportFigures, type FiguresReport } from '../db/figures/figures.ts'
import { connectRedis, type RedisClient } from '../db/redis.ts'
import type { Config } from './config.ts'
import { createLinks, type Links } from './emails/links.ts'
import type { Log } from './log.ts'
import { createMailer, type Mailer } from './mailer.ts'
import { createTelemetry, type Telemetry } from './telemetry.ts'
import { listenToStages } from '../db/trace.ts'
import type { Tracing } from '../db/tracing.ts'

/** Connections of one worker process: as many as jobs and loops that may ask at once, and a few to spare. */
const LEDGER_CONNECTIONS = 12
/** Closing must not hang on a store that is gone. */
const CLOSE_WITHIN_MS = 5_000

export interface Context {
  config: Config
  telemetry: Telemetry
  /** Null when nobody wants spans. */
  tracing: Tracing | null
  /** Tells the servers, which answer `/metrics` for all. */
  figures: FiguresReport
  ledger: Ledger
  /** Fails fast: what the loops and the ledger's moves ask. */
  redis: RedisClient
  /** Waits for Redis as long as it takes: what BullMQ's workers listen on. */
  queueRedis: RedisClient
  /** What the ledger's moves need. */
  gate: Gate
  queues: Queues
  mailer: Mailer
  links: Links
  close(): Promise<void>
}

/** Opens everything; connections are made in the background, so a store that is away does not stop the start. */
export function createContext(config: Config, log: Log, tracing: Tracing | null = null): Context {
  if (tracing) listenToStages(tracing)
  const name = `worker-${process.pid}`
  const telemetry = createTelemetry(log)
  const onError = (client: string) => (fault: Error) => telemetry.connectionFailed(client, fault)
  const ledger = connectLedger(config.databaseUrl, { max: LEDGER_CONNECTIONS, name })
  const redis = connectRedis(config.redisUrl, { role: 'commands', name, onError: onError('redis') })
  const queueRedis = connectRedis(config.redisUrl, {
    role: 'queue',
    name: `${name}-queue`,
    onError: onError('queue'),
  })
  const figures = reportFigures(redis, { name, read: telemetry.figures })
  const queues = openQueues(config.redisUrl, onError('producer'))
  const mailer = createMailer(config)
  return {
    config,
    telemetry,
    tracing,
    figures,
    ledger,
    redis,
    queueRedis,
    gate: { db: ledger.db, redis, onFault: telemetry.hintFailed },
    queues,
    mailer,
    links: createLinks(config.publicUrl),
    async close() {
      mailer.close()
      telemetry.close()
      if (tracing) listenToStages(null)
      await tracing?.close()
      await Promise.race([figures.leave().catch(() => {}), Bun.sleep(CLOSE_WITHIN_MS)])
      await Promise.race([queues.close(), Bun.sleep(CLOSE_WITHIN_MS)])
      redis.disconnect()
      queueRedis.disconnect()
      await Promise.race([ledger.close(), Bun.sleep(CLOSE_WITHIN_MS)])
    },
  }
}
