/** Owns a Redis Cluster on this machine: masters with a replica each, slots shared out, gone when it is stopped. */
import { join } from 'node:path'
import { freePort } from './process.ts'
import { dataWords, HOST, startRedisNode, untilReplicated, type RedisNode } from './redis-node.ts'

const MASTERS = 3
const SLOTS = 16_384
const READY_WITHIN_MS = 30_000
const POLL_MS = 50

export interface RedisCluster {
  /** As REDIS_URL takes it. */
  url: string
  nodes: RedisNode[]
  /** The master that holds a key now, as a node that lives says. */
  masterOf(key: string): Promise<RedisNode>
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
  const nodes: (RedisNode & { busPort: number })[] = []
  const stop = async () => {
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
    await untilReplicated(nodes.slice(MASTERS), POLL_MS)
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

async function masterOf(nodes: RedisNode[], key: string): Promise<RedisNode> {
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
  const [port, busPort] = [await freePort(), await freePort()]
  const own = { dir: join(dir, `node-${index}`), port, password }
  const words = dataWords(own, {
    'cluster-port': String(busPort),
    'cluster-enabled': 'yes',
    'cluster-config-file': 'nodes.conf',
    'cluster-node-timeout': String(nodeTimeoutMs),
  })
  return { ...(await startRedisNode({ ...own, cacheDir, words })), busPort }
}

/** An equal share of all slots, the last one to the end. */
function slotsOf(index: number): [number, number] {
  const share = Math.floor(SLOTS / MASTERS)
  return [index * share, index === MASTERS - 1 ? SLOTS - 1 : (index + 1) * share - 1]
}

async function until(nodes: RedisNode[], words: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  for (;;) {
    const told = await Promise.all(nodes.map(({ client }) => client.call('CLUSTER', 'INFO')))
    if (told.every((text) => String(text).includes(words))) return
    if (Date.now() > deadline) throw new Error(`the cluster did not form: ${String(told[0])}`)
    await Bun.sleep(POLL_MS)
  }
}
