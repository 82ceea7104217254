// Owns the stack that is made to suffer: the stores, two servers and a worker as processes, and a fault proxy on each
// link between them.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { connectLedger, type Ledger } from '../../db/client.ts'
import { buildOwnStack, untilReady, type OwnStack } from '../own-stack.ts'
import { startPostgres } from '../stores/postgres.ts'
import { endWithParent, freePort, launch, type RunningChild } from '../stores/process.ts'
import { startRedis } from '../stores/redis.ts'
import { prepareLedger } from '../up/ledger.ts'
import { keepSecrets } from '../up/secrets.ts'
import { Supervisor } from '../up/supervisor.ts'
import { FaultProxy } from './fault-proxy.ts'
import { findFalseClocks, type FalseClock } from './false-clock.ts'
import type { Pair } from './plan.ts'
import { mountSmallDisk, type SmallDisk } from './small-disk.ts'

const root = join(import.meta.dir, '../..')
const CACHE = join(root, '.cache')
export const SERVERS = 2
const CONNECTIONS = 4
const STOP_MS = { server: 3_000, worker: 3_000, mailbox: 1_000, redis: 2_000, postgres: 5_000 }
/** On a small disk the log may take no more than a part of it, and old segments are not kept for the next use. */
const SMALL_DISK_SETTINGS = { max_wal_size: '128MB', min_wal_size: '32MB', wal_recycle: 'off' }

export type ProcessName = 'server 1' | 'server 2' | 'worker' | 'redis' | 'postgres'

export interface ChaosStack {
  /** Where the crowd finds each server: behind its proxy. */
  ports: number[]
  links: Record<Pair, FaultProxy[]>
  pidOf(name: ProcessName): number | undefined
  /** To the stores themselves, beside the proxies. */
  ledger: Ledger
  redisUrl: string
  jwtSecret: string
  clocks: Map<ProcessName, FalseClock>
  disk: SmallDisk | null
  /** Kinds that cannot strike here, and why. */
  missing: { 'disk-full'?: string; 'clock-jumped'?: string }
  /** A process that could not be kept alive, in a sentence. */
  gaveUp(): string | null
  stop(): Promise<void>
}

export interface StackWishes {
  smallDisk: boolean
  falseClocks: boolean
  /** Where the processes write what they say. */
  logDir?: string
}

export const startChaosStack = (wishes: StackWishes): Promise<ChaosStack> =>
  buildOwnStack('onsale-chaos-', (own) => build(own, wishes))

