// Decides whether a booking may go on: the room is off, or the buyer's pass is genuine, theirs, and still live.
import type { RedisClient } from '../../db/redis.ts'
import type { RoomSettings } from '../../db/rooms.ts'
import type { Tokens } from '../tokens.ts'
import { tryRedis } from '../try-redis.ts'
import type { RoomSnapshot } from './entrant.ts'
import { roomKey } from './keys.ts'
import type { RoomClock } from './room-clock.ts'

export type PassVerdict = 'ok' | 'pass_required' | 'pass_invalid' | 'pass_expired'

export interface PassParts {
  redis: RedisClient
  clock: RoomClock
  tokens: Pick<Tokens, 'verifyPass'>
  /** At most a second old. */
  view(eventId: string): Promise<RoomSnapshot | null>
  loadSettings(eventId: string): Promise<RoomSettings | null>
}

/** What Postgres said of a room counts this long. */
const SETTINGS_AGE_MS = 500
const SETTINGS_KEPT = 500

/**
 * `pass` is the X-Admission-Pass header, null when absent. `ok` when the event has no room switched on. While Redis is
 * away the signature and the expiry decide alone: whoever was admitted goes on buying.
 */
export async function checkPass(
  parts: PassParts,
  { accountId, eventId, pass }: { accountId: string; eventId: string; pass: string | null | undefined },
): Promise<PassVerdict> {
  const room = await roomOf(parts, eventId)
  if (!room.enabled) return 'ok'
  if (!pass) return 'pass_required'
  const claims = parts.tokens.verifyPass(pass, parts.clock.now())
  if (claims === 'expired') return 'pass_expired'
  if (claims === null || claims.accountId !== accountId || claims.eventId !== eventId) return 'pass_invalid'
  const until = await liveUntil(parts, eventId, accountId)
  if (until === 'unknown') return 'ok'
  const now = parts.clock.now()
  if (until !== null && until > now) return 'ok'
  // A pass of an epoch that Redis lost: nobody new is admitted until the last of them is over.
  return claims.epoch < room.epoch && now < room.heldUntil ? 'ok' : 'pass_expired'
}

type RoomState = Pick<RoomSnapshot, 'enabled' | 'epoch' | 'heldUntil'>

async function roomOf(parts: PassParts, eventId: string): Promise<RoomState> {
  const view = await tryRedis(parts.redis, () => parts.view(eventId), { tells: false })
  if (view) return view
  const settings = await settingsOf(parts, eventId)
  return { enabled: settings?.enabled ?? false, epoch: 0, heldUntil: 0 }
}

type Settings = Promise<RoomSettings | null>
const asked = new WeakMap<RedisClient, Map<string, { at: number; settings: Settings }>>()

/** Of the events that were asked for lately, while Redis does not answer: one question a moment, however many buy. */
function settingsOf({ redis, loadSettings }: PassParts, eventId: string): Settings {
  let known = asked.get(redis)
  if (!known) asked.set(redis, (known = new Map()))
  const last = known.get(eventId)
  if (last && Date.now() - last.at < SETTINGS_AGE_MS) return last.settings
  const settings = loadSettings(eventId)
  settings.catch(() => known.delete(eventId))
  if (known.size >= SETTINGS_KEPT) known.clear()
  known.set(eventId, { at: Date.now(), settings })
  return settings
}

async function liveUntil({ redis }: PassParts, eventId: string, accountId: string) {
  const score = await tryRedis(redis, (client) => client.zscore(roomKey(eventId, 'active'), accountId))
  if (score === undefined) return 'unknown' as const
  return score === null ? null : Number(score)
}
