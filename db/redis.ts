// Owns how any process connects to Redis: one client class per use, each with its limits.
import Redis, { type Cluster } from 'ioredis'

export type RedisClient = Redis | Cluster
/** BullMQ's keys share one hash tag, as Redis Cluster needs. */
export const BULL_PREFIX = '{bull}'

/** A frozen Redis must not freeze a request: after this the answer is "unknown", and every write is safe to repeat. */
const COMMAND_TIMEOUT_MS = 1_000
const CONNECT_TIMEOUT_MS = 5_000
const RECONNECT_DELAY_MIN_MS = 50
const RECONNECT_DELAY_MAX_MS = 1_000
const CLUSTER_SCHEME = 'redis+cluster://'

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

/** Connects to `redis://`, `rediss://` or `redis+cluster://host:port,host:port`. */
export function connectRedis(url: string, { role, name, onError = () => {} }: RedisOptions): RedisClient {
  const failsFast = role === 'commands' || role === 'producer'
  const common = {
    connectionName: name,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableAutoPipelining: role === 'commands',
    ...(failsFast ? { commandTimeout: COMMAND_TIMEOUT_MS, enableOfflineQueue: role === 'producer' } : {}),
    maxRetriesPerRequest: failsFast ? 1 : null,
  }
  const client = url.startsWith(CLUSTER_SCHEME)
    ? new Redis.Cluster(clusterNodes(url), {
        redisOptions: common,
        enableAutoPipelining: common.enableAutoPipelining,
      })
    : new Redis(url, { ...common, retryStrategy: reconnectDelay })
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

function clusterNodes(url: string): { host: string; port: number }[] {
  return url
    .slice(CLUSTER_SCHEME.length)
    .split(',')
    .map((node) => {
      const { hostname, port } = new URL(`redis://${node}`)
      return { host: hostname, port: Number(port || 6379) }
    })
}

/** Waits until a client can be used, at most `withinMs`; throws when it cannot. */
export async function redisReady(client: RedisClient, withinMs = CONNECT_TIMEOUT_MS): Promise<void> {
  const deadline = Date.now() + withinMs
  while (client.status !== 'ready') {
    if (Date.now() > deadline) throw new Error('Redis did not answer')
    await Bun.sleep(10)
  }
}
