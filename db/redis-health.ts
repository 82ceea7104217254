// Decides whether a Redis can be trusted with a sale: it must keep what it is told, on disk, and never throw it away.
import Redis from 'ioredis'
import type { RedisClient } from './redis.ts'

export interface RedisHealth {
  /** Of all masters together. */
  usedBytes: number
  /** 0 = no limit. */
  maxBytes: number
  clients: number
  evictedKeys: number
  commands: number
  /** `maxmemory-policy` of the masters, each once. */
  policies: string[]
  /** Every master writes an append-only file. */
  persists: boolean
}

/** Throws when Redis does not answer. */
export async function readRedisHealth(redis: RedisClient): Promise<RedisHealth> {
  const masters = redis instanceof Redis.Cluster ? redis.nodes('master') : [redis]
  const all = (await Promise.all(masters.map((master) => master.info()))).map(fieldsOf)
  const sum = (name: string) => all.reduce((total, fields) => total + Number(fields.get(name) ?? 0), 0)
  return {
    usedBytes: sum('used_memory'),
    maxBytes: sum('maxmemory'),
    clients: sum('connected_clients'),
    evictedKeys: sum('evicted_keys'),
    commands: sum('total_commands_processed'),
    policies: [...new Set(all.map((fields) => fields.get('maxmemory_policy') ?? 'unknown'))],
    persists: all.length > 0 && all.every((fields) => fields.get('aof_enabled') === '1'),
  }
}

/** A sentence for each thing about this Redis that a sale would not survive; none when it is as it should be. */
export function redisProblems({ policies, persists }: RedisHealth): string[] {
  const problems: string[] = []
  const evicting = policies.filter((policy) => policy !== 'noeviction')
  if (evicting.length > 0)
    problems.push(
      `REDIS_URL leads to a Redis with maxmemory-policy ${evicting.join(' and ')}: when memory is short it would throw places of the line and jobs away; set noeviction`,
    )
  if (!persists)
    problems.push(
      'REDIS_URL leads to a Redis without appendonly: after a restart everybody in line would have lost the place; set appendonly yes',
    )
  return problems
}

function fieldsOf(info: string): Map<string, string> {
  return new Map(
    info.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':')
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : []
    }),
  )
}
