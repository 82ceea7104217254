// Decides whether the line kept its word: passes within their limits, one number each, nobody overtaken.
//
// Reads the room's keys by name (server/room/keys.ts owns them; a test holds the names here against those).
import { eq } from 'drizzle-orm'
import type { RedisClient } from '../redis.ts'
import { rooms } from '../schema.ts'
import { listBroken, type AuditStores, type Broken } from './broken.ts'

export const AUDITED_ROOM_KEYS = ['meta', 'settings', 'entrants', 'active', 'admissions'] as const
type AuditedKey = (typeof AUDITED_ROOM_KEYS)[number]
export const auditedRoomKey = (eventId: string, name: AuditedKey) => `room:{${eventId}}:${name}`

/** Servers follow Redis' clock and may be off by half a question's time (server/room/room-clock.ts). */
const CLOCKS_DIFFER_MS = 100
/** Live passes by Redis' own clock, in the very moment it looks: one that waited for it does not see passes side by side. */
const LIVE_PASSES = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
return redis.call('ZCOUNT', KEYS[1], string.format('(%.0f', now), '+inf')`
const BUCKETS_PER_MINUTE = 240
const BUCKET_MS = 250
const SCAN_COUNT = 1_000

interface Entrant {
  accountId: string
  number: number
  place: number
  /** a admitted, d at the door, c called alone; others wait or are called by the watermark. */
  flag: string
  /** Stepped back once: called alone when the line has come so far or has ended. */
  deferred: boolean
  /** May have been called by the separate share, and stands at the watermark then. */
  priority: boolean
}

/** I8, I9 and I10 over every room that is enabled. */
export async function checkRooms({
  db,
  redis,
}: AuditStores): Promise<{ id: string; name: string; broken: Broken }[]> {
  const enabled = await db.select({ eventId: rooms.eventId }).from(rooms).where(eq(rooms.enabled, true))
  const passes: string[] = []
  const numbers: string[] = []
  const order: string[] = []
  for (const { eventId } of enabled) {
    passes.push(...(await checkPasses(redis, eventId)))
    const line = await readLine(redis, eventId)
    numbers.push(...checkNumbers(eventId, line))
    order.push(...checkOrder(eventId, line))
  }
  return [
    { id: 'I8', name: 'passes stay within activeMax and admitPerMinute', broken: listBroken(passes) },
    { id: 'I9', name: 'a number is given once, and one to an account', broken: listBroken(numbers) },
    { id: 'I10', name: 'people are called in the order of their places', broken: listBroken(order) },
  ]
}

/** I8 of one room: what is broken, in words. */
export async function checkPasses(redis: RedisClient, eventId: string): Promise<string[]> {
  const [settings, [liveWhenLowered, rateLoweredAt], live, admissions] = await Promise.all([
    redis.hgetall(auditedRoomKey(eventId, 'settings')),
    redis.hmget(auditedRoomKey(eventId, 'meta'), 'liveWhenLowered', 'rateLoweredAt'),
    redis.eval(LIVE_PASSES, 1, auditedRoomKey(eventId, 'active'), CLOCKS_DIFFER_MS).then(Number),
    redis.hgetall(auditedRoomKey(eventId, 'admissions')),
  ])
  const broken: string[] = []
  // Nobody is thrown out when a limit is lowered: until they run down, passes may be as many as there were then.
  const activeMax = Math.max(Number(settings['activeMax'] ?? Infinity), Number(liveWhenLowered ?? 0))
  if (live > activeMax) broken.push(`event ${eventId} has ${live} live passes of ${activeMax}`)
  const most = busiestMinute(admissions, Number(rateLoweredAt ?? 0))
  const perMinute = Number(settings['admitPerMinute'] || Infinity)
  if (most > perMinute) broken.push(`event ${eventId} admitted ${most} within a minute of ${perMinute}`)
  return broken
}

/** The most passes in any minute with a pass issued after `sinceMs`: buckets are quarter seconds since 1970. */
export function busiestMinute(admissions: Record<string, string>, sinceMs = 0): number {
  const buckets = Object.entries(admissions)
    .map(([bucket, count]) => ({ at: Number(bucket), count: Number(count) }))
    .toSorted((a, b) => a.at - b.at)
  let most = 0
  let sum = 0
  let first = 0
  for (const { at, count } of buckets) {
    sum += count
    while (buckets[first]!.at <= at - BUCKETS_PER_MINUTE) sum -= buckets[first++]!.count
    if (at * BUCKET_MS >= sinceMs) most = Math.max(most, sum)
  }
  return most
}

interface Line {
  serving: number
  arrivals: number
  entrants: Entrant[]
}

async function readLine(redis: RedisClient, eventId: string): Promise<Line> {
  const entrants: Entrant[] = []
  let cursor = '0'
  do {
    const [next, flat] = await redis.hscan(auditedRoomKey(eventId, 'entrants'), cursor, 'COUNT', SCAN_COUNT)
    for (let i = 0; i < flat.length; i += 2) entrants.push(parseEntrant(flat[i]!, flat[i + 1]!))
    cursor = next
  } while (cursor !== '0')
  // Read last: the line only moves forward, so whoever was called above is below this.
  const [serving, arrivals] = await redis.hmget(auditedRoomKey(eventId, 'meta'), 'serving', 'arrivals')
  // A scan may tell an account twice; the later word is as good as the first.
  const known = new Map(entrants.map((entrant) => [entrant.accountId, entrant]))
  return { serving: Number(serving ?? 0), arrivals: Number(arrivals ?? 0), entrants: [...known.values()] }
}

function parseEntrant(accountId: string, text: string): Entrant {
  const [record, times = ''] = text.split(';')
  const [number, place, flag, deferred] = record!.split(':')
  // Whoever is called or further has a place written down; everybody else's follows from the number.
  return {
    accountId,
    number: Number(number),
    place: Number(place),
    flag: flag!,
    deferred: deferred === '1',
    priority: times.split(',')[4] === '1',
  }
}

function checkNumbers(eventId: string, { entrants, arrivals }: Line): string[] {
  const broken: string[] = []
  for (const [number, group] of Map.groupBy(entrants, (entrant) => entrant.number)) {
    if (group.length > 1) broken.push(`event ${eventId} gave number ${number} to ${group.length} accounts`)
    if (number >= arrivals) broken.push(`event ${eventId} never gave number ${number}`)
  }
  return broken
}

function checkOrder(eventId: string, { entrants, serving }: Line): string[] {
  return entrants
    .filter(
      ({ flag, place, deferred, priority }) =>
        'adc'.includes(flag) && !deferred && !priority && place >= serving,
    )
    .map(
      ({ accountId, place }) =>
        `account ${accountId} was called at place ${place} of ${serving}, event ${eventId}`,
    )
}
