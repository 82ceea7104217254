// Owns the announcement that an event itself has changed: new seats, or another status.
import type { RedisClient } from '../redis.ts'
import { feedVersionKey, seatFeedChannel } from './keys.ts'
import announceReloadText from './lua/announce-reload.lua' with { type: 'text' }
import { CACHE_MS } from './seat-gate.ts'
import { runScript, script } from './scripts.ts'

/** No feed is ever at this version, so everyone who hears it reloads. */
export const RELOAD = -1

const ANNOUNCE_RELOAD = script(announceReloadText)

/** Makes every server read the event's seats from Postgres again. Throws when Redis does not answer. */
export async function announceReload(redis: RedisClient, eventId: string): Promise<void> {
  const args = [seatFeedChannel(eventId), Date.now(), CACHE_MS, RELOAD]
  await runScript(redis, ANNOUNCE_RELOAD, [feedVersionKey(eventId)], args)
}

/** The version of the last announced change; 0 when there was none lately. Throws when Redis does not answer. */
export async function readFeedVersion(redis: RedisClient, eventId: string): Promise<number> {
  return Number((await redis.get(feedVersionKey(eventId))) ?? 0)
}
