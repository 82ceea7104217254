// Owns how any process connects to Redis: one client class per use, each with its limits.
import Redis, { type Cluster } from 'ioredis'
import { SteadySentinelConnector } from './redis-sentinel-connector.ts'

export type RedisClient = Redis | Cluster
/** BullMQ's keys share one hash tag, as Redis Cluster needs. */
export const BULL_PREFIX = '{bull}'

/** A frozen Redis must not freeze a request: after this the answer is "unknown", and every write is safe to repeat. */
const COMMAND_TIMEOUT_MS = 1_000
const CONNECT_TIMEOUT_MS = 5_000
const RECONNECT_DELAY_MIN_MS = 50
const RECONNECT_DELAY_MAX_MS = 1_000
const CLUSTER_SCHEME = 'redis+cluster://'
const SENTINEL_SCHEME = 'redis+sentinel://'
/** What Redis itself calls a master whose name was not chosen. */
const SENTINEL_MASTER = 'mymaster'
/** A node that fell silent tells nobody that another has taken its slots over: who holds what is asked this often. */
const CLUSTER_LOOK_EVERY_MS = 2_000

/**
 * - `commands`: the request path; fails within a second, never waits for a reconnect.
 * - `producer`: adds jobs; as `commands`, but its first jobs wait for the connection, and it does not pipeline
 *   by itself, which BullMQ's scripts do not survive.
 * - `subscriber`: pub/sub; resubscribes by itself after a reconnect, and may have missed messages meanwhile.
 * - `queue`: BullMQ's workers, which wait for Redis as long as it takes.
 */
export type RedisRole = 'commands' | 'producer' | 'subscriber' | 'queue'

export interface RedisOptions {
  role: RedisRole
  name: string
  /** Called on each connection error; without a listener the process would die. */
  onError?: (fault: Error) => void
}

/**
 * Connects to `redis://`, `rediss://`, `redis+cluster://host:port,host:port`, or by way of sentinels to the master of
 * `redis+sentinel://host:port,host:port/name`. A user and a password before the first host are those of every node of
 * the cluster, or of the master; sentinels are asked without.
 */
export function connectRedis(url: string, { role, name, onError = () => {} }: RedisOptions): RedisClient {
  const client = open(url, limitsOf(role, name))
  client.on('error', onError)
  return client
}

/** A producer's connection beside `redis`, closed with it. */
export function producerBeside(redis: RedisClient): RedisClient {
  const options = { enableAutoPipelining: false, enableOfflineQueue: true }
  const beside = redis instanceof Redis.Cluster ? redis.duplicate([], options) : redis.duplicate(options)
  beside.on('error', () => {})
  redis.once('end', () => beside.disconnect())
  return beside
}

function reconnectDelay(attempt: number): number {
  return Math.min(RECONNECT_DELAY_MIN_MS * attempt, RECONNECT_DELAY_MAX_MS)
}

function limitsOf(role: RedisRole, name: string) {
  const failsFast = role === 'commands' || role === 'producer'
  return {
    connectionName: name,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableAutoPipelining: role === 'commands',
    ...(failsFast ? { commandTimeout: COMMAND_TIMEOUT_MS, enableOfflineQueue: role === 'producer' } : {}),
    maxRetriesPerRequest: failsFast ? 1 : null,
  }
}

function open(url: string, common: ReturnType<typeof limitsOf>): RedisClient {
  if (url.startsWith(CLUSTER_SCHEME)) {
    const { nodes, login } = placesOf(url.slice(CLUSTER_SCHEME.length))
    return new Redis.Cluster(nodes, {
      redisOptions: { ...common, ...login },
      enableAutoPipelining: common.enableAutoPipelining,
      slotsRefreshInterval: CLUSTER_LOOK_EVERY_MS,
    })
  }
  const steady = { ...common, retryStrategy: reconnectDelay }
  if (!url.startsWith(SENTINEL_SCHEME)) return new Redis(url, steady)
  const [places = '', master = SENTINEL_MASTER] = url.slice(SENTINEL_SCHEME.length).split('/', 2)
  const { nodes: sentinels, login } = placesOf(places)
  // A master that fell silent closes nothing: who holds the office is heard from the sentinels.
  return new Redis({
    ...steady,
    ...login,
    sentinels,
    name: master || SENTINEL_MASTER,
    failoverDetector: true,
    sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
    Connector: SteadySentinelConnector,
  })
}

function placesOf(text: string) {
  const urls = text.split(',').map((node) => new URL(`redis://${node}`))
  const { username = '', password = '' } = urls[0] ?? {}
  return {
    nodes: urls.map(({ hostname, port }) => ({ host: hostname, port: Number(port || 6379) })),
    login: {
      ...(username ? { username: decodeURIComponent(username) } : {}),
      ...(password ? { password: decodeURIComponent(password) } : {}),
    },
  }
}

/** Waits until a client can be used, at most `withinMs`; throws when it cannot. */
export async function redisReady(client: RedisClient, withinMs = CONNECT_TIMEOUT_MS): Promise<void> {
  const deadline = Date.now() + withinMs
  while (client.status !== 'ready') {
    if (Date.now() > deadline) throw new Error('Redis did not answer')
    await Bun.sleep(10)
  }
}
