// Owns what one server says of itself to every line it serves: that it is there, and what it remembers of the line. A
// server nobody hears of has its people's grace started; a line that knows less than a server remembers was lost.
import type { RedisClient } from '../../db/redis.ts'
import { roomKey } from './keys.ts'
import { LineMemory, type ToldPass } from './memory.ts'
import type { RoomNews } from './feed.ts'
import type { RoomClock } from './room-clock.ts'
import { runScript, type ScriptAnswer } from './scripts.ts'
import { MISSING_AFTER_MS } from './tick.ts'

const ATTEND_EVERY_MS = 1_000
/** Passes of one answer, and of one return. */
const PASSES_AT_ONCE = 2_000
/** Admission is held so long after a loss even when every pass is known: whoever was connected comes back meanwhile. */
const RETURN_MS = 15_000
/** A line without sockets here is remembered so long after the last live pass or number. */
const REMEMBER_MS = 120_000
/** News may be lost, and a pass taken for live that is not: when the counts differ all are read again, no more often. */
const READ_ALL_EVERY_MS = 10_000

export interface AttendanceParts {
  redis: RedisClient
  clock: RoomClock
  /** A name no other process has, without a dot. */
  server: string
  /** Starts a line that Redis does not know. */
  revive(eventId: string): Promise<void>
  /** What the line announces; the returned function stops. */
  listen(eventId: string, heard: (news: RoomNews) => void): () => void
  /** How often it speaks by itself. */
  everyMs?: number
}

interface Attended {
  memory: LineMemory
  /** Called when the line had given this server up: its sockets must be named again. Null without sockets here. */
  missed: (() => void) | null
  /** Redis' time of the last word, ms; 0 = none yet in this epoch. */
  saidAt: number
  saying: Promise<void> | null
  usedAt: number
  /** Room time of the last reading of all live passes, ms. */
  readAllAt: number
  stop: () => void
}

export type Attendance = ReturnType<typeof createAttendance>

export function createAttendance({
  redis,
  clock,
  server,
  revive,
  listen,
  everyMs = ATTEND_EVERY_MS,
}: AttendanceParts) {
  const rooms = new Map<string, Attended>()

  function roomOf(eventId: string): Attended {
    let room = rooms.get(eventId)
    if (!room) {
      const memory = new LineMemory()
      const stop = listen(eventId, (news) => {
        if (news.kind === 'ended') for (const account of news.accounts) memory.over(account, clock.now())
      })
      room = { memory, missed: null, saidAt: 0, saying: null, usedAt: 0, readAllAt: 0, stop }
      rooms.set(eventId, room)
      void say(eventId, room)
    }
    room.usedAt = Date.now()
    return room
  }

  /** Once at a time; resolves also when Redis is away: the next second says it again. */
  function say(eventId: string, room: Attended): Promise<void> {
    room.saying ??= sayAndRead(eventId, room)
      .catch(() => {})
      .finally(() => (room.saying = null))
    return room.saying
  }

  async function sayAndRead(eventId: string, room: Attended): Promise<void> {
    const { memory } = room
    const known = memory.epoch
    const readAll = !memory.complete
    const since = clock.now()
    const passes: ToldPass[] = []
    let from = readAll ? 0 : memory.latestEnd
    for (let skip = 0; ;) {
      const answer = await runScript(redis, 'attend', eventId, clock.now(), [
        room.missed ? server : '',
        known,
        memory.arrivals,
        memory.serving,
        memory.admitted,
        from,
        skip,
        PASSES_AT_ONCE,
      ])
      if (answer[0] !== 'attended') return void (await revive(eventId))
      if (Number(answer[2]) !== memory.epoch && memory.epoch > 0 && !(await giveBack(eventId, memory))) return
      if (passes.length === 0) hear(room, answer)
      const { told, live } = memory.attended(answer, clock.now())
      passes.push(...told)
      if (told.length < PASSES_AT_ONCE) {
        if (readAll) {
          memory.whole(passes, since, clock.now())
          room.readAllAt = since
        } else if (live !== memory.livePasses && since - room.readAllAt > READ_ALL_EVERY_MS)
          memory.complete = false
        return
      }
      // Passes end in order and may end meanwhile: the next part begins where this one did, not after so many.
      from = passes.at(-1)!.endsAt
      skip = passes.filter(({ endsAt }) => endsAt === from).length
    }
  }

  /** Finds out whether the line had given this server up since its last word. */
  function hear(room: Attended, [, seen, epoch]: ScriptAnswer): void {
    const before = Number(epoch) === room.memory.epoch ? room.saidAt : 0
    room.saidAt = clock.now()
    const givenUp = seen === '' ? before > 0 : room.saidAt - Number(seen) > MISSING_AFTER_MS
    if (givenUp) room.missed?.()
  }

  /** False when the new epoch cannot take passes yet; the next second tries again. */
  async function giveBack(eventId: string, memory: LineMemory): Promise<boolean> {
    const passes = memory.toReturn(clock.now())
    for (let at = 0; at === 0 || at < passes.length; at += PASSES_AT_ONCE) {
      const last = at + PASSES_AT_ONCE >= passes.length
      const part = passes.slice(at, at + PASSES_AT_ONCE).flat()
      const complete = last && memory.complete ? '1' : ''
      const [word] = await runScript(redis, 'return-passes', eventId, clock.now(), [
        memory.epoch,
        RETURN_MS,
        complete,
        ...part,
      ])
      if (word === 'unknown' || word === 'early') return false
    }
    return true
  }

  const timer = setInterval(() => {
    for (const [eventId, room] of rooms) {
      const idle =
        room.missed === null && room.memory.livePasses === 0 && Date.now() - room.usedAt > REMEMBER_MS
      if (!idle) void say(eventId, room)
      else {
        rooms.delete(eventId)
        room.stop()
      }
    }
  }, everyMs)
  const attendAll = () => {
    for (const [eventId, room] of rooms) void say(eventId, room)
  }
  redis.on('ready', attendAll)

  return {
    /** Sockets of this room are here from now on; the returned function says that the last one has gone. */
    enter(eventId: string, missed: () => void): () => void {
      const room = roomOf(eventId)
      room.missed = missed
      room.saidAt = 0
      void say(eventId, room)
      return () => {
        room.missed = null
        room.usedAt = Date.now()
        redis.zrem(roomKey(eventId, 'servers'), server).catch(() => {
          // Redis is away: the server is missed later, and finds nobody's grace to start.
        })
      }
    },
    numbered: (eventId: string, epoch: number, number: number) =>
      roomOf(eventId).memory.numbered(epoch, number),
    issued(
      eventId: string,
      accountId: string,
      pass: { epoch: number; number: number; endsAt: number },
    ): void {
      roomOf(eventId).memory.issued(accountId, { ...pass, issuedAt: clock.now() })
    },
    /** Says and reads at once what is otherwise said and read each second. */
    async say(eventId: string): Promise<void> {
      const room = rooms.get(eventId)
      if (room) await say(eventId, room)
    },
    /** The place or pass of an account was given up here. */
    over(eventId: string, accountId: string): void {
      rooms.get(eventId)?.memory.over(accountId, clock.now())
    },
    stop(): void {
      clearInterval(timer)
      for (const room of rooms.values()) room.stop()
      rooms.clear()
      redis.off('ready', attendAll)
    },
  }
}
