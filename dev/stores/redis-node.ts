/** Owns one Redis of several on this machine: a node of a cluster, a master, a replica or a sentinel. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Redis from 'ioredis'
import { endWithParent, launch } from './process.ts'
import { findRedisProgram } from './redis-program.ts'

const READY_WITHIN_MS = 30_000
const ANSWER_WITHIN_MS = 2_000
export const HOST = '127.0.0.1'
/** Redis wakes sleeping clients on this clock, as the embedded one's does. */
const TIMER_HZ = 500

export interface RedisNode {
  port: number
  pid: number
  client: Redis
  stop(): Promise<void>
}

interface NodeWish {
  /** Its own. */
  dir: string
  cacheDir: string
  port: number
  /** What follows the program: a file, settings. */
  words: string[]
  password?: string | undefined
}

/** Resolves when it answers. */
export async function startRedisNode({ dir, cacheDir, port, words, password }: NodeWish): Promise<RedisNode> {
  const program = findRedisProgram(cacheDir)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const { child, stop } = launch({
    command: [...endWithParent('KILL'), program.path, ...words],
    env: program.env,
    logPath: join(dir, 'redis.log'),
    stopSignal: 'SIGTERM',
  })
  const client = new Redis({
    port,
    host: HOST,
    maxRetriesPerRequest: null,
    commandTimeout: ANSWER_WITHIN_MS,
    ...(password === undefined ? {} : { password }),
  })
  client.on('error', () => {})
  const node = {
    port,
    pid: child.pid,
    client,
    async stop() {
      client.disconnect()
      await stop()
    },
  }
  const deadline = Date.now() + READY_WITHIN_MS
  while ((await client.ping().catch(() => '')) !== 'PONG')
    if (Date.now() > deadline) {
      await node.stop()
      throw new Error(`the Redis on port ${port} did not start`)
    }
  return node
}

/** Settings of one that keeps data, as words of its command. */
export function dataWords(
  { dir, port, password }: Pick<NodeWish, 'dir' | 'port' | 'password'>,
  more: Record<string, string> = {},
): string[] {
  const settings = {
    port: String(port),
    bind: HOST,
    dir,
    hz: String(TIMER_HZ),
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
    ...(password === undefined ? {} : { requirepass: password, masterauth: password }),
    ...more,
  }
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
}

/** Resolves when every one of these replicas follows its master. */
export async function untilReplicated(replicas: Pick<RedisNode, 'client'>[], pollMs: number): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  for (const { client } of replicas)
    while (!/master_link_status:up/.test(await client.info('replication'))) {
      if (Date.now() > deadline) throw new Error('a replica did not follow its master')
      await Bun.sleep(pollMs)
    }
}
