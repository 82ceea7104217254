// Measures one tick of the clock, with what every server then decides to tell, on lines of very different length.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectRedis, redisReady, type RedisClient } from '../../../db/redis.ts'
import type { RoomSettings } from '../../../db/rooms.ts'
import { LineBroadcast } from '../../../server/room/broadcast.ts'
import { roomKeys } from '../../../server/room/keys.ts'
import { createLine } from '../../../server/room/room.ts'
import { TICK_MS, tickRoom } from '../../../server/room/tick.ts'
import { createTokens } from '../../../server/tokens.ts'
import { startRedis } from '../../stores/redis.ts'
import { median } from '../report.ts'

export const TICK_SIZES = [1_000, 10_000, 100_000, 1_000_000]
const ROUNDS = 9
const TICKS_A_ROUND = 100
const WARM_UP_ROUNDS = 2
/** One in so many has left again. */
const LEAVER_EVERY = 10
const SEED_AT_ONCE = 20_000
const SEATS = { total: 50_000, available: 50_000, reserved: 0 }

export interface Ticks {
  entrants: number
  /** The median of each round. */
  ms: number[]
}

/** The sizes take turns tick by tick, so that a busy moment of the machine is no size's own. */
export async function measureTicks(): Promise<Ticks[]> {
  const dir = mkdtempSync(join(tmpdir(), 'onsale-bench-'))
  const cacheDir = join(import.meta.dir, '../../../.cache')
  const store = await startRedis({ dir, cacheDir, throwaway: true })
  const redis = connectRedis(store.url, { role: 'commands', name: 'bench' })
  try {
    await redisReady(redis)
    const lines = []
    for (const size of TICK_SIZES) lines.push(await makeLine(redis, size))
    const measured = TICK_SIZES.map((entrants) => ({ entrants, ms: [] as number[] }))
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      const took = lines.map(() => [] as number[])
      for (let i = 0; i < TICKS_A_ROUND; i++)
        for (const [index, tick] of lines.entries()) {
          const began = performance.now()
          await tick()
          took[index]!.push(performance.now() - began)
        }
      if (round < WARM_UP_ROUNDS) continue
      for (const [index, { ms }] of measured.entries()) ms.push(median(took[index]!))
    }
    return measured
  } finally {
    await redis.quit()
    await store.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** A line of `size` that moves at 600 a minute; the returned function is one tick and one decision what to tell. */
async function makeLine(redis: RedisClient, size: number): Promise<() => Promise<void>> {
  const eventId = Bun.randomUUIDv7()
  let now = Date.now()
  const settings: RoomSettings = {
    eventId,
    ownerId: Bun.randomUUIDv7(),
    eventStatus: 'PUBLISHED',
    onSaleAt: null,
    enabled: true,
    control: 'auto',
    lobbyAt: null,
    activeMax: 100_000,
    admitPerMinute: 600,
    doorSeconds: 10,
    passSeconds: 600,
    graceSeconds: 600,
    priorityShare: 0,
    challenge: 'off',
    noticeId: 0,
    noticeText: null,
    version: 1,
  }
  const line = createLine({
    redis,
    clock: { now: () => now },
    tokens: createTokens({ secret: Bun.randomUUIDv7() }),
    loadSettings: async () => settings,
    startEpoch: async () => ({ epoch: 1, arrivals: size, serving: 0 }),
    seats: async () => SEATS,
    admitted: () => {},
  })
  await line.ensure(settings)
  await seed(redis, eventId, size, now)
  const broadcast = new LineBroadcast(
    () => now,
    () => {},
  )
  return async () => {
    now += TICK_MS
    await tickRoom(line, eventId, 'bench', SEATS)
    broadcast.take((await line.look(eventId))!)
  }
}

const NAMES = { entrants: 2, gone: 3 }

async function seed(redis: RedisClient, eventId: string, size: number, now: number): Promise<void> {
  const keys = roomKeys(eventId)
  for (let from = 0; from < size; from += SEED_AT_ONCE) {
    const [entrants, gone]: [string[], (string | number)[]] = [[], []]
    for (let place = from; place < Math.min(size, from + SEED_AT_ONCE); place++)
      if (place % LEAVER_EVERY === LEAVER_EVERY - 1) gone.push(place, place)
      else entrants.push(`account-${place}`, `${place}:${place}:w:0:${now}:s.${place}:`)
    await redis.hset(keys[NAMES.entrants]!, ...entrants)
    await redis.zadd(keys[NAMES.gone]!, ...(gone as [number, number]))
  }
}
