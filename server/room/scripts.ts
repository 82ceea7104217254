// Owns how the room's Lua scripts are run: which shared parts each one needs, by its hash, as one atomic step.
import type { RedisClient } from '../../db/redis.ts'
import { Refusal } from '../errors.ts'
import { roomFeedChannel, roomKeys } from './keys.ts'
import admission from './lua/admission.lua' with { type: 'text' }
import callNext from './lua/call-next.lua' with { type: 'text' }
import claim from './lua/claim.lua' with { type: 'text' }
import configure from './lua/configure.lua' with { type: 'text' }
import defer from './lua/defer.lua' with { type: 'text' }
import expirePasses from './lua/expire-passes.lua' with { type: 'text' }
import expireTurns from './lua/expire-turns.lua' with { type: 'text' }
import findEntrant from './lua/find-entrant.lua' with { type: 'text' }
import holdLease from './lua/hold-lease.lua' with { type: 'text' }
import join from './lua/join.lua' with { type: 'text' }
import leave from './lua/leave.lua' with { type: 'text' }
import line from './lua/line.lua' with { type: 'text' }
import listEntrants from './lua/list-entrants.lua' with { type: 'text' }
import markAway from './lua/mark-away.lua' with { type: 'text' }
import openDoor from './lua/open-door.lua' with { type: 'text' }
import restore from './lua/restore.lua' with { type: 'text' }
import sweepAway from './lua/sweep-away.lua' with { type: 'text' }
import viewRoom from './lua/view-room.lua' with { type: 'text' }

const text = {
  'call-next': line + admission + callNext,
  claim: line + admission + claim,
  configure: line + configure,
  defer: line + admission + defer,
  'expire-passes': line + admission + expirePasses,
  'expire-turns': line + admission + expireTurns,
  'find-entrant': line + findEntrant,
  'hold-lease': line + holdLease,
  join: line + join,
  leave: line + admission + leave,
  'list-entrants': line + listEntrants,
  'mark-away': line + markAway,
  'open-door': line + admission + openDoor,
  restore: line + restore,
  'sweep-away': line + admission + sweepAway,
  'view-room': line + admission + viewRoom,
}
export type ScriptName = keyof typeof text

const sha = Object.fromEntries(
  Object.entries(text).map(([name, source]) => [
    name,
    new Bun.CryptoHasher('sha1').update(source).digest('hex'),
  ]),
) as Record<ScriptName, string>

/** A script's answer: a word, then what its header says. */
export type ScriptAnswer = [word: string, ...rest: string[]]

/**
 * Runs one script on one event's room. `nowMs` is the time of the room's clock.
 * Throws `store_unavailable` when Redis does not answer; the script may have run all the same, so each is safe to repeat.
 */
export async function runScript(
  redis: RedisClient,
  name: ScriptName,
  eventId: string,
  nowMs: number,
  args: (string | number)[] = [],
): Promise<ScriptAnswer> {
  const keys = roomKeys(eventId)
  const rest = [keys.length, ...keys, Math.floor(nowMs), roomFeedChannel(eventId), ...args]
  const answer = await redis.evalsha(sha[name], ...(rest as [number])).catch((fault: unknown) => {
    if (fault instanceof Error && fault.message.startsWith('NOSCRIPT'))
      return redis.eval(text[name], ...(rest as [number])).catch(refuseLost)
    return refuseLost(fault)
  })
  return (answer as unknown[]).map(String) as ScriptAnswer
}

/** An error Redis answered is a fault of ours; anything else says that Redis is away. */
export function refuseLost(fault: unknown): never {
  const answered = fault instanceof Error && fault.name === 'ReplyError'
  const away =
    fault instanceof Error && /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|OOM)/.test(fault.message)
  if (answered && !away) throw fault
  throw new Refusal('store_unavailable')
}
