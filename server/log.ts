// Owns how the server's log lines look: JSON for machines, one readable line on a terminal.
import type { LogLevel } from './config.ts'

const LEVELS: LogLevel[] = ['debug', 'info', 'warn', 'error']

/** Fields never hold addresses, tokens or bodies. */
export type LogFields = Record<string, string | number | boolean | null | undefined>
export type Log = Record<LogLevel, (event: string, fields?: LogFields) => void>

/** `event` is in the past tense, snake_case. */
export function createLog(level: LogLevel, options: { pretty: boolean; base?: LogFields }): Log {
  const lowest = LEVELS.indexOf(level)
  const write =
    (at: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      if (LEVELS.indexOf(at) < lowest) return
      const time = new Date().toISOString()
      const line = options.pretty
        ? `${time.slice(11, 23)} ${at.padEnd(5)} ${event} ${Object.entries(fields)
            .map(([name, value]) => `${name}=${value}`)
            .join(' ')}`
        : JSON.stringify({ time, level: at, event, ...options.base, ...fields })
      say(line, at === 'error')
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

let unsaid = ''
let soon = false

/** A write costs as much as everything else a request says, so the lines of one moment leave together; a fault's at once. */
function say(line: string, now: boolean): void {
  unsaid += `${line}\n`
  if (now) return flush()
  if (soon) return
  soon = true
  setImmediate(flush)
}

function flush(): void {
  soon = false
  if (unsaid === '') return
  const lines = unsaid
  unsaid = ''
  process.stdout.write(lines)
}

process.on('exit', flush)

/** What may be said of a fault in a log: its name and code, and its first line without parameters. */
export function faultFields(fault: unknown): LogFields {
  if (!(fault instanceof Error)) return { fault: 'unknown' }
  const cause = fault.cause instanceof Error ? fault.cause.message : undefined
  const message = fault.message.startsWith('Failed query') ? 'Failed query' : fault.message.split('\n')[0]
  return { fault: fault.name, message: message?.slice(0, 300), cause: cause?.split('\n')[0]?.slice(0, 300) }
}
