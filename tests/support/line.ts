// Owns a line of a test: real scripts on a Redis of its own, a clock the test moves, settings it may change.
import { connectRedis, redisReady, type RedisClient } from '../../db/redis.ts'
import type { RoomProgress, RoomSettings } from '../../db/rooms.ts'
import { driveDraw, type DrawStep } from '../../server/room/draw.ts'
import { createDraws } from '../../server/room/draws.ts'
import { createLine, type Line, type RoomParts, type SeatCounts } from '../../server/room/room.ts'
import { tickRoom } from '../../server/room/tick.ts'
import { createTokens } from '../../server/tokens.ts'
import { memoryKeeper, type MemoryKeeper } from './draw-keeper.ts'

const SECRET = 'a secret of a test, with more than 32 bytes'
const MINUTE_MS = 60_000
/**
 * Tokens carry real times, so it is about now; and the start of a minute, so that passes a minute fall as they did the
 * last time.
 */
const START = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS

export interface TestLine {
  line: Line
  eventId: string
  redis: RedisClient
  settings: RoomSettings
  seats: SeatCounts
  progress: RoomProgress | null
  tokens: ReturnType<typeof createTokens>
  now(): number
  pass(ms: number): void
  /** Changes settings as PUT or a control does. */
  set(change: Partial<RoomSettings>): Promise<void>
  /** One tick, and when a draw is due, the draw and a tick after it. */
  tick(owner?: string): ReturnType<typeof tickRoom>
  /** What Postgres keeps of the draw. */
  keeper: MemoryKeeper
  /** Drives the draw as the holder of the lease with this fencing number. */
  draw(fence: string): Promise<DrawStep>
  /** What Postgres would have been told. */
  save(): Promise<void>
  /** The line as another server moves it. */
  server(witness: RoomParts['witness']): Line
}

/** A client and a maker of lines on it, each for an event of its own. */
export async function openLines(redisUrl: string) {
  const redis = connectRedis(redisUrl, { role: 'commands', name: 'test-line' })
  await redisReady(redis)
  return {
    redis,
    make: (change: Partial<RoomSettings> = {}) => makeLine(redis, change),
    close: () => redis.quit(),
  }
}

async function makeLine(redis: RedisClient, change: Partial<RoomSettings>): Promise<TestLine> {
  const eventId = Bun.randomUUIDv7()
  let now = START
  const tokens = createTokens({ secret: SECRET })
  const settings: RoomSettings = {
    eventId,
    ownerId: Bun.randomUUIDv7(),
    eventStatus: 'PUBLISHED',
    onSaleAt: null,
    enabled: true,
    control: 'auto',
    lobbyAt: null,
    activeMax: 10,
    admitPerMinute: null,
    doorSeconds: 30,
    passSeconds: 600,
    graceSeconds: 60,
    priorityShare: 0,
    challenge: 'off',
    noticeId: 0,
    noticeText: null,
    version: 1,
    ...change,
  }
  const keeper = memoryKeeper()
  const draws = createDraws({ keeper, beacon: null, now: () => now })
  const parts: RoomParts = {
    draws,
    redis,
    clock: { now: () => now },
    tokens,
    loadSettings: async (id) => (id === eventId ? settings : null),
    findProgress: async () => test.progress,
    startEpoch: async (_id, gap) => {
      const last = test.progress
      test.progress = last
        ? { epoch: last.epoch + 1, arrivals: last.arrivals + gap, serving: last.serving }
        : { epoch: 1, arrivals: 0, serving: 0 }
      return test.progress
    },
    seats: async () => test.seats,
    admitted: () => {},
  }
  const test: TestLine = {
    keeper,
    line: createLine(parts),
    server: (witness) => createLine({ ...parts, ...(witness ? { witness } : {}) }),
    eventId,
    redis,
    settings,
    seats: { total: 0, available: 0, reserved: 0 },
    progress: null,
    tokens,
    now: () => now,
    pass: (ms) => void (now += ms),
    async set(wanted) {
      Object.assign(settings, wanted, { version: settings.version + 1 })
      await test.line.ensure(settings)
      await test.line.push(settings)
    },
    draw: (fence) => driveDraw({ ...draws.parts, line: test.line, redis }, settings, fence),
    async tick(owner = 'one') {
      const ticked = await tickRoom(test.line, eventId, owner, test.seats)
      if (!ticked.drawDue || (await test.draw(ticked.drawDue)) !== 'drawn') return ticked
      return tickRoom(test.line, eventId, owner, test.seats)
    },
    async save() {
      const { epoch, arrivals, serving } = (await test.line.look(eventId))!
      test.progress = { epoch, arrivals, serving }
    },
  }
  await test.line.ensure(settings)
  return test
}

/** Joins over a socket of the account's own name; throws when refused. */
export async function enter(test: TestLine, accountId: string, ticket?: string) {
  const move = await test.line.join(test.eventId, accountId, {
    socket: accountId,
    ...(ticket ? { ticket } : {}),
  })
  if (!move.ok) throw new Error(`refused: ${move.refusal}`)
  return move.entrant
}
