// Owns how a Lua script is run: by its hash, and by its text whenever Redis has forgotten it.
import { createHash } from 'node:crypto'
import type { RedisClient } from '../redis.ts'

export interface Script {
  text: string
  sha: string
}

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

/** Runs a script; a restarted or flushed Redis gets it again. Keys of one call must share a hash tag. */
export async function runScript(
  redis: RedisClient,
  { text, sha }: Script,
  keys: string[],
  args: (string | number)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(sha, keys.length, ...keys, ...args)
  } catch (fault) {
    if (!(fault instanceof Error && fault.message.startsWith('NOSCRIPT'))) throw fault
    return redis.eval(text, keys.length, ...keys, ...args)
  }
}
