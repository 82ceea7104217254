// Decides which life of Redis a connection speaks to: a program that was started again may have lost its last second.
import { Cluster } from 'ioredis'
import type { RedisClient } from '../../db/redis.ts'

/** Of a cluster nobody can say which of its programs will answer; its losses are told by what servers remember. */
const UNKNOWN_LIFE = ''
const RUN_ID = /^run_id:(\w+)/m

interface Learned {
  life: string | null
  asking: Promise<string> | null
}
const learned = new WeakMap<RedisClient, Learned>()

/** What the present connection has been told; null when it has to be asked. */
export const knownLife = (redis: RedisClient): string | null => learned.get(redis)?.life ?? null

/** Asks once a connection, however many wait for it. Throws when Redis does not answer. */
export function learnLife(redis: RedisClient): Promise<string> {
  let known = learned.get(redis)
  if (!known) {
    const made: Learned = { life: redis instanceof Cluster ? UNKNOWN_LIFE : null, asking: null }
    learned.set(redis, (known = made))
    // The next connection may be to another life.
    if (made.life === null)
      redis.on('close', () => {
        made.life = null
        made.asking = null
      })
  }
  if (known.life !== null) return Promise.resolve(known.life)
  known.asking ??= ask(redis, known)
  return known.asking
}

async function ask(redis: RedisClient, known: Learned): Promise<string> {
  try {
    const life = await runIdOf(redis)
    known.life = life
    return life
  } finally {
    known.asking = null
  }
}

async function runIdOf(redis: RedisClient): Promise<string> {
  try {
    return RUN_ID.exec(String(await redis.info('server')))?.[1] ?? UNKNOWN_LIFE
  } catch (fault) {
    // A Redis that refuses the question is taken as one that never starts again.
    if (fault instanceof Error && fault.name === 'ReplyError' && !fault.message.startsWith('LOADING'))
      return UNKNOWN_LIFE
    throw fault
  }
}
