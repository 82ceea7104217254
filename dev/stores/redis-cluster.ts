/** Owns a Redis Cluster on this machine: masters with a replica each, slots shared out, gone when it is stopped. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Redis from 'ioredis'
import { endWithParent, freePort, launch } from './process.ts'
import { findRedisProgram } from './redis-program.ts'

const MASTERS = 3
const SLOTS = 16_384
const READY_WITHIN_MS = 30_000
const POLL_MS = 50
const ANSWER_WITHIN_MS = 2_000
const HOST = '127.0.0.1'
/** Redis wakes sleeping clients on this clock, as the embedded one's does. */
const TIMER_HZ = 500

export interface ClusterNode {
  port: number
  pid: number
  client: Redis
}

export interface RedisCluster {
  /** As REDIS_URL takes it. */
  url: string
  nodes: ClusterNode[]
  /** The master that holds a key now, as a node that lives says. */
  masterOf(key: string): Promise<ClusterNode>
  stop(): Promise<void>
}

export interface ClusterOptions {
  dir: string
  cacheDir: string
  /** A node that says nothing for this long is taken as failed. */
  nodeTimeoutMs: number
  /** Asked of everybody; only letters and digits. */
  password?: string
}

type Slots = [from: number, to: number, master: [host: string, port: number]][]

/** Starts three masters and three replicas; resolves when every node knows all of them and every slot is served. */
export async function startRedisCluster(options: ClusterOptions): Promise<RedisCluster> {
  const nodes: (ClusterNode & { busPort: number; stop(): Promise<void> })[] = []
  const stop = async () => {
    for (const { client } of nodes) client.disconnect()
    await Promise.all(nodes.map((node) => node.stop()))
  }
  try {
    for (let index = 0; index < 2 * MASTERS; index++) nodes.push(await startNode(options, index))
    const [first, ...others] = nodes
    for (const [index, { client }] of nodes.slice(0, MASTERS).entries())
      await client.call('CLUSTER', 'ADDSLOTSRANGE', ...slotsOf(index))
    for (const { port, busPort } of others) await first!.client.call('CLUSTER', 'MEET', HOST, port, busPort)
    await until(nodes, 'cluster_known_nodes:6')
    for (const [index, { client }] of nodes.slice(MASTERS).entries()) {
      const master = String(await nodes[index]!.client.call('CLUSTER', 'MYID'))
      await client.call('CLUSTER', 'REPLICATE', master)
    }
    await until(nodes, 'cluster_state:ok')
    await untilReplicated(nodes.slice(MASTERS))
  } catch (fault) {
    await stop()
    throw fault
  }
  return {
    url: `redis+cluster://${options.password ? `:${options.password}@` : ''}${nodes.map(({ port }) => `${HOST}:${port}`).join(',')}`,
    nodes,
    masterOf: (key) => masterOf(nodes, key),
    stop,
  }
}

async function masterOf(nodes: ClusterNode[], key: string): Promise<ClusterNode> {
  for (const { client } of nodes) {
    if (client.status !== 'ready') continue
    // A node may have fallen silent.
    const slot = Number(await client.call('CLUSTER', 'KEYSLOT', key).catch(() => -1))
    if (slot < 0) continue
    const slots = (await client.call('CLUSTER', 'SLOTS')) as Slots
    const range = slots.find(([from, to]) => slot >= from && slot <= to)
    const node = nodes.find(({ port }) => port === range?.[2][1])
    if (node) return node
  }
  throw new Error(`no node of the cluster says who holds ${key}`)
}

async function startNode({ dir, cacheDir, nodeTimeoutMs, password }: ClusterOptions, index: number) {
  const program = findRedisProgram(cacheDir)
  const [port, busPort] = [await freePort(), await freePort()]
  const own = join(dir, `node-${index}`)
  mkdirSync(own, { recursive: true, mode: 0o700 })
  const settings = {
    port: String(port),
    'cluster-port': String(busPort),
    'cluster-enabled': 'yes',
    'cluster-config-file': 'nodes.conf',
    'cluster-node-timeout': String(nodeTimeoutMs),
    bind: HOST,
    dir: own,
    hz: String(TIMER_HZ),
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
    ...(password === undefined ? {} : { requirepass: password, masterauth: password }),
  }
  const { child, stop } = launch({
    command: [
      ...endWithParent('KILL'),
      program.path,
      ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    ],
    env: program.env,
    logPath: join(own, 'redis.log'),
    stopSignal: 'SIGTERM',
  })
  const login = password === undefined ? {} : { password }
  const client = new Redis({
    port,
    host: HOST,
    maxRetriesPerRequest: null,
    commandTimeout: ANSWER_WITHIN_MS,
    ...login,
  })
  client.on('error', () => {})
  await answers(client)
  return { port, busPort, pid: child.pid, client, stop: () => stop() }
}

async function answers(client: Redis): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  while ((await client.ping().catch(() => '')) !== 'PONG')
    if (Date.now() > deadline) throw new Error('a node of the cluster did not start')
}

/** An equal share of all slots, the last one to the end. */
function slotsOf(index: number): [number, number] {
  const share = Math.floor(SLOTS / MASTERS)
  return [index * share, index === MASTERS - 1 ? SLOTS - 1 : (index + 1) * share - 1]
}

async function until(nodes: ClusterNode[], words: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  for (;;) {
    const told = await Promise.all(nodes.map(({ client }) => client.call('CLUSTER', 'INFO')))
    if (told.every((text) => String(text).includes(words))) return
    if (Date.now() > deadline) throw new Error(`the cluster did not form: ${String(told[0])}`)
    await Bun.sleep(POLL_MS)
  }
}

async function untilReplicated(replicas: ClusterNode[]): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  for (const { client } of replicas)
    while (!/master_link_status:up/.test(await client.info('replication'))) {
      if (Date.now() > deadline) throw new Error('a replica did not follow its master')
      await Bun.sleep(POLL_MS)
    }
}
