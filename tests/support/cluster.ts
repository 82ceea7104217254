// Owns a real Redis Cluster of a test file: three masters on this machine, slots shared out, gone with the file.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Redis from 'ioredis'
import { freePort } from '../../dev/stores/process.ts'
import { findRedisProgram } from '../../dev/stores/redis-program.ts'

const MASTERS = 3
const SLOTS = 16_384
const READY_WITHIN_MS = 20_000
const POLL_MS = 50
/** A node that says nothing for this long is taken as failed. */
const NODE_TIMEOUT_MS = 2_000

export interface TestCluster {
  /** As REDIS_URL takes it. */
  url: string
  /** One client a master, in order of their slots. */
  masters: Redis[]
  /** The master whose slots hold a key, by its place in `masters`. */
  masterOf(key: string): Promise<number>
  /** Moves the slot of a key, with all it holds, to another master. */
  moveSlot(key: string, to: number): Promise<void>
  close(): Promise<void>
}

export async function startCluster(): Promise<TestCluster> {
  const dir = mkdtempSync(join(tmpdir(), 'onsale-cluster-'))
  const cacheDir = join(import.meta.dir, '../../.cache')
  const nodes = await Promise.all(Array.from({ length: MASTERS }, (_, i) => startNode(dir, cacheDir, i)))
  const masters = nodes.map(({ client }) => client)
  await Promise.all(masters.map((master, i) => master.call('CLUSTER', 'ADDSLOTSRANGE', ...slotsOf(i))))
  for (const { port, busPort } of nodes.slice(1))
    await masters[0]!.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort)
  await untilWhole(masters)
  const idOf = async (i: number) => String(await masters[i]!.call('CLUSTER', 'MYID'))
  const masterOf = async (key: string) => {
    const slot = Number(await masters[0]!.call('CLUSTER', 'KEYSLOT', key))
    const shards = (await masters[0]!.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
    const [, , [, port]] = shards.find(([from, to]) => slot >= from && slot <= to)!
    return nodes.findIndex((node) => node.port === port)
  }
  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    masters,
    masterOf,
    async moveSlot(key, to) {
      const from = await masterOf(key)
      const slot = Number(await masters[0]!.call('CLUSTER', 'KEYSLOT', key))
      const [source, target] = [masters[from]!, masters[to]!]
      await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(from))
      await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(to))
      const keys = (await source.call('CLUSTER', 'GETKEYSINSLOT', slot, 10_000)) as string[]
      if (keys.length > 0)
        await source.call('MIGRATE', '127.0.0.1', nodes[to]!.port, '', 0, READY_WITHIN_MS, 'KEYS', ...keys)
      for (const master of [target, source, ...masters])
        await master.call('CLUSTER', 'SETSLOT', slot, 'NODE', await idOf(to))
    },
    async close() {
      for (const { client, child } of nodes) {
        client.disconnect()
        child.kill('SIGKILL')
        await child.exited
      }
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function startNode(dir: string, cacheDir: string, index: number) {
  const program = findRedisProgram(cacheDir)
  const [port, busPort] = [await freePort(), await freePort()]
  const settings = {
    port: String(port),
    'cluster-port': String(busPort),
    'cluster-enabled': 'yes',
    'cluster-config-file': `nodes-${index}.conf`,
    'cluster-node-timeout': String(NODE_TIMEOUT_MS),
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: 'no',
    daemonize: 'no',
  }
  const child = Bun.spawn(
    [program.path, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])],
    {
      env: { ...process.env, ...program.env },
      stdio: ['ignore', 'ignore', 'ignore'],
    },
  )
  const client = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null })
  client.on('error', () => {})
  await client.ping()
  return { port, busPort, child, client }
}

/** An equal share of all slots, the last one to the end. */
function slotsOf(index: number): [number, number] {
  const share = Math.floor(SLOTS / MASTERS)
  return [index * share, index === MASTERS - 1 ? SLOTS - 1 : (index + 1) * share - 1]
}

async function untilWhole(masters: Redis[]): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  for (;;) {
    const told = await Promise.all(masters.map((master) => master.call('CLUSTER', 'INFO')))
    const whole = told.every(
      (text) => /cluster_state:ok/.test(String(text)) && /cluster_known_nodes:3/.test(String(text)),
    )
    if (whole) return
    if (Date.now() > deadline) throw new Error(`the cluster did not form: ${String(told[0])}`)
    await Bun.sleep(POLL_MS)
  }
}
