// Owns how events are put together for an answer: rows from Postgres, seats from memory, the phase from the room.
import {
  countAvailable,
  findEvent,
  findEventRow,
  listEventsOf,
  listPublishedEvents,
  type Event,
  type EventCursor,
  type EventRow,
} from '../../db/events.ts'
import type { Identity } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { invalid, Refusal } from '../errors.ts'
import { LIMITS } from '../protocol/codes.ts'
import type { EventSummary, EventView, Page } from '../protocol/http.ts'
import { mayManage, maySee } from './owned.ts'
import { roomSummary } from './room-figures.ts'
import { eventSummary, eventView } from './views.ts'

interface PageQuery {
  limit?: number
  cursor?: string
}

/** Events whose tiers and sections are kept; some tens of kilobytes each in a large house. */
const HOUSES_KEPT = 200
const CURSOR = /^(\d{1,15})_([0-9a-f-]{36})$/

/** Published events, or all of `ownerId`'s, soonest first. */
export async function listEvents(
  context: Context,
  visitor: Identity | null,
  query: PageQuery,
  ownerId?: string,
): Promise<Page<EventSummary>> {
  const limit = query.limit ?? LIMITS.pageDefault
  const page = { limit: limit + 1, cursor: parseCursor(query.cursor) }
  const rows = await (ownerId
    ? listEventsOf(context.ledger.db, { ...page, ownerId })
    : context.staleReads.catalogue(visitor, (db) => listPublishedEvents(db, page)))
  const shown = rows.slice(0, limit)
  const available = await availableOf(context, visitor, shown)
  const items = await Promise.all(
    shown.map(async (row) =>
      eventSummary(row, available.get(row.id) ?? 0, await roomSummary(context, row.id)),
    ),
  )
  const last = shown.at(-1)
  return { items, nextCursor: last && rows.length > limit ? `${last.startsAt.getTime()}_${last.id}` : null }
}

/**
 * One event as its visitor sees it. Its row is read each time, so that a change shows on every server, at once where no
 * replica is asked; tiers and sections, the longer part, are kept as long as the map stays the same. Throws `not_found`.
 */
export function createEventReader(context: Context) {
  const kept = new Map<string, Event>()
  return async (visitor: Identity | null, eventId: string): Promise<EventView> => {
    const { catalogue } = context.staleReads
    const seen = (row: EventRow | null) => row !== null && maySee(row, visitor)
    const row = await catalogue(visitor, (db) => findEventRow(db, eventId), seen)
    if (!row || !maySee(row, visitor)) throw new Refusal('not_found')
    const known = kept.get(eventId)
    if (known?.mapVersion === row.mapVersion) return describeEvent(context, visitor, { ...known, ...row })
    const event = await catalogue(
      visitor,
      (db) => findEvent(db, eventId),
      (found) => found?.mapVersion === row.mapVersion,
    )
    if (!event) throw new Refusal('not_found')
    kept.delete(eventId)
    kept.set(eventId, event)
    for (const oldest of kept.keys()) {
      if (kept.size <= HOUSES_KEPT) break
      kept.delete(oldest)
    }
    return describeEvent(context, visitor, event)
  }
}

export async function describeEvent(
  context: Context,
  visitor: Identity | null,
  event: Event,
): Promise<EventView> {
  const [available, room] = await Promise.all([
    availableOf(context, visitor, [event]),
    roomSummary(context, event.id),
  ])
  return eventView(event, available.get(event.id) ?? 0, room, mayManage(event, visitor))
}

/** From memory where it is known; one grouped query for the rest, which is then loaded for the next time. */
async function availableOf(
  context: Context,
  visitor: Identity | null,
  rows: EventRow[],
): Promise<Map<string, number>> {
  const available = new Map<string, number>()
  const cold: string[] = []
  for (const { id, seatCount } of rows) {
    const memory = context.availability.peek(id)?.memory
    if (memory?.total === seatCount) available.set(id, memory.counts[0])
    else if (seatCount > 0) cold.push(id)
  }
  if (cold.length === 0) return available
  context.availability.warm(cold)
  const counted = await context.staleReads.catalogue(
    visitor,
    (db) => countAvailable(db, cold),
    // None at all is what a replica says that does not have the seats yet.
    (counts) => cold.every((id) => counts.has(id)),
  )
  return new Map([...available, ...counted])
}

function parseCursor(cursor: string | undefined): EventCursor | null {
  if (cursor === undefined) return null
  const [, startsAt, id] = CURSOR.exec(cursor) ?? []
  if (!startsAt || !id) throw invalid('/cursor', 'is not one that a page of this list gave')
  return { startsAt: new Date(Number(startsAt)), id }
}
