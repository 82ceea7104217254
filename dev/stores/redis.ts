/** Owns the embedded Redis: finds or fetches the program, keeps its data in one folder, safe to kill. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Redis from 'ioredis'
import { findRedisProgram } from './redis-program.ts'
import { endLeftover, endWithParent, freePort, lastWords, launch } from './process.ts'
import type { RunningStore } from './process.ts'

const READY_DEADLINE_MS = 30_000
const POLL_MS = 20
const PORT_TRIES = 3
/** Redis wakes sleeping clients on this clock; at its own 10 a delayed job is up to 100 ms late. */
const TIMER_HZ = 500
/** Tests give each file a numbered database of its own. */
const THROWAWAY_DATABASES = 1024

export interface RedisOptions {
  /** Holds the append-only file and `redis.log`; created when absent. */
  dir: string
  /** Where a fetched program is kept, beside the repository's other caches. */
  cacheDir: string
  /** Without one, a free port is taken. */
  port?: number
  /** For tests: nothing is written to disk. */
  throwaway?: boolean
}

/** Starts Redis and resolves when it answers. Throws with one sentence a person can act on. */
export async function startRedis(options: RedisOptions): Promise<RunningStore> {
  mkdirSync(options.dir, { recursive: true, mode: 0o700 })
  const program = findRedisProgram(options.cacheDir)
  await clearLeftover(options.dir)
  for (let tried = 1; ; tried += 1) {
    const port = options.port ?? (await freePort())
    const started = await tryStart(options, program, port)
    if (typeof started !== 'string') return started
    const another = options.port === undefined && /in use|bind/i.test(started) && tried < PORT_TRIES
    if (!another) throw new Error(`Redis did not start on port ${port}: ${started}`)
  }
}

async function tryStart(
  options: RedisOptions,
  program: { path: string; env: Record<string, string> },
  port: number,
): Promise<RunningStore | string> {
  const logPath = join(options.dir, 'redis.log')
  const settings: Record<string, string> = {
    port: String(port),
    bind: '127.0.0.1',
    dir: options.dir,
    pidfile: join(options.dir, 'redis.pid'),
    daemonize: 'no',
    // Its own title would hide the folder by which a leftover is told from a stranger's Redis.
    'set-proc-title': 'no',
    save: '',
    hz: String(TIMER_HZ),
    'maxmemory-policy': 'noeviction',
    ...(options.throwaway
      ? { appendonly: 'no', databases: String(THROWAWAY_DATABASES) }
      : { appendonly: 'yes', appendfsync: 'everysec' }),
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const { child, stop } = launch({
    command: [...endWithParent('TERM'), program.path, ...flags],
    env: program.env,
    logPath,
    stopSignal: 'SIGTERM',
  })
  writeFileSync(join(options.dir, 'redis.pid'), String(child.pid))
  const url = `redis://127.0.0.1:${port}`
  const deadline = Date.now() + READY_DEADLINE_MS
  while (child.exitCode === null && child.signalCode === null) {
    if (await answers(url, child.pid)) return { url, port, pid: child.pid, exited: child.exited, stop }
    if (Date.now() > deadline) await stop()
    await Bun.sleep(POLL_MS)
  }
  return lastWords(logPath)
}

/** Commands answer only when the append-only file is read back; another Redis on the port is not ours. */
async function answers(url: string, pid: number): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.info('server')).includes(`process_id:${pid}\r\n`)
  } catch {
    return false
  } finally {
    client.disconnect()
  }
}

/** Two servers on one append-only file would ruin it: end one that outlived its starter. */
async function clearLeftover(dir: string) {
  const note = join(dir, 'redis.pid')
  if (!existsSync(note)) return
  const pid = Number(readFileSync(note, 'utf8').trim())
  await endLeftover(pid, 'SIGTERM', (command) => command.includes(` --dir ${dir} `))
  rmSync(note, { force: true })
}
