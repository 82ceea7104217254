// Starts one worker process: environment → context → jobs and loops, and the way back on a signal.
import { redisReady } from '../db/redis.ts'
import { checkLedger, RESTART_WITHIN_MS } from '../db/store-checks.ts'
import { readConfig } from './config.ts'
import { createContext } from './context.ts'
import { createLog, describeFault } from './log.ts'
import { startWorker } from './worker.ts'

/** Past this the process ends whatever hangs; what it leaves is done by the next worker. */
const STOP_WITHIN_MS = 9_500

const REDIS_HEAD_START_MS = 1_000

const read = readConfig(process.env)
if ('problems' in read) {
  console.error(`The worker cannot start:\n${read.problems.map((problem) => `  - ${problem}`).join('\n')}`)
  process.exit(1)
}

const { problems: unfit } = await checkLedger(read.config.databaseUrl, RESTART_WITHIN_MS)
if (unfit.length > 0) {
  console.error(`The worker cannot start:\n${unfit.map((problem) => `  - ${problem}`).join('\n')}`)
  process.exit(1)
}

const log = createLog(read.config.logLevel)
process.on('unhandledRejection', (fault) => log.error('unhandled_rejection', { fault: describeFault(fault) }))
// After this nobody knows what still runs. Whoever starts the worker starts it again, and nothing is lost.
process.on('uncaughtException', (fault) => {
  log.error('uncaught_exception', { fault: describeFault(fault) })
  process.exit(1)
})

const { otlpEndpoint } = read.config
const tracing =
  otlpEndpoint === null
    ? null
    : await (
        await import('../db/tracing.ts')
      ).openTracing({
        endpoint: otlpEndpoint,
        service: 'onsale-worker',
        instance: `worker-${process.pid}`,
      })
const context = createContext(read.config, log, tracing)
// Spares the first rounds a fault each; a Redis that stays away holds nothing up.
await redisReady(context.redis, REDIS_HEAD_START_MS).catch(() => {})
const worker = startWorker(context)
context.telemetry.workerStarted()

let stopping = false
async function stop() {
  if (stopping) return
  stopping = true
  setTimeout(() => process.exit(0), STOP_WITHIN_MS).unref()
  const clean = await worker.stop()
  await context.close()
  context.telemetry.workerStopped({ clean })
  process.exit(0)
}
process.on('SIGTERM', () => void stop())
process.on('SIGINT', () => void stop())