async function build({ dir, undo, stop }: OwnStack, wishes: StackWishes): Promise<ChaosStack> {
  const missing: ChaosStack['missing'] = {}
  let disk: SmallDisk | null = null
  if (wishes.smallDisk) {
    const mounted = mountSmallDisk(join(dir, 'postgres'))
    if (typeof mounted === 'string') missing['disk-full'] = mounted
    else {
      disk = mounted
      undo.push(() => mounted.unmount())
    }
  }
  const secrets = keepSecrets(dir)
  let lost: string | null = null
  const supervisor = new Supervisor({
    changed() {},
    gaveUp: (sentence) => void (lost ??= sentence),
    say() {},
  })
  undo.push(() =>
    supervisor.stop([['server 1', 'server 2'], ['worker'], ['mailbox'], ['redis'], ['postgres']]),
  )
  const postgresPort = await freePort()
  const redisPort = await freePort()
  const [postgres, redis] = await Promise.all([
    supervisor.add({
      name: 'postgres',
      stopMs: STOP_MS.postgres,
      start: () => startPostgres({ dir: join(dir, 'postgres'), port: postgresPort }),
    }),
    supervisor.add({
      name: 'redis',
      stopMs: STOP_MS.redis,
      start: () => startRedis({ dir: join(dir, 'redis'), cacheDir: CACHE, port: redisPort }),
    }),
  ])
  await prepareLedger(postgres.url, secrets.demoPasswords)
  const ledger = connectLedger(postgres.url, {
    max: CONNECTIONS,
    name: 'onsale-chaos',
    statementTimeoutMs: 120_000,
  })
  undo.push(() => ledger.close())
  if (disk) await keepLogSmall(ledger)

  const open = async (target: number) => {
    const proxy = await FaultProxy.open(target)
    undo.push(() => proxy.close())
    return proxy
  }
  const serverPorts = [await freePort(), await freePort()]
  const each = <T>(make: (server: number) => Promise<T>) =>
    Promise.all(serverPorts.map((_, server) => make(server)))
  const links: ChaosStack['links'] = {
    'buyer-server': await each((server) => open(serverPorts[server]!)),
    'server-redis': await each(() => open(redisPort)),
    'server-postgres': await each(() => open(postgresPort)),
    'worker-redis': [await open(redisPort)],
    'worker-postgres': [await open(postgresPort)],
  }

  const clocks: ChaosStack['clocks'] = new Map()
  if (wishes.falseClocks) {
    const found = findFalseClocks(CACHE)
    if (typeof found === 'string') missing['clock-jumped'] = found
    else for (const name of ['server 1', 'server 2', 'worker'] as const) clocks.set(name, found.of(dir, name))
  }

  const mail = await startMailbox(dir, supervisor, wishes.logDir)
  const stores = (database: FaultProxy, line: FaultProxy) => ({
    DATABASE_URL: postgres.url.replace(`:${postgresPort}/`, `:${database.port}/`),
    REDIS_URL: redis.url.replace(`:${redisPort}`, `:${line.port}`),
  })
  const shared = {
    SERVERS: String(SERVERS),
    DATA_DIR: dir,
    JWT_SECRET: secrets.jwtSecret,
    SMTP_URL: mail.smtpUrl,
    MAILBOX_URL: mail.url,
    EMBEDDED: 'postgres,redis,mail',
    RATE_LIMIT: 'off',
    LOG_LEVEL: 'warn',
  }
  const start = (name: ProcessName, script: string, env: Record<string, string>) => {
    const clock = clocks.get(name)?.env ?? {}
    return runScript(script, { ...shared, ...env, ...clock }, logOf(wishes.logDir, name))
  }
  await Promise.all([
    ...serverPorts.map((port, server) => {
      const name = `server ${server + 1}` as ProcessName
      const env = {
        ...stores(links['server-postgres'][server]!, links['server-redis'][server]!),
        PORT: String(port),
        PUBLIC_URL: `http://127.0.0.1:${port}`,
        SERVER_INDEX: String(server),
      }
      return supervisor.add({ name, stopMs: STOP_MS.server, start: () => start(name, 'server/main.ts', env) })
    }),
    supervisor.add({
      name: 'worker',
      stopMs: STOP_MS.worker,
      start: () =>
        start('worker', 'worker/main.ts', {
          ...stores(links['worker-postgres'][0]!, links['worker-redis'][0]!),
          PUBLIC_URL: `http://127.0.0.1:${serverPorts[0]}`,
        }),
    }),
  ])
  await Promise.all(serverPorts.map(untilReady))
  supervisor.settle()
  return {
    ports: links['buyer-server'].map(({ port }) => port),
    links,
    pidOf: (name) => supervisor.pidOf(name),
    ledger,
    redisUrl: redis.url,
    jwtSecret: secrets.jwtSecret,
    clocks,
    disk,
    missing,
    gaveUp: () => lost,
    stop,
  }
}

async function keepLogSmall({ sql }: Ledger): Promise<void> {
  for (const [name, value] of Object.entries(SMALL_DISK_SETTINGS))
    await sql.unsafe(`alter system set ${name} = '${value}'`)
  await sql`select pg_reload_conf()`
}

async function startMailbox(dir: string, supervisor: Supervisor, logDir: string | undefined) {
  const [smtpPort, httpPort] = [await freePort(), await freePort()]
  const env = {
    MAILBOX_SMTP_PORT: String(smtpPort),
    MAILBOX_HTTP_PORT: String(httpPort),
    MAILBOX_FILE: join(dir, 'mailbox.json'),
  }
  const start = () => runScript('dev/mailbox.ts', env, logOf(logDir, 'mailbox'))
  await supervisor.add({ name: 'mailbox', stopMs: STOP_MS.mailbox, start })
  return { smtpUrl: `smtp://127.0.0.1:${smtpPort}`, url: `http://127.0.0.1:${httpPort}` }
}

function logOf(logDir: string | undefined, name: string): string {
  if (logDir === undefined) return '/dev/null'
  mkdirSync(logDir, { recursive: true })
  return join(logDir, `${name.replaceAll(' ', '-')}.log`)
}

async function runScript(
  script: string,
  env: Record<string, string>,
  logPath: string,
): Promise<RunningChild> {
  const { child, stop } = launch({
    command: [...endWithParent('KILL'), process.execPath, join(root, script)],
    env,
    logPath,
    stopSignal: 'SIGTERM',
  })
  return { pid: child.pid, exited: child.exited, stop }
}
