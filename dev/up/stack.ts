/** Decides in which order the parts of one machine's Onsale start, and what each of them is told. */
import { join } from 'node:path'
import { startPostgres } from '../stores/postgres.ts'
import { behindOthers, endWithParent, freePort, launch } from '../stores/process.ts'
import type { RunningChild } from '../stores/process.ts'
import { startRedis } from '../stores/redis.ts'
import { prepareLedger } from './ledger.ts'
import type { RunFile } from './run-file.ts'
import { openRehearsals } from './rehearsals.ts'
import type { Rehearsals } from './rehearsals.ts'
import { keepSecrets } from './secrets.ts'
import { embeddedParts } from './settings.ts'
import type { Environment, UpSettings } from './settings.ts'
import type { Supervisor } from './supervisor.ts'
import { buildWeb } from './web-build.ts'

const root = join(import.meta.dir, '../..')
const READY_DEADLINE_MS = 60_000
const READY_POLL_MS = 50
const PROBE_MS = 2_000

/** What each may take of the ten seconds a stop lasts at most; together they leave half a second. */
const STOP_MS = { server: 4_000, worker: 2_500, window: 500, mailbox: 500, redis: 1_000, postgres: 1_500 }

/** Where every core is busy, a buyer's answer goes before mails and webhooks: these get a third of a server's share. */
const LATER = behindOthers(5)

/** The names of the children, group after group, in the order in which they stop. */
export function stopOrder(servers: number): string[][] {
  return [['window', ...serverNames(servers)], ['worker'], ['mailbox'], ['redis'], ['postgres']]
}

function serverNames(servers: number): string[] {
  return Array.from({ length: servers }, (_, index) => (servers === 1 ? 'server' : `server ${index + 1}`))
}

export interface Stack {
  /** What run.json says at this moment. */
  describe(): RunFile
  /** Of a demo on stores of its own; else null. */
  rehearsals: Rehearsals | null
}

/** Starts everything and resolves when the first request would be answered. */
export async function startStack(
  settings: UpSettings,
  supervisor: Supervisor,
  { watch, say }: { watch: boolean; say(sentence: string): void },
): Promise<Stack> {
  const secrets = keepSecrets(settings.dataDir)
  // Nothing waits for the web client but the servers: it is built while the stores come up.
  const building = watch ? Promise.resolve(false) : buildWeb()
  building.catch(() => {})
  const stores = await startStores(settings, supervisor)
  const demo = await prepareLedger(stores.databaseUrl, settings.demo ? secrets.demoPasswords : null)
  if (await building) say('The web client was built')
  const mail = settings.smtpUrl === undefined ? await startMailbox(settings, supervisor) : undefined
  const listenPort = watch ? await freePort() : settings.port
  const embedded = embeddedParts(settings)
  const ownStores = embedded.includes('postgres') && embedded.includes('redis')
  const rehearsals = settings.demo && ownStores ? openRehearsals(`http://127.0.0.1:${listenPort}`) : null
  const env = {
    PORT: String(listenPort),
    PUBLIC_URL: settings.publicUrl,
    SERVERS: String(settings.servers),
    DATA_DIR: settings.dataDir,
    DATABASE_URL: stores.databaseUrl,
    REDIS_URL: stores.redisUrl,
    JWT_SECRET: settings.jwtSecret ?? secrets.jwtSecret,
    SMTP_URL: settings.smtpUrl ?? mail?.smtpUrl,
    MAILBOX_URL: mail?.url ?? '',
    REHEARSAL_URL: rehearsals?.url ?? '',
    DEMO: settings.demo ? '1' : '0',
    EMBEDDED: embedded.join(','),
  }
  const run = (script: string, more: Environment = {}) => startScript(script, { ...env, ...more }, watch)
  const names = serverNames(settings.servers)
  const servers = names.map((name, index) => {
    const start = () => run('server/main.ts', { SERVER_INDEX: String(index) })
    return supervisor.add({ name, stopMs: STOP_MS.server, start })
  })
  const worker = supervisor.add({
    name: 'worker',
    stopMs: STOP_MS.worker,
    start: () => startScript('worker/main.ts', env, watch, LATER),
  })
  await Promise.all([...servers, worker])
  await untilReady(listenPort)
  if (watch) {
    const more = { WINDOW_PORT: String(settings.port), SERVER_PORT: String(listenPort) }
    const start = () => startScript('dev/up/window.ts', more, false)
    await supervisor.add({ name: 'window', stopMs: STOP_MS.window, start })
    await untilReady(settings.port)
  }
  const pid = (name: string) => supervisor.pidOf(name) ?? 0
  return {
    rehearsals,
    describe: () => ({
      url: settings.publicUrl,
      pid: process.pid,
      servers: names.map((name) => ({ pid: pid(name) })),
      worker: { pid: pid('worker') },
      postgres: { url: stores.databaseUrl, pid: supervisor.pidOf('postgres') ?? null },
      redis: { url: stores.redisUrl, pid: supervisor.pidOf('redis') ?? null },
      mailbox: mail ? { url: mail.url } : null,
      demo,
    }),
  }
}

