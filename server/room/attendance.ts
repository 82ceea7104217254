// Owns what one server says of itself to every line it serves: that it is there, and what it remembers of the line. A
// server nobody hears of has its people's grace started; a line that knows less than a server remembers was lost.
import type { RedisClient } from '../../db/redis.ts'
import { roomKey } from './keys.ts'
import { LineMemory } from './memory.ts'
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

export interface AttendanceParts {
  redis: RedisClient
  clock: RoomClock
  /** A name no other process has, without a dot. */
  server: string
  /** Starts a line that Redis does not know. */
  revive(eventId: string): Promise<void>
}

interface Attended {
  memory: LineMemory
  /** Called when the line had given this server up: its sockets must be named again. Null without sockets here. */
  missed: (() => void) | null
  /** Redis' time of the last word, ms; 0 = none yet in this epoch. */
  saidAt: number
  busy: boolean
  usedAt: number
}

export type Attendance = ReturnType<typeof createAttendance>

export function createAttendance({ redis, clock, server, revive }: AttendanceParts) {
  const rooms = new Map<string, Attended>()

  function roomOf(eventId: string): Attended {
    let room = rooms.get(eventId)
    if (!room) {
      room = { memory: new LineMemory(), missed: null, saidAt: 0, busy: false, usedAt: 0 }
      rooms.set(eventId, room)
      void attend(eventId, room)
    }
    room.usedAt = Date.now()
    return room
  }

  async function attend(eventId: string, room: Attended): Promise<void> {
    if (room.busy) return
    room.busy = true
    try {
      await sayAndRead(eventId, room)
    } catch {
      // Redis is away; the next second says it again.
    }
    room.busy = false
  }

  async function sayAndRead(eventId: string, room: Attended): Promise<void> {
    const { memory } = room
    const known = memory.epoch
    const whole = !memory.complete
    for (let skip = 0; ;) {
      const from = whole ? 0 : memory.latestEnd
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
      if (Number(answer[2]) !== memory.epoch && memory.epoch > 0) await giveBack(eventId, memory)
      if (skip === 0) hear(room, answer)
      const told = memory.attended(answer, clock.now())
      if (told < PASSES_AT_ONCE) break
      skip += told
    }
    if (whole) memory.complete = true
  }

  /** Finds out whether the line had given this server up since its last word. */
  function hear(room: Attended, [, seen, epoch]: ScriptAnswer): void {
    const before = Number(epoch) === room.memory.epoch ? room.saidAt : 0
    room.saidAt = clock.now()
    const givenUp = seen === '' ? before > 0 : room.saidAt - Number(seen) > MISSING_AFTER_MS
    if (givenUp) room.missed?.()
  }

  async function giveBack(eventId: string, memory: LineMemory): Promise<void> {
    const passes = memory.toReturn(clock.now())
    for (let at = 0; at === 0 || at < passes.length; at += PASSES_AT_ONCE) {
      const last = at + PASSES_AT_ONCE >= passes.length
      const part = passes.slice(at, at + PASSES_AT_ONCE).flat()
      const complete = last && memory.complete ? '1' : ''
      await runScript(redis, 'return-passes', eventId, clock.now(), [
        memory.epoch,
        RETURN_MS,
        complete,
        ...part,
      ])
    }
  }

  const timer = setInterval(() => {
    for (const [eventId, room] of rooms) {
      const idle =
        room.missed === null && room.memory.livePasses === 0 && Date.now() - room.usedAt > REMEMBER_MS
      if (idle) rooms.delete(eventId)
      else void attend(eventId, room)
    }
  }, ATTEND_EVERY_MS)
  const attendAll = () => {
    for (const [eventId, room] of rooms) void attend(eventId, room)
  }
  redis.on('ready', attendAll)

  return {
    /** Sockets of this room are here from now on; the returned function says that the last one has gone. */
    enter(eventId: string, missed: () => void): () => void {
      const room = roomOf(eventId)
      room.missed = missed
      room.saidAt = 0
      void attend(eventId, room)
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
    over(eventId: string, accountIds: string[]): void {
      const room = rooms.get(eventId)
      if (room) for (const accountId of accountIds) room.memory.over(accountId)
    },
    stop(): void {
      clearInterval(timer)
      redis.off('ready', attendAll)
    },
  }
}
