/** Owns how a child program is started: apart from the terminal's group, and never outliving its starter. */
import { randomInt } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { createServer } from 'node:net'

/** A store's log larger than this is set aside once, so that it can never fill the disk. */
const LOG_BYTES = 8 * 1024 * 1024
const STOP_DEADLINE_MS = 5_000
const POLL_MS = 50
/** Below those that Linux (32768) and macOS (49152) give to connections. */
const PORTS_FROM = 20_000
const PORTS_TO = 32_000
const PORT_TRIES = 50

/** A program that runs as a child of this process. */
export interface RunningChild {
  pid: number
  /** Resolves when the program has ended, for whatever reason. */
  exited: Promise<unknown>
  /** Asks politely, then kills; resolves when the program is gone. */
  stop(deadlineMs?: number): Promise<void>
}

export interface RunningStore extends RunningChild {
  url: string
  port: number
}

interface Launch {
  command: string[]
  env: Record<string, string | undefined>
  /** Where its output goes; without one, to the terminal. */
  logPath?: string
  stopSignal: NodeJS.Signals
}

/**
 * Starts `command` in a session of its own (Ctrl-C in the terminal must reach only `up`, which stops things
 * in order) and, on Linux, with a signal for the case that this process is killed outright.
 */
export function launch({ command, env, logPath, stopSignal }: Launch) {
  const log = logPath === undefined ? undefined : openLog(logPath)
  try {
    const child = Bun.spawn(command, {
      env: { ...process.env, ...env },
      stdin: 'ignore',
      stdout: log ?? 'inherit',
      stderr: log ?? 'inherit',
      detached: true,
    })
    const stop = async (deadlineMs = STOP_DEADLINE_MS) => {
      child.kill(stopSignal)
      const killer = setTimeout(() => child.kill('SIGKILL'), deadlineMs)
      await child.exited
      clearTimeout(killer)
    }
    return { child, stop }
  } finally {
    if (log !== undefined) closeSync(log)
  }
}

function openLog(path: string): number {
  if (existsSync(path) && statSync(path).size > LOG_BYTES) renameSync(path, `${path}.1`)
  return openSync(path, 'a', 0o600)
}

/** The words before a command that make the kernel send `signal` when its starter dies; none off Linux. */
export function endWithParent(signal: 'INT' | 'TERM' | 'KILL'): string[] {
  if (process.platform !== 'linux' || !Bun.which('setpriv')) return []
  return ['setpriv', '--pdeathsig', signal, '--']
}

/** The words before a command that give it a smaller share of a busy processor, 0 (the same) to 19 (what is left). */
export function behindOthers(niceness: number): string[] {
  return Bun.which('nice') ? ['nice', '-n', String(niceness)] : []
}

/** A port nobody listens on at this moment, and that no connection on its way out is given. */
export async function freePort(): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    const port = randomInt(PORTS_FROM, PORTS_TO)
    if (await canListen(port)) return port
    if (tries === PORT_TRIES) throw new Error(`none of ${tries} ports from ${PORTS_FROM} on is free`)
  }
}

const canListen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })

/** What process `pid` was started with, or '' when there is none. */
export function commandOf(pid: number): string {
  if (!Number.isInteger(pid) || pid <= 1) return ''
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    if (process.platform === 'linux') return ''
    return Bun.spawnSync(['ps', '-p', String(pid), '-o', 'command=']).stdout.toString()
  }
}

/** Ends a process left over from an earlier run, and waits until it is gone. */
export async function endLeftover(
  pid: number,
  signal: NodeJS.Signals,
  belongs: (command: string) => boolean,
) {
  const deadline = Date.now() + STOP_DEADLINE_MS
  let asked: NodeJS.Signals | undefined
  while (belongs(commandOf(pid))) {
    const wanted = Date.now() < deadline ? signal : 'SIGKILL'
    if (asked !== wanted) process.kill(pid, wanted)
    asked = wanted
    await Bun.sleep(POLL_MS)
  }
}

/** The last line of a log that says what went wrong, for a sentence to a person. */
export function lastWords(logPath: string): string {
  if (!existsSync(logPath)) return ''
  const lines = readFileSync(logPath, 'utf8').trimEnd().split('\n').slice(-40)
  const telling = lines.findLast((line) => /FATAL|ERROR|PANIC|fatal|error|#/i.test(line))
  return (telling ?? lines.at(-1) ?? '').trim()
}
