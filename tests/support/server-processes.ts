// Owns server processes of a test that share one port, as `up` runs them: each may be killed or told to stop.
import { join } from 'node:path'
import type { Subprocess } from 'bun'
import { freePort } from '../../dev/stores/process.ts'
import type { FreshStores } from './stores.ts'
import { eventually } from './socket-client.ts'

const SERVER = join(import.meta.dir, '../../server/main.ts')
const READY_WITHIN_MS = 20_000

export interface ServerProcesses {
  url: string
  all: Subprocess[]
  /** Kills what is left. */
  close(): Promise<void>
}

/** `jwtSecret` is the one the test signs its tokens with. */
export async function startServerProcesses(
  count: number,
  {
    stores,
    jwtSecret,
    env = {},
  }: {
    stores: Pick<FreshStores, 'databaseUrl' | 'redisUrl'>
    jwtSecret: string
    /** Beside what each server is told anyway. */
    env?: Record<string, string>
  },
): Promise<ServerProcesses> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const all = Array.from({ length: count }, (_, index) =>
    Bun.spawn([process.execPath, SERVER], {
      env: {
        ...process.env,
        PORT: String(port),
        BIND: '127.0.0.1',
        PUBLIC_URL: url,
        // More than one, so that all may listen on the one port.
        SERVERS: String(Math.max(2, count)),
        SERVER_INDEX: String(index),
        DATABASE_URL: stores.databaseUrl,
        REDIS_URL: stores.redisUrl,
        JWT_SECRET: jwtSecret,
        EMBEDDED: 'postgres,redis',
        LOG_LEVEL: 'info',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )
  const started = await Promise.all(all.map(saysStarted))
  await eventually('all servers listen', () => started.every((ready) => ready()), READY_WITHIN_MS)
  return {
    url,
    all,
    async close() {
      for (const child of all) child.kill('SIGKILL')
      await Promise.all(all.map(({ exited }) => exited))
    },
  }
}

function saysStarted(child: Subprocess<'ignore', 'pipe', 'inherit'>): () => boolean {
  let ready = false
  void (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of child.stdout)
      if (decoder.decode(chunk, { stream: true }).includes('server_started')) ready = true
  })()
  return () => ready
}
