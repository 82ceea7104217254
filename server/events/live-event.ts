// Owns how one event's seats are kept current: loaded from Postgres once, moved by the feed, reloaded after a gap.
import type { Ledger } from '../../db/client.ts'
import { findEventRow, type EventRow } from '../../db/events.ts'
import type { RedisClient } from '../../db/redis.ts'
import { readAvailability } from '../../db/seats.ts'
import { RELOAD, readFeedVersion } from '../../db/seat-gate/announce-reload.ts'
import { parseSeatFeed, seatFeedChannel, type SeatFeed } from '../../db/seat-gate/feed.ts'
import type { Channels } from '../channels.ts'
import type { ResyncFrame, SeatsFrame } from '../protocol/socket.ts'
import { SeatMemory } from './seat-memory.ts'

export interface Sources {
  ledger: Pick<Ledger, 'db'>
  channels: Channels
  redis: RedisClient
}

/** Gets each frame with its JSON, made once for all watchers. */
export type SeatSink = (frame: SeatsFrame | ResyncFrame, text: string) => void

/** Changes are collected this long before they are told: the contract's 100–250 ms. */
const COALESCE_MS = 150
/** A frame of more changes would be longer than the answer it saves asking for. */
const FRAME_CHANGES_MAX = 1_000
const RELOAD_RETRY_MS = 1_000
/** Reads in a row that may find the feed already ahead of them, before the next waits a while. */
const RELOADS_IN_A_ROW = 3

export class LiveEvent {
  #event: EventRow | null = null
  #memory: SeatMemory | null = null
  #loading: Promise<void> | null = null
  /** Heard while Postgres is being read; null otherwise. */
  #heard: SeatFeed[] | null = null
  #watchers = new Set<SeatSink>()
  #untold = new Map<number, number>()
  #tellTimer: ReturnType<typeof setTimeout> | null = null
  #retryTimer: ReturnType<typeof setTimeout> | null = null
  #stopListening: () => void
  #closed = false

  constructor(
    readonly eventId: string,
    private readonly sources: Sources,
  ) {
    this.#stopListening = sources.channels.listen(seatFeedChannel(eventId), (message) => this.#hear(message))
  }

  /** The event's row as of the last load, and its seats; null when there is no such event. Throws when neither is known. */
  async ready(): Promise<{ event: EventRow; memory: SeatMemory } | null> {
    if (!this.#memory) await this.reload()
    return this.#event && this.#memory ? { event: this.#event, memory: this.#memory } : null
  }

  /** What is in memory at this moment; null while the first load is under way. */
  peek(): { event: EventRow; memory: SeatMemory } | null {
    return this.#event && this.#memory ? { event: this.#event, memory: this.#memory } : null
  }

  get watched(): boolean {
    return this.#watchers.size > 0
  }

  /** Reads Postgres again; requests meanwhile share the one read. A failure keeps the old state and is thrown. */
  reload(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = null
      this.#heard = null
    })
    return this.#loading
  }

  /** As reload, for a change made just now: a read already under way may have come too early to see it. */
  async reloadAfresh(): Promise<void> {
    await this.#loading?.catch(() => {})
    await this.reload()
  }

  /** As reload, in the background, until it succeeds. */
  reloadSoon(): void {
    if (this.#closed) return
    this.reload().catch(() => this.#retryLater())
  }

  /** Streams changes from `version` on; a version that cannot be replayed gets `resync`. Returns how to stop. */
  watch(version: number | undefined, sink: SeatSink): () => void {
    const start = (memory: SeatMemory) => {
      const missed = version === undefined ? null : memory.since(version)
      if (!missed || missed.size > FRAME_CHANGES_MAX)
        tell([sink], { type: 'resync', version: memory.version })
      else if (missed.size > 0) tell([sink], { type: 'seats', version: memory.version, changes: [...missed] })
      this.#watchers.add(sink)
    }
    let stopped = false
    if (this.#memory) start(this.#memory)
    else
      this.ready()
        .then((known) => {
          if (known && !stopped) start(known.memory)
        })
        // Nothing is known yet: the first load that succeeds tells this watcher to fetch.
        .catch(() => {
          if (!stopped) this.#watchers.add(sink)
          this.#retryLater()
        })
    return () => {
      stopped = true
      this.#watchers.delete(sink)
    }
  }

  close(): void {
    this.#closed = true
    this.#stopListening()
    if (this.#tellTimer) clearTimeout(this.#tellTimer)
    if (this.#retryTimer) clearTimeout(this.#retryTimer)
    this.#watchers.clear()
  }

  /**
   * The feed's version is read before Postgres, and each change is committed before it is announced: what Postgres
   * shows is therefore at least as new as that version, and every later announcement is heard and put on top.
   */
  async #load(): Promise<void> {
    for (let attempt = 0; attempt < RELOADS_IN_A_ROW; attempt++) {
      this.#heard = []
      await this.sources.channels.listening(seatFeedChannel(this.eventId))
      const version = await readFeedVersion(this.sources.redis, this.eventId).catch(() => 0)
      const { db } = this.sources.ledger
      const [event, read] = await Promise.all([
        findEventRow(db, this.eventId),
        readAvailability(db, this.eventId),
      ])
      this.#event = event
      this.#take(event && read ? new SeatMemory(read.codes, version) : null)
      const complete = !this.#memory || this.#catchUp(this.#memory, this.#heard)
      if (complete) return
    }
    this.#retryLater()
  }

  /** A reload that found nothing new keeps what there was, with its replay, and tells nobody. */
  #take(memory: SeatMemory | null): void {
    if (memory && this.#memory && memory.isSameAs(this.#memory)) return
    this.#memory = memory
    this.#untold.clear()
    if (memory) tell(this.#watchers, { type: 'resync', version: memory.version })
  }

  /** False when something is missing between what was read and what was heard. */
  #catchUp(memory: SeatMemory, heard: SeatFeed[]): boolean {
    const later = heard.filter((feed) => feed.version > memory.version)
    return later.every((feed) => feed.previous !== RELOAD && memory.apply(feed) !== 'gap')
  }

  #hear(message: string): void {
    const feed = parseSeatFeed(message)
    if (!feed) return
    if (this.#heard) this.#heard.push(feed)
    else if (this.#memory) this.#follow(this.#memory, feed)
  }

  #follow(memory: SeatMemory, feed: SeatFeed): void {
    const outcome = memory.apply(feed)
    if (outcome === 'gap') this.reloadSoon()
    if (outcome !== 'applied' || this.#watchers.size === 0) return
    for (const [n, code] of feed.changes) this.#untold.set(n, code)
    this.#tellTimer ??= setTimeout(() => this.#tellChanges(), COALESCE_MS)
  }

  #tellChanges(): void {
    this.#tellTimer = null
    const changes = [...this.#untold]
    this.#untold.clear()
    if (!this.#memory || changes.length === 0) return
    const { version } = this.#memory
    if (changes.length > FRAME_CHANGES_MAX) tell(this.#watchers, { type: 'resync', version })
    else tell(this.#watchers, { type: 'seats', version, changes })
  }

  #retryLater(): void {
    if (this.#closed) return
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = null
      this.reloadSoon()
    }, RELOAD_RETRY_MS)
  }
}

function tell(watchers: Iterable<SeatSink>, frame: SeatsFrame | ResyncFrame): void {
  const text = JSON.stringify(frame)
  for (const watcher of watchers) watcher(frame, text)
}
