// Owns what one server knows of the rooms somebody here looks at: what Redis announces, and a look each second that
// heals whatever announcement was lost.
import type { Channels } from '../channels.ts'
import type { EndedReason } from '../protocol/codes.ts'
import type { RoomSnapshot } from './entrant.ts'
import { roomFeedChannel } from './keys.ts'
import type { Line } from './room.ts'

/** What the scripts announce. */
export type RoomNews =
  | { kind: 'called'; from: number; to: number; alone: string[]; claimBefore: number; doorSeconds: number }
  | { kind: 'admitted'; accounts: string[] }
  | { kind: 'ended'; accounts: string[]; reason: EndedReason }
  | { kind: 'replaced'; account: string; socket: string }
  | { kind: 'missed' }
  | { kind: 'drawn' }
  | { kind: 'changed' }

export interface RoomFollower {
  news(news: RoomNews): void
  snapshot(snapshot: RoomSnapshot): void
}

const LOOK_EVERY_MS = 1_000
/** After an announcement the line is looked at again, but not more often than this. */
const LOOK_AGAIN_MS = 200
/** A question over HTTP may be answered with what was true this long ago. */
const VIEW_AGE_MS = 500
const VIEWS_KEPT = 2_000

export function createFeed({ line, channels }: { line: Line; channels: Channels }) {
  const followed = new Map<string, Followed>()
  const views = new Map<string, { at: number; snapshot: Promise<RoomSnapshot | null> }>()

  function look(eventId: string): Promise<RoomSnapshot | null> {
    const snapshot = line.look(eventId)
    views.delete(eventId)
    if (views.size >= VIEWS_KEPT) views.delete(views.keys().next().value!)
    views.set(eventId, { at: Date.now(), snapshot })
    snapshot.catch(() => views.delete(eventId))
    return snapshot
  }

  async function refresh(room: Followed): Promise<void> {
    if (room.looking) return void (room.again = true)
    room.looking = true
    try {
      const snapshot = await look(room.eventId)
      room.lookedAt = Date.now()
      if (snapshot) for (const follower of room.followers) follower.snapshot(snapshot)
    } catch {
      // Redis or Postgres is away; the next second looks again.
    }
    room.looking = false
    if (room.again) soon(room)
  }

  function soon(room: Followed): void {
    room.again = false
    if (room.soon) return
    const wait = Math.max(0, room.lookedAt + LOOK_AGAIN_MS - Date.now())
    room.soon = setTimeout(() => {
      room.soon = null
      if (followed.get(room.eventId) === room) void refresh(room)
    }, wait)
  }

  const timer = setInterval(() => {
    for (const room of followed.values())
      if (Date.now() - room.lookedAt >= LOOK_EVERY_MS - LOOK_AGAIN_MS) void refresh(room)
  }, LOOK_EVERY_MS)
  const forgetReconnects = channels.onReconnect(() => {
    for (const room of followed.values()) void refresh(room)
  })

  return {
    /** The line as it is, at most half a second ago; null when there is no such event. */
    view(eventId: string): Promise<RoomSnapshot | null> {
      const known = views.get(eventId)
      return known && Date.now() - known.at < VIEW_AGE_MS ? known.snapshot : look(eventId)
    },
    /** Forgets what is known, after a change made here. */
    changed(eventId: string): void {
      views.delete(eventId)
      const room = followed.get(eventId)
      if (room) soon(room)
    },
    /** Tells of everything that moves from now on, a first snapshot soon included; the returned function stops. */
    follow(eventId: string, follower: RoomFollower): () => void {
      let room = followed.get(eventId)
      if (!room) {
        const added: Followed = {
          eventId,
          followers: new Set(),
          stop: () => {},
          lookedAt: 0,
          looking: false,
          again: false,
          soon: null,
        }
        followed.set(eventId, (room = added))
        room.stop = channels.listen(roomFeedChannel(eventId), (message) => {
          const news = parseNews(message)
          if (!news) return
          if (news.kind !== 'replaced') views.delete(eventId)
          for (const each of added.followers) each.news(news)
          if (news.kind !== 'replaced') soon(added)
        })
      }
      room.followers.add(follower)
      soon(room)
      return () => {
        room.followers.delete(follower)
        if (room.followers.size > 0 || followed.get(eventId) !== room) return
        followed.delete(eventId)
        if (room.soon) clearTimeout(room.soon)
        room.stop()
      }
    },
    close(): void {
      clearInterval(timer)
      forgetReconnects()
      for (const room of followed.values()) {
        if (room.soon) clearTimeout(room.soon)
        room.stop()
      }
      followed.clear()
    },
  }
}

interface Followed {
  eventId: string
  followers: Set<RoomFollower>
  stop: () => void
  lookedAt: number
  looking: boolean
  again: boolean
  soon: Timer | null
}

/** Null when it is none of ours. */
export function parseNews(message: string): RoomNews | null {
  try {
    const news = JSON.parse(message) as RoomNews
    // Lua writes an empty list as {}.
    if (news.kind === 'called' && !Array.isArray(news.alone)) news.alone = []
    return news
  } catch {
    return null
  }
}
