// Owns the stack of `bench nodes`: Postgres, a Redis Cluster, two servers behind a proxy and a worker, as processes
// that can be stopped and started again one by one.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectLedger, type Ledger } from '../../db/client.ts'
import { buildOwnStack, untilReady, type OwnStack } from '../own-stack.ts'
import { startPostgres } from '../stores/postgres.ts'
import { endWithParent, freePort, launch, type RunningChild } from '../stores/process.ts'
import { startRedisCluster, type RedisCluster } from '../stores/redis-cluster.ts'
import { prepareLedger } from '../up/ledger.ts'
import type { DemoAccount } from '../up/run-file.ts'
import { keepSecrets } from '../up/secrets.ts'

const root = join(import.meta.dir, '../..')
const PROXY_SETTINGS = join(root, 'ops/haproxy.cfg')
export const SERVERS = 2
const CONNECTIONS = 4
const PROXY_CONNECTIONS = 4_000
/** Longer than a server's own drain. */
const STOP_MS = 15_000
/** Redis' own word for it is cluster-node-timeout; its default is 15,000. */
export const NODE_TIMEOUT_MS = 2_000

export interface Nodes {
  /** Where the crowd comes in: the proxy, or, without one, the first server. */
  url: string
  /** 'haproxy', or why there is none. */
  proxy: string
  ledger: Ledger
  cluster: RedisCluster
  /** Of the demo. */
  organizer: DemoAccount | undefined
  /** Ends one server, and starts another one in its place; ms until it had gone, and until the new one was ready. */
  replace(
    server: number,
    signal: 'SIGTERM' | 'SIGKILL',
  ): Promise<{ goneMs: number; readyMs: number; exitCode: number | null }>
  stop(): Promise<void>
}

export const startNodes = (logDir: string | undefined): Promise<Nodes> =>
  buildOwnStack('onsale-nodes-', (own) => build(own, logDir ?? join(own.dir, 'logs')))

async function build({ dir, undo, stop }: OwnStack, logDir: string): Promise<Nodes> {
  mkdirSync(logDir, { recursive: true })
  const secrets = keepSecrets(dir)
  const postgres = await startPostgres({ dir: join(dir, 'postgres') })
  undo.push(() => postgres.stop())
  const cluster = await startRedisCluster({
    dir: join(dir, 'redis'),
    cacheDir: join(root, '.cache'),
    nodeTimeoutMs: NODE_TIMEOUT_MS,
  })
  undo.push(() => cluster.stop())
  const demo = await prepareLedger(postgres.url, secrets.demoPasswords)
  const ledger = connectLedger(postgres.url, { max: CONNECTIONS, name: 'onsale-nodes' })
  undo.push(() => ledger.close())

  const ports = await Promise.all(Array.from({ length: SERVERS }, () => freePort()))
  const entrance = Bun.which('haproxy') ? await freePort() : ports[0]!
  const url = `http://127.0.0.1:${entrance}`
  const [smtpPort, mailboxPort] = [await freePort(), await freePort()]
  const run = (name: string, script: string, env: Record<string, string>) =>
    launch({
      command: [...endWithParent('KILL'), process.execPath, join(root, script)],
      env,
      logPath: join(logDir, `${name}.log`),
      stopSignal: 'SIGTERM',
    })
  const mailbox = run('mailbox', 'dev/mailbox.ts', {
    MAILBOX_SMTP_PORT: String(smtpPort),
    MAILBOX_HTTP_PORT: String(mailboxPort),
    MAILBOX_FILE: join(dir, 'mailbox.json'),
  })
  undo.push(() => mailbox.stop())
  const shared = {
    DATABASE_URL: postgres.url,
    REDIS_URL: cluster.url,
    SERVERS: String(SERVERS),
    DATA_DIR: dir,
    JWT_SECRET: secrets.jwtSecret,
    SMTP_URL: `smtp://127.0.0.1:${smtpPort}`,
    MAILBOX_URL: `http://127.0.0.1:${mailboxPort}`,
    EMBEDDED: 'postgres,redis,mail',
    RATE_LIMIT: 'off',
    LOG_LEVEL: 'info',
    PUBLIC_URL: url,
    TRUST_PROXY: entrance === ports[0] ? '0' : '1',
  }
  const startServer = (server: number) =>
    run(`server-${server + 1}`, 'server/main.ts', {
      ...shared,
      PORT: String(ports[server]),
      SERVER_INDEX: String(server),
    })
  const servers = ports.map((_, server) => startServer(server))
  undo.push(() => Promise.all(servers.map((server) => server.stop(STOP_MS))))
  const worker = run('worker', 'worker/main.ts', shared)
  undo.push(() => worker.stop(STOP_MS))
  await Promise.all(ports.map(untilReady))
  const proxy = await startProxy(dir, entrance, ports, logDir)
  if (typeof proxy !== 'string') undo.push(() => proxy.stop())
  await untilReady(entrance)
  return {
    url,
    proxy: typeof proxy === 'string' ? proxy : 'haproxy',
    ledger,
    cluster,
    organizer: demo?.accounts.find(({ role }) => role === 'ORGANIZER'),
    async replace(server, signal) {
      const began = performance.now()
      const { child, stop: end } = servers[server]!
      if (signal === 'SIGKILL') child.kill(signal)
      await end(STOP_MS)
      const goneMs = performance.now() - began
      servers[server] = startServer(server)
      await untilReady(ports[server]!)
      return { goneMs, readyMs: performance.now() - began, exitCode: child.exitCode }
    },
    stop,
  }
}

/** The proxy of docker-compose.yml with its own settings, here in front of ports of this machine; or why there is none. */
async function startProxy(
  dir: string,
  entrance: number,
  ports: number[],
  logDir: string,
): Promise<RunningChild | string> {
  const program = Bun.which('haproxy')
  if (!program) return 'none: haproxy is not installed'
  const servers = ports.map((port, at) => `    server s${at + 1} 127.0.0.1:${port}`).join('\n')
  const settings = readFileSync(PROXY_SETTINGS, 'utf8')
    .replace(/^resolvers docker\n(?: .*\n)+/m, '')
    // A file descriptor for each of both ends: this machine may allow fewer than the container does.
    .replace(/^ *maxconn \d+$/m, `    maxconn ${PROXY_CONNECTIONS}`)
    .replace(/^ *bind :8080$/m, `    bind 127.0.0.1:${entrance}`)
    .replaceAll(' resolvers docker init-addr none', '')
    .replaceAll(/^ *server-template .*$/gm, servers)
  const file = join(dir, 'haproxy.cfg')
  writeFileSync(file, settings)
  const { child, stop } = launch({
    command: [...endWithParent('KILL'), program, '-db', '-f', file],
    env: {},
    logPath: join(logDir, 'haproxy.log'),
    stopSignal: 'SIGTERM',
  })
  return { pid: child.pid, exited: child.exited, stop }
}
