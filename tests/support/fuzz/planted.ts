// Owns the faults that are planted to see whether the fuzz finds them: each takes one rule out of the scripts.
import type { RedisClient } from '../../../db/redis.ts'

export interface Planted {
  name: string
  find: string | RegExp
  put: string
}

export const PLANTED: Planted[] = [
  { name: 'the rate is not looked at', find: 'issued() < rate', put: 'true' },
  { name: 'activeMax is not looked at', find: 'live() < tonumber(settings.activeMax)', put: 'true' },
  { name: 'a lost Redis holds nobody', find: "get('heldUntil')", put: '0' },
  { name: 'a closed room ends no place', find: "put('voidBelow', get('arrivals'))", put: '' },
  {
    name: 'one is called though no pass is free',
    find: 'math.max(0, math.floor(',
    put: 'math.max(1, math.floor(',
  },
  {
    name: 'ten times as many are called',
    find: 'math.floor(slots * over_call() + 1e-6)',
    put: 'math.floor(slots * 10)',
  },
  {
    name: 'who leaves the line is not counted as gone',
    find: "redis.call('ZADD', GONE, int(at), int(at))",
    put: '',
  },
  {
    name: 'a new epoch begins at old numbers',
    find: "put('arrivals', ARGV[4])",
    put: "put('arrivals', ARGV[5])",
  },
  { name: 'a claim is a pass', find: "redis.call('ZADD', DOOR, int(e.place), account)", put: 'admit(e)' },
  { name: 'the door lets the last one in first', find: "'ZPOPMIN', DOOR", put: "'ZPOPMAX', DOOR" },
  {
    name: 'who stepped back is called at once',
    find: 'place < serving or present(serving, arrivals) == 0',
    put: 'true',
  },
  { name: 'stepping back again and again', find: "or e.deferred == '1'", put: '' },
  { name: 'no grace', find: 'settings.graceSeconds * 1000', put: '0' },
  {
    name: 'turns run out while the room is paused',
    find: "(tonumber(meta.frozenAt) or now) - get('frozenMs')",
    put: 'now',
  },
  {
    name: 'a turn ends a second early',
    find: 'if due > room_now() then',
    put: 'if due > room_now() + 1000 then',
  },
  { name: 'a server that lost the lease goes on', find: "get('fence') == fence and", put: 'true or' },
  {
    name: 'a second tab is a second place',
    find: "if state ~= 'outside' then\n  if",
    put: "if state ~= 'outside' and socket == '' then\n  if",
  },
  {
    name: 'tickets are worth nothing after a lost Redis',
    find: "epoch < get('epoch') and",
    put: 'false and',
  },
  {
    name: 'a ticket of a lost epoch is worth a place again and again',
    find: 'not known and number',
    put: 'number',
  },
  {
    name: 'one too many in a raise',
    find: 'present(serving, middle) >= count',
    put: 'present(serving, middle) > count',
  },
  {
    name: 'older settings win',
    find: "if (tonumber(settings.version) or -1) > version then return { 'older' } end",
    put: '',
  },
  { name: 'a pass given up stays live', find: 'LATE, DOOR, ACTIVE, AWAY', put: 'LATE, DOOR, AWAY' },
  {
    name: 'people are called though no seat is free',
    find: /if get\('seatsTotal'\) > 0 (and get\('seatsFree'\) == 0 then return 0, 'seats'|then bound\('seats'.*\)) end/g,
    put: '',
  },
  { name: 'the draw stops a round early', find: 'local ROUND_PAIRS = 6', put: 'local ROUND_PAIRS = 5' },
  {
    name: 'places are given before the draw',
    find: 'number < (tonumber(meta.entrants) or math.huge)',
    put: 'false',
  },
]

const sha1 = (text: string) => new Bun.CryptoHasher('sha1').update(text).digest('hex')

/** The same Redis, running other scripts than it is given. Throws at once when the planted fault has no place any more. */
export function plant(redis: RedisClient, { find, put }: Planted): RedisClient & { planted(): boolean } {
  const known = new Map<string, string>()
  let planted = false
  const own = {
    evalsha: async (sha: string, ...rest: [number]) => {
      const other = known.get(sha)
      if (!other) throw new Error('NOSCRIPT not yet')
      return redis.evalsha(other, ...rest)
    },
    eval: async (text: string, ...rest: [number]) => {
      const other = typeof find === 'string' ? text.replaceAll(find, () => put) : text.replace(find, put)
      if (other !== text) planted = true
      known.set(sha1(text), (await redis.script('LOAD', other)) as string)
      return redis.evalsha(known.get(sha1(text))!, ...rest)
    },
    planted: () => planted,
  }
  return new Proxy(redis, {
    get: (target, name) => {
      if (name in own) return own[name as keyof typeof own]
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  }) as RedisClient & { planted(): boolean }
}
