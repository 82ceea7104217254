/** Owns a Redis with a replica on this machine, watched by three sentinels: gone when it is stopped. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './process.ts'
import { dataWords, HOST, startRedisNode, untilReplicated, type RedisNode } from './redis-node.ts'

const SENTINELS = 3
const QUORUM = 2
/** What the sentinels call the master. */
const NAME = 'onsale'
/** How long a vote or a promotion may take; after one that failed, twice that passes until the next. */
const FAILOVER_WITHIN_MS = 2_000
const READY_WITHIN_MS = 30_000
const POLL_MS = 50

export interface SentinelOptions {
  dir: string
  cacheDir: string
  /** A master that says nothing for this long is taken as failed. */
  downAfterMs: number
  /** Asked by master and replica, not by the sentinels; only letters and digits. */
  password?: string
}

export interface RedisSentinels {
  /** As REDIS_URL takes it. */
  url: string
  master: RedisNode
  replica: RedisNode
  /** The port of the master, as a sentinel says. */
  masterPort(): Promise<number>
  stop(): Promise<void>
}

/** Resolves when the replica follows and every sentinel knows it and the other sentinels. */
export async function startRedisSentinels(options: SentinelOptions): Promise<RedisSentinels> {
  const running: RedisNode[] = []
  const stop = async () => {
    await Promise.all(running.map((node) => node.stop()))
  }
  const started = async (node: Promise<RedisNode>) => {
    running.push(await node)
    return running.at(-1)!
  }
  try {
    const master = await started(startData(options, 'master'))
    const replica = await started(startData(options, 'replica', master.port))
    await untilReplicated([replica], POLL_MS)
    const sentinels: RedisNode[] = []
    for (let index = 0; index < SENTINELS; index++)
      sentinels.push(await started(startSentinel(options, index, master.port)))
    await untilAcquainted(sentinels)
    const { password } = options
    const places = sentinels.map(({ port }) => `${HOST}:${port}`).join(',')
    return {
      url: `redis+sentinel://${password === undefined ? '' : `:${password}@`}${places}/${NAME}`,
      master,
      replica,
      async masterPort() {
        const told = (await sentinels[0]!.client.call(
          'SENTINEL',
          'get-master-addr-by-name',
          NAME,
        )) as string[]
        return Number(told[1])
      },
      stop,
    }
  } catch (fault) {
    await stop()
    throw fault
  }
}

async function startData({ dir, cacheDir, password }: SentinelOptions, name: string, masterPort?: number) {
  const own = { dir: join(dir, name), port: await freePort(), password }
  const follows: Record<string, string> =
    masterPort === undefined ? {} : { replicaof: `${HOST} ${masterPort}` }
  // A replica may be asked for a full copy: at once, not after the five seconds that wait for more of them.
  const words = dataWords(own, { 'repl-diskless-sync-delay': '0', ...follows })
  return startRedisNode({ ...own, cacheDir, words })
}

async function startSentinel(options: SentinelOptions, index: number, masterPort: number) {
  const { cacheDir, downAfterMs, password } = options
  const [dir, port] = [join(options.dir, `sentinel-${index}`), await freePort()]
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  // A sentinel writes what it learns into its own settings.
  const file = join(dir, 'sentinel.conf')
  const lines = [
    `port ${port}`,
    `bind ${HOST}`,
    `dir ${dir}`,
    `sentinel monitor ${NAME} ${HOST} ${masterPort} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} ${downAfterMs}`,
    `sentinel failover-timeout ${NAME} ${FAILOVER_WITHIN_MS}`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${NAME} ${password}`]),
  ]
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  return startRedisNode({ dir, cacheDir, port, words: [file, '--sentinel'] })
}

async function untilAcquainted(sentinels: RedisNode[]): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  for (const { client } of sentinels)
    for (;;) {
      const told = (await client.call('SENTINEL', 'master', NAME)) as string[]
      const fact = (name: string) => told[told.indexOf(name) + 1]
      if (fact('num-slaves') === '1' && fact('num-other-sentinels') === String(SENTINELS - 1)) break
      if (Date.now() > deadline) throw new Error(`the sentinels did not find each other: ${told.join(' ')}`)
      await Bun.sleep(POLL_MS)
    }
}
