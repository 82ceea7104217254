// Decides how a log line looks, and that no line carries an address, a token or a statement's values.
import type { LogLevel } from './config.ts'

export type Fields = Record<string, string | number | boolean | null | undefined>
export type Log = Record<LogLevel, (event: string, fields?: Fields) => void>

const ORDER: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }
const FAULT_MAX = 300
/** An email address, or the credentials before the host of a URL. */
const ADDRESS = /[^\s<>"'(/]+@[^\s<>"',;)]+/g

/** JSON lines, or aligned words on a terminal; events are past tense in snake_case. */
export function createLog(
  level: LogLevel,
  write: (line: string) => void = (line) => void process.stdout.write(line),
): Log {
  const pretty = process.stdout.isTTY === true
  const at =
    (rank: LogLevel) =>
    (event: string, fields: Fields = {}) => {
      if (ORDER[rank] < ORDER[level]) return
      const clean = Object.entries(fields).map(([name, value]) => [
        name,
        typeof value === 'string' ? hideAddresses(value) : value,
      ])
      const now = new Date().toISOString()
      if (pretty) {
        const words = clean.map(([name, value]) => `${String(name)}=${String(value)}`).join(' ')
        write(`${now.slice(11, 23)} ${rank.padEnd(5)} worker ${event} ${words}\n`)
      } else {
        const line = {
          time: now,
          level: rank,
          event,
          process: `worker-${process.pid}`,
          ...Object.fromEntries(clean),
        }
        write(`${JSON.stringify(line)}\n`)
      }
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function hideAddresses(words: string): string {
  return words.replace(ADDRESS, '[address]')
}

/** One line on what went wrong. Drizzle's own message lists the statement's values, so the cause speaks for it. */
export function describeFault(fault: unknown): string {
  let deepest = fault
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause
  const code = deepest instanceof Error && 'code' in deepest ? `${String(deepest.code)} ` : ''
  const words = deepest instanceof Error ? deepest.message : String(deepest)
  return hideAddresses(`${code}${words}`.replace(/\s+/g, ' ')).slice(0, FAULT_MAX)
}
