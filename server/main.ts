// Starts one server process: environment → context → listener, and the way back on a signal.
import { readConfig } from './config.ts'
import { checkLedger, checkLine, RESTART_WITHIN_MS } from '../db/store-checks.ts'
import { createContext } from './context.ts'
import { listen } from './listen.ts'
import { faultFields } from './log.ts'

/** Past this the process ends whatever hangs; the supervisor's own limit is longer. */
const STOP_WITHIN_MS = 9_000

const read = readConfig(process.env)
if ('problems' in read) {
  console.error(`The server cannot start:\n${read.problems.map((problem) => `  - ${problem}`).join('\n')}`)
  process.exit(1)
}

const { databaseUrl, redisUrl, embedded } = read.config
const [ledger, line] = await Promise.all([
  checkLedger(databaseUrl, RESTART_WITHIN_MS),
  checkLine(redisUrl, RESTART_WITHIN_MS),
])
// A store that is away may come back, and holds no start up; one that cannot carry a sale never will.
const unfit = [...ledger.problems, ...(embedded.has('redis') ? [] : line.problems)]
if (unfit.length > 0) {
  console.error(`The server cannot start:\n${unfit.map((problem) => `  - ${problem}`).join('\n')}`)
  process.exit(1)
}

const { otlpEndpoint, serverIndex } = read.config
const tracing =
  otlpEndpoint === null
    ? null
    : await (
        await import('../db/tracing.ts')
      ).openTracing({
        endpoint: otlpEndpoint,
        service: 'onsale-server',
        instance: `server-${serverIndex}-${process.pid}`,
      })
const context = createContext(read.config, tracing)
for (const problem of embedded.has('redis') ? line.problems : []) context.log.warn('redis_unfit', { problem })
process.on('unhandledRejection', (fault) => context.log.error('unhandled_rejection', faultFields(fault)))
// After this nobody knows what state the process is in: it says goodbye and is started again.
process.on('uncaughtException', (fault) => {
  context.log.error('uncaught_exception', faultFields(fault))
  void stop(1)
})

const listener = await listen(context).catch((fault: unknown) => {
  const taken = fault instanceof Error && 'code' in fault && fault.code === 'EADDRINUSE'
  console.error(
    taken ? `Port ${read.config.port} is taken.` : `The server cannot listen: ${faultFields(fault).message}`,
  )
  process.exit(1)
})
context.log.info('server_started', { port: read.config.port, servers: read.config.servers })

let stopping = false
async function stop(exitCode: number) {
  if (stopping) return
  stopping = true
  setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref()
  await listener.stop()
  await context.close()
  context.log.info('server_stopped')
  process.exit(exitCode)
}
process.on('SIGTERM', () => void stop(0))
process.on('SIGINT', () => void stop(0))
