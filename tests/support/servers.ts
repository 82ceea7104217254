// Owns several servers of one line, each with its own memory of it: one may stand still, hear the news late, or die.
import type Redis from 'ioredis'
import { roomFeedChannel, roomKey } from '../../server/room/keys.ts'
import { createAttendance, type Attendance } from '../../server/room/attendance.ts'
import { parseNews, type RoomNews } from '../../server/room/feed.ts'
import type { Entrant } from '../../server/room/entrant.ts'
import type { Line } from '../../server/room/room.ts'
import type { RoomSettings } from '../../db/rooms.ts'
import type { TestLine } from './line.ts'

/** Nobody speaks but when the test says so. */
const NEVER_MS = 2 ** 31 - 1
const BARRIER = '#'

interface Server {
  line: Line
  attendance: Attendance
  heard: Set<(news: RoomNews) => void>
  /** What was announced while it stood still; null when it runs. */
  missed: RoomNews[] | null
}
type Move = { ok: true; entrant: Entrant } | { ok: false }

export type Servers = Awaited<ReturnType<typeof openServers>>

/** `lines.make` makes the line; `count` servers of it, all of them running. */
export async function openServers(
  lines: { make(change: Partial<RoomSettings>): Promise<TestLine> },
  count: number,
  change: Partial<RoomSettings>,
) {
  const made = await lines.make(change)
  const { eventId, redis } = made
  const channel = roomFeedChannel(eventId)
  const ear = (redis as Redis).duplicate({ enableOfflineQueue: true })
  let atBarrier: (() => void) | null = null
  ear.on('message', (_channel: string, message: string) => {
    if (message === BARRIER) return atBarrier?.()
    const news = parseNews(message)!
    for (const server of servers) {
      if (server.missed) server.missed.push(news)
      else for (const heard of server.heard) heard(news)
    }
  })
  await ear.subscribe(channel)

  function start(): Server {
    const heard: Server['heard'] = new Set()
    const attendance = createAttendance({
      redis,
      clock: { now: made.now },
      server: `server${Math.random().toString(36).slice(2)}`,
      revive: () => made.line.ensure(made.settings),
      listen: (_id, each) => {
        heard.add(each)
        return () => heard.delete(each)
      },
      everyMs: NEVER_MS,
    })
    return { line: made.server(attendance), attendance, heard, missed: null }
  }
  const servers = Array.from({ length: count }, start)

  /** Until every announcement made so far was heard. */
  async function heardAll(): Promise<void> {
    const reached = new Promise<void>((resolve) => (atBarrier = resolve))
    await redis.publish(channel, BARRIER)
    await reached
  }
  const moved = async (move: Promise<Move>): Promise<Entrant | null> => {
    const answer = await move
    await heardAll()
    return answer.ok ? answer.entrant : null
  }

  return {
    ...made,
    /** The live passes. */
    active: () => redis.zrangebyscore(roomKey(eventId, 'active'), `(${made.now()}`, '+inf'),
    join: (at: number, who: string, ticket?: string) =>
      moved(servers[at]!.line.join(eventId, who, ticket ? { ticket } : {})),
    /** Claims, and hands the pass out when there is one. */
    async claim(at: number, who: string) {
      const { line } = servers[at]!
      const entrant = await moved(line.claim(eventId, who))
      if (entrant?.state === 'admitted') line.signPass(eventId, entrant)
      return entrant
    },
    leave: (at: number, who: string) => moved(servers[at]!.line.leave(eventId, who)),
    stands: (at: number) => servers[at]!.missed !== null,
    freeze: (at: number) => void (servers[at]!.missed ??= []),
    /** Goes on; it hears now what it missed, or never. */
    thaw(at: number, { deaf = false } = {}) {
      const server = servers[at]!
      const missed = server.missed ?? []
      server.missed = null
      if (!deaf) for (const news of missed) for (const heard of server.heard) heard(news)
    },
    /** Another one, which knows nothing, is started in its place. */
    kill(at: number) {
      servers[at]!.attendance.stop()
      servers[at] = start()
    },
    /** One server says and reads what it does each second. */
    async say(at: number) {
      await servers[at]!.attendance.say(eventId)
      await heardAll()
    },
    /** One second: every server that runs speaks, the first of them ticks. */
    async second() {
      made.pass(1_000)
      for (const { attendance, missed } of servers) if (!missed) await attendance.say(eventId)
      await made.tick()
      await made.save()
      await heardAll()
    },
    async empty() {
      await redis.flushdb()
    },
    async close() {
      for (const { attendance } of servers) attendance.stop()
      await ear.quit()
    },
  }
}
