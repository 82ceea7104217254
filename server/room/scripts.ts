// Owns how the room's Lua scripts are run: which shared parts each one needs, by its hash, as one atomic step.
import type { RedisClient } from '../../db/redis.ts'
import { Refusal } from '../errors.ts'
import { roomFeedChannel, roomKeys } from './keys.ts'
import { knownLife, learnLife } from './redis-life.ts'
import adopt from './lua/adopt.lua' with { type: 'text' }
import admission from './lua/admission.lua' with { type: 'text' }
import attend from './lua/attend.lua' with { type: 'text' }
import callNext from './lua/call-next.lua' with { type: 'text' }
import claim from './lua/claim.lua' with { type: 'text' }
import closeList from './lua/close-list.lua' with { type: 'text' }
import configure from './lua/configure.lua' with { type: 'text' }
import defer from './lua/defer.lua' with { type: 'text' }
import drawPlaces from './lua/draw-places.lua' with { type: 'text' }
import expirePasses from './lua/expire-passes.lua' with { type: 'text' }
import expireTurns from './lua/expire-turns.lua' with { type: 'text' }
import findEntrant from './lua/find-entrant.lua' with { type: 'text' }
import flow from './lua/flow.lua' with { type: 'text' }
import gone from './lua/gone.lua' with { type: 'text' }
import holdLease from './lua/hold-lease.lua' with { type: 'text' }
import join from './lua/join.lua' with { type: 'text' }
import leave from './lua/leave.lua' with { type: 'text' }
import line from './lua/line.lua' with { type: 'text' }
import listEntrants from './lua/list-entrants.lua' with { type: 'text' }
import markAway from './lua/mark-away.lua' with { type: 'text' }
import missServer from './lua/miss-server.lua' with { type: 'text' }
import openDoor from './lua/open-door.lua' with { type: 'text' }
import pace from './lua/pace.lua' with { type: 'text' }
import presence from './lua/presence.lua' with { type: 'text' }
import placeAbsent from './lua/place-absent.lua' with { type: 'text' }
import reportHealth from './lua/report-health.lua' with { type: 'text' }
import restore from './lua/restore.lua' with { type: 'text' }
import returnPasses from './lua/return-passes.lua' with { type: 'text' }
import scoreForecasts from './lua/score-forecasts.lua' with { type: 'text' }
import steps from './lua/steps.lua' with { type: 'text' }
import sweepAway from './lua/sweep-away.lua' with { type: 'text' }
import turns from './lua/turns.lua' with { type: 'text' }
import viewRoom from './lua/view-room.lua' with { type: 'text' }

const text = {
  adopt: line + adopt,
  attend: line + attend,
  'call-next': line + steps + admission + turns + pace + flow + callNext,
  claim: line + admission + turns + claim,
  'close-list': line + admission + closeList,
  configure: line + steps + configure,
  defer: line + admission + turns + presence + defer,
  'draw-places': line + steps + admission + drawPlaces,
  'expire-passes': line + admission + expirePasses,
  'expire-turns': line + admission + turns + expireTurns,
  'find-entrant': line + turns + presence + findEntrant,
  'hold-lease': line + steps + holdLease,
  join: line + turns + presence + join,
  leave: line + admission + turns + presence + leave,
  'list-entrants': line + listEntrants,
  'mark-away': line + turns + presence + markAway,
  'miss-server': line + admission + turns + presence + missServer,
  'open-door': line + admission + openDoor,
  'report-health': line + reportHealth,
  restore: line + steps + restore,
  'place-absent': line + admission + placeAbsent,
  'return-passes': line + admission + returnPasses,
  'score-forecasts': line + scoreForecasts,
  'sweep-away': line + admission + sweepAway,
  'view-room': line + admission + turns + gone + viewRoom,
}
export type ScriptName = keyof typeof text

const sha = Object.fromEntries(
  Object.entries(text).map(([name, source]) => [
    name,
    new Bun.CryptoHasher('sha1').update(source).digest('hex'),
  ]),
) as Record<ScriptName, string>

export type ScriptArgument = string | number | Buffer
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
  args: ScriptArgument[] = [],
): Promise<ScriptAnswer> {
  const keys = roomKeys(eventId)
  const life = knownLife(redis) ?? (await learnLife(redis).catch(refuseLost))
  const rest = [keys.length, ...keys, Math.floor(nowMs), roomFeedChannel(eventId), ...args, life]
  const answer = await redis.evalsha(sha[name], ...(rest as [number])).catch((fault: unknown) => {
    if (fault instanceof Error && fault.message.startsWith('NOSCRIPT'))
      return redis.eval(text[name], ...(rest as [number])).catch(refuseLost)
    return refuseLost(fault)
  })
  return (answer as unknown[]).map(String) as ScriptAnswer
}

/** An error Redis answered is a fault of ours; anything else says that Redis is away, or cannot: full, or its disk is. */
export function refuseLost(fault: unknown): never {
  const answered = fault instanceof Error && fault.name === 'ReplyError'
  const away =
    fault instanceof Error &&
    /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|OOM|MISCONF|NOREPLICAS)/.test(fault.message)
  if (answered && !away) throw fault
  throw new Refusal('store_unavailable')
}
