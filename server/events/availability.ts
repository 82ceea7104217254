// Owns availability in memory: which events are kept, for how long, and what the rest of the server may ask of them.
import { listEventRows, type EventRow } from '../../db/events.ts'
import { announceReload } from '../../db/seat-gate/announce-reload.ts'
import { Refusal } from '../errors.ts'
import type { AvailabilityView } from '../protocol/http.ts'
import { LiveEvent, type SeatSink, type Sources } from './live-event.ts'
import type { Counts, SeatMemory } from './seat-memory.ts'

export type { SeatSink } from './live-event.ts'

/** 50 KB each at the most; a server that sells more events at once than this reads the coldest again. */
const EVENTS_IN_MEMORY = 500
/** Loads at once when many events must be read again. */
const LOADS_AT_ONCE = 4
/** An announcement that was lost (new seats, published, cancelled) is noticed after this long. */
const CHECK_EVERY_MS = 10_000

export interface Known {
  event: EventRow
  memory: SeatMemory
}

export type Availability = ReturnType<typeof createAvailability>

export function createAvailability(sources: Sources) {
  const live = new Map<string, LiveEvent>()

  /** Most recently used last; what is watched stays. */
  function touch(eventId: string): LiveEvent {
    const one = live.get(eventId) ?? new LiveEvent(eventId, sources)
    live.delete(eventId)
    live.set(eventId, one)
    for (const [id, oldest] of live) {
      if (live.size <= EVENTS_IN_MEMORY) break
      if (!oldest.watched && id !== eventId) drop(id, oldest)
    }
    return one
  }

  function drop(eventId: string, one: LiveEvent): void {
    one.close()
    if (live.get(eventId) === one) live.delete(eventId)
  }

  /** Null when there is no such event; loads it first when it is not in memory. */
  async function find(eventId: string): Promise<Known | null> {
    const one = touch(eventId)
    try {
      const known = await one.ready()
      if (!known) drop(eventId, one)
      return known
    } catch (fault) {
      if (!one.peek()) drop(eventId, one)
      throw fault
    }
  }

  async function get(eventId: string): Promise<SeatMemory> {
    const known = await find(eventId)
    if (!known) throw new Refusal('not_found')
    return known.memory
  }

  const forgetReconnect = sources.channels.onReconnect(() => void reloadAll([...live.values()]))
  const checking = setInterval(() => void checkEvents().catch(() => {}), CHECK_EVERY_MS)

  /** Compares what is known of the loaded events with Postgres, in one query for all of them. */
  async function checkEvents(): Promise<void> {
    const loaded = [...live.values()].filter((one) => one.peek())
    if (loaded.length === 0) return
    const ids = loaded.map((one) => one.eventId)
    const rows = await listEventRows(sources.ledger.db, ids)
    const updatedAt = new Map(rows.map((row) => [row.id, row.updatedAt.getTime()]))
    const stale = loaded.filter((one) => one.peek()?.event.updatedAt.getTime() !== updatedAt.get(one.eventId))
    await reloadAll(stale)
  }

  return {
    find,

    /** What is in memory of an event now, without reading anything. */
    peek: (eventId: string): Known | null => live.get(eventId)?.peek() ?? null,

    /** Loads events in the background, so that the next question finds them. */
    warm: (eventIds: string[]): void => void reloadAll(eventIds.map(touch).filter((one) => !one.peek())),

    /** As the contract's availability. Throws `not_found`. */
    async packed(eventId: string): Promise<AvailabilityView> {
      const { version, total, packed } = await get(eventId)
      return { version, total, status: Buffer.from(packed).toString('base64') }
    },

    /** Seats per status. Throws `not_found`. */
    async counts(eventId: string): Promise<Counts> {
      return [...(await get(eventId)).counts]
    },

    /** AVAILABLE seats. Throws `not_found`. */
    async seatsLeft(eventId: string): Promise<number> {
      return (await get(eventId)).counts[0]
    },

    /** Streams an event's seat changes to `sink` until the returned function is called. */
    watch: (eventId: string, version: number | undefined, sink: SeatSink): (() => void) =>
      touch(eventId).watch(version, sink),

    /** After a change of the event itself: this server has read it when this resolves, the others soon after. */
    async changed(eventId: string): Promise<void> {
      // Redis away: the other servers' check finds it.
      await announceReload(sources.redis, eventId).catch(() => {})
      await live.get(eventId)?.reloadAfresh()
    },

    async close(): Promise<void> {
      clearInterval(checking)
      forgetReconnect()
      for (const one of live.values()) one.close()
      live.clear()
    },
  }
}

async function reloadAll(events: LiveEvent[]): Promise<void> {
  const waiting = [...events]
  const work = async () => {
    for (let one = waiting.shift(); one; one = waiting.shift())
      await one.reload().catch(() => one?.reloadSoon())
  }
  await Promise.all(Array.from({ length: LOADS_AT_ONCE }, work))
}