async function startStores({ dataDir, databaseUrl, redisUrl }: UpSettings, supervisor: Supervisor) {
  const startDatabase = async () => {
    const port = await freePort()
    const dir = join(dataDir, 'postgres')
    const start = () => startPostgres({ dir, port })
    return (await supervisor.add({ name: 'postgres', stopMs: STOP_MS.postgres, start })).url
  }
  const startLine = async () => {
    const port = await freePort()
    const options = { dir: join(dataDir, 'redis'), cacheDir: join(root, '.cache'), port }
    const start = () => startRedis(options)
    return (await supervisor.add({ name: 'redis', stopMs: STOP_MS.redis, start })).url
  }
  const [database, line] = await Promise.all([databaseUrl ?? startDatabase(), redisUrl ?? startLine()])
  return { databaseUrl: database, redisUrl: line }
}

async function startMailbox({ dataDir }: UpSettings, supervisor: Supervisor) {
  const [smtpPort, httpPort] = [await freePort(), await freePort()]
  const more = {
    MAILBOX_SMTP_PORT: String(smtpPort),
    MAILBOX_HTTP_PORT: String(httpPort),
    MAILBOX_FILE: join(dataDir, 'mailbox.json'),
  }
  const start = () => startScript('dev/mailbox.ts', more, false, LATER)
  await supervisor.add({ name: 'mailbox', stopMs: STOP_MS.mailbox, start })
  return { smtpUrl: `smtp://127.0.0.1:${smtpPort}`, url: `http://127.0.0.1:${httpPort}` }
}

/** Output goes to the terminal; with `watch` a change of its sources starts the script again. */
async function startScript(
  script: string,
  env: Environment,
  watch: boolean,
  priority: string[] = [],
): Promise<RunningChild> {
  const { child, stop } = launch({
    command: [
      // When `up` is killed its stores go with it: a polite end would only wait for them in vain.
      ...endWithParent('KILL'),
      ...priority,
      process.execPath,
      ...(watch ? ['--watch', '--no-clear-screen'] : []),
      join(root, script),
    ],
    env,
    stopSignal: 'SIGTERM',
  })
  return { pid: child.pid, exited: child.exited, stop }
}

/** Resolves when the health of the front is good; throws with what is missing when the time is over. */
async function untilReady(port: number) {
  const deadline = Date.now() + READY_DEADLINE_MS
  let last = 'no answer'
  while (Date.now() < deadline) {
    try {
      const signal = AbortSignal.timeout(PROBE_MS)
      const answer = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal })
      const body = await answer.text()
      if (answer.ok) return
      last = body.slice(0, 300)
    } catch (error) {
      last = error instanceof Error ? error.message : String(error)
    }
    await Bun.sleep(READY_POLL_MS)
  }
  throw new Error(`the server is not ready after ${READY_DEADLINE_MS / 1000} s: ${last}`)
}
