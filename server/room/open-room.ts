// Opens the rooms of one server process: the line, its clock and its feed, wired to the ledger and the seats.
import { closeDrawList, fixDrawRoot, fixDrawSeed, prepareDraw, readDrawLeaves } from '../../db/draws.ts'
import { hasPriority } from '../../db/priority.ts'
import {
  findRoom,
  findRoomProgress,
  listActiveRooms,
  saveRoomProgress,
  startRoomEpoch,
} from '../../db/rooms.ts'
import { saveSteps } from '../../db/steps.ts'
import type { Db, Ledger } from '../../db/client.ts'
import type { RedisClient } from '../../db/redis.ts'
import type { Channels } from '../channels.ts'
import type { Availability } from '../events/availability.ts'
import type { Log } from '../log.ts'
import type { Telemetry } from '../telemetry.ts'
import type { Tokens } from '../tokens.ts'
import { createChallenges } from './challenge.ts'
import { createAttendance } from './attendance.ts'
import { reportBookingHealth } from './booking-health.ts'
import type { Beacon } from './beacon.ts'
import { startClock } from './clock.ts'
import { driveDraw, type DrawKeeper } from './draw.ts'
import { createDraws } from './draws.ts'
import { createFeed, parseNews } from './feed.ts'
import { roomFeedChannel } from './keys.ts'
import { checkPass, type PassVerdict } from './pass.ts'
import { followRedisClock } from './room-clock.ts'
import { createLine, type Move, type SeatCounts } from './room.ts'
import { createOwedLeaves } from './owed-leaves.ts'
import { createTurns } from './turns.ts'

/** Kept in the record of everybody connected: short, and never given twice in the life of a room. */
const SERVER_NAME_BYTES = 6

interface Parts {
  ledger: Ledger
  redis: RedisClient
  channels: Channels
  tokens: Tokens
  /** Shared by all servers. */
  /** The first signs; the others are believed as well. */
  secrets: readonly string[]
  availability: Pick<Availability, 'counts'>
  telemetry: Pick<
    Telemetry,
    'roomAdmitted' | 'roomNoShow' | 'roomForecast' | 'roomCounted' | 'roomTicked' | 'roomForgotten'
  >
  log: Log
  /** Null: draws are made without one. */
  beacon: Beacon | null
}

export type Room = ReturnType<typeof openRoom>

export function openRoom({
  ledger,
  redis,
  channels,
  tokens,
  secrets,
  availability,
  telemetry,
  log,
  beacon,
}: Parts) {
  const redisClock = followRedisClock(redis)
  const loadSettings = (eventId: string) => findRoom(ledger.db, eventId)
  const draws = createDraws({ keeper: drawKeeper(ledger.db), beacon, now: Date.now })
  const seats = (eventId: string): Promise<SeatCounts | null> =>
    availability.counts(eventId).then(
      ([available, reserved, sold, blocked]) => ({
        total: available + reserved + sold + blocked,
        available,
        reserved,
      }),
      () => null,
    )
  const server = newServerName()
  const attendance = createAttendance({
    redis,
    clock: redisClock,
    server,
    async revive(eventId) {
      const settings = await loadSettings(eventId)
      if (settings?.enabled) await line.ensure(settings)
    },
    listen: (eventId, heard) =>
      channels.listen(roomFeedChannel(eventId), (message) => {
        const news = parseNews(message)
        if (news) heard(news)
      }),
  })
  const line = createLine({
    redis,
    clock: redisClock,
    tokens,
    loadSettings,
    findProgress: (eventId) => findRoomProgress(ledger.db, eventId),
    witness: attendance,
    startEpoch: (eventId, gap) => startRoomEpoch(ledger.db, eventId, gap),
    seats,
    draws,
    admitted: telemetry.roomAdmitted,
  })
  const owedLeaves = createOwedLeaves(line, (eventId, accountId) => attendance.over(eventId, accountId))
  const bookings = reportBookingHealth(line, server)
  const feed = createFeed({ line, channels })
  const clock = startClock({
    line,
    redis,
    log,
    owner: Bun.randomUUIDv7(),
    listRooms: () => listActiveRooms(ledger.db),
    loadSettings,
    saveProgress: (eventId, progress) => saveRoomProgress(ledger.db, eventId, progress),
    saveSteps: (eventId, steps) => saveSteps(ledger.db, eventId, steps),
    seats,
    noShows: telemetry.roomNoShow,
    forecast: telemetry.roomForecast,
    draw: (settings, fence) => driveDraw({ ...draws.parts, line, redis }, settings, fence),
    counted: telemetry.roomCounted,
    ticked: telemetry.roomTicked,
    forgotten: telemetry.roomForgotten,
  })
  const view = feed.view
  const challenges = createChallenges({ redis, secrets, now: redisClock.now })

  /** Asked only where priority has a share. A ledger that does not answer costs nobody the place, only the priority. */
  const priorityOf = async (eventId: string, accountId: string): Promise<boolean> => {
    const snapshot = await view(eventId)
    if (!snapshot?.enabled || snapshot.priorityShare === 0) return false
    return hasPriority(ledger.db, eventId, accountId).catch(() => false)
  }

  return {
    ...line,
    /** Tells the line how an attempt to reserve seats went; of an event without a room nobody asks. */
    bookingAttempted: bookings.attempted,
    ...createTurns({ line, challenges, view }),
    challenges,
    draws,
    feed,
    view,
    /** What the names of this server's sockets begin with. */
    server,
    /**
     * Sockets of this room are here from now on: the line hears of this server until the returned function is called.
     * `missed` is called when it had been given up meanwhile, and every socket must say its name again.
     */
    attend: (eventId: string, missed: () => void): (() => void) => attendance.enter(eventId, missed),
    /** As the line's, with the priority the account has. */
    join: async (
      eventId: string,
      accountId: string,
      options: { ticket?: string; socket?: string } = {},
    ): Promise<Move> => {
      owedLeaves.forget(eventId, accountId)
      return line.join(eventId, accountId, { ...options, priority: await priorityOf(eventId, accountId) })
    },
    /** Gives up a place as soon as Redis can be told. */
    oweLeave: owedLeaves.owe,
    /** Takes the settings as they now are in Postgres, and lets every server know. */
    async configure(eventId: string): Promise<void> {
      const settings = await loadSettings(eventId)
      if (!settings) return
      if (settings.enabled) await line.ensure(settings)
      await line.push(settings)
      feed.changed(eventId)
    },
    /** `pass` is what X-Admission-Pass said. */
    requirePass: (
      accountId: string,
      eventId: string,
      pass: string | null | undefined,
    ): Promise<PassVerdict> =>
      checkPass({ redis, clock: redisClock, tokens, view, loadSettings }, { accountId, eventId, pass }),
    async close(): Promise<void> {
      await clock.stop()
      bookings.close()
      owedLeaves.close()
      attendance.stop()
      feed.close()
      redisClock.stop()
    },
  }
}

function newServerName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SERVER_NAME_BYTES))
  return bytes.reduce((number, byte) => number * 256 + byte, 0).toString(36)
}

const drawKeeper = (db: Db): DrawKeeper => ({
  prepare: (eventId) => prepareDraw(db, eventId),
  close: (eventId, list) => closeDrawList(db, eventId, list),
  fix: (eventId, list) => fixDrawRoot(db, eventId, list),
  seal: (eventId, of) => fixDrawSeed(db, eventId, of),
  leaves: (eventId, from, to) => readDrawLeaves(db, eventId, from, to),
})
