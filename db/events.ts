// Owns events: how one is made, changed, published, cancelled and found, and what was sold of it.
import { and, asc, eq, gt, inArray, or, sql } from 'drizzle-orm'
import { inTransaction, type Db, type Reader, type Tx } from './client.ts'
import { checkEvent, HOLD_SECONDS, limitsOrDefaults, type EventFields, type Problem } from './event-rules.ts'
import { stageOutbox } from './outbox.ts'
import { startOpenedSale } from './rooms.ts'
import { bookings, bookingSeats, events, seats, sections, tiers } from './schema.ts'

export type EventRow = typeof events.$inferSelect
export type TierRow = typeof tiers.$inferSelect
export type SectionRow = typeof sections.$inferSelect
/** An event with its price tiers and sections, both in order of creation. */
export type Event = EventRow & { tiers: TierRow[]; sections: SectionRow[] }

type Required = 'name' | 'location' | 'startsAt' | 'timeZone' | 'currency'
export type NewEvent = { ownerId: string } & Pick<EventFields, Required> &
  Partial<Omit<EventFields, Required>>
export type EventChange = Partial<EventFields>
export type EventOutcome =
  | { ok: true; event: Event }
  | { ok: false; refusal: 'request_invalid'; problems: Problem[] }
  | { ok: false; refusal: 'not_found' }
  /** The event is cancelled: nothing of it changes any more. */
  | { ok: false; refusal: 'event_not_on_sale' }

/** A finished event leaves the public list this long after its start. */
const LISTED_AFTER_START_HOURS = 24
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * True for an id in the one spelling that is given out; anything else names nothing. Postgres knows further ones, but
 * what is kept in memory and in Redis under them would never hear of a change.
 */
export function isId(text: string): boolean {
  return UUID.test(text)
}

/** Makes a DRAFT that belongs to `ownerId`; no seats, no room yet. */
export async function createEvent(db: Db, input: NewEvent, now = new Date()): Promise<EventOutcome> {
  const { ownerId, ...given } = input
  const fields: EventFields = {
    description: '',
    onSaleAt: null,
    holdSeconds: HOLD_SECONDS.default,
    ...given,
    ...limitsOrDefaults(given),
  }
  const problems = checkEvent(fields, fields, now)
  if (problems.length > 0) return { ok: false, refusal: 'request_invalid', problems }
  const [event] = await db
    .insert(events)
    .values({ id: Bun.randomUUIDv7(), ownerId, ...trimmed(fields) })
    .returning()
  if (!event) throw new Error('an inserted event was not returned')
  return { ok: true, event: { ...event, tiers: [], sections: [] } }
}

/**
 * Changes what is given. The currency is fixed once the event is published (prices were shown in it), and the limit
 * per buyer never falls below what somebody already holds.
 */
export async function updateEvent(
  db: Db,
  eventId: string,
  change: EventChange,
  now = new Date(),
): Promise<EventOutcome> {
  return inTransaction(db, async (tx): Promise<EventOutcome> => {
    const before = await lockEvent(tx, eventId)
    if (!before) return { ok: false, refusal: 'not_found' }
    if (before.status === 'CANCELLED') return { ok: false, refusal: 'event_not_on_sale' }
    const problems = checkEvent({ ...before, ...change }, change, now)
    if (change.currency && change.currency !== before.currency && before.status !== 'DRAFT')
      problems.push({ path: '/currency', message: 'is fixed once the event is published' })
    if (change.maxSeatsPerBuyer !== undefined && change.maxSeatsPerBuyer < before.maxSeatsPerBuyer) {
      const held = await mostSeatsOfOneBuyer(tx, eventId)
      if (held > change.maxSeatsPerBuyer)
        problems.push({
          path: '/maxSeatsPerBuyer',
          message: `must be at least ${held}: a buyer already has as many`,
        })
    }
    if (problems.length > 0) return { ok: false, refusal: 'request_invalid', problems }
    await tx
      .update(events)
      .set({ ...trimmed(change), updatedAt: now })
      .where(eq(events.id, eventId))
    return { ok: true, event: await getEvent(tx, eventId) }
  })
}

/** Deletes an event that nobody ever booked; `seat_taken` when somebody did (cancel it instead). */
export async function deleteEvent(
  db: Db,
  eventId: string,
): Promise<{ ok: true } | { ok: false; refusal: 'not_found' | 'seat_taken' }> {
  if (!isId(eventId)) return { ok: false, refusal: 'not_found' }
  return inTransaction(db, async (tx) => {
    // FOR UPDATE, unlike elsewhere: a booking under way holds the row's key, and must be seen or must wait.
    const [event] = await tx
      .select({ id: events.id })
      .from(events)
      .where(eq(events.id, eventId))
      .for('update')
    if (!event) return { ok: false, refusal: 'not_found' } as const
    const [booked] = await tx
      .select({ id: bookings.id })
      .from(bookings)
      .where(eq(bookings.eventId, eventId))
      .limit(1)
    if (booked) return { ok: false, refusal: 'seat_taken' } as const
    await tx.delete(seats).where(eq(seats.eventId, eventId))
    await tx.delete(sections).where(eq(sections.eventId, eventId))
    await tx.delete(events).where(eq(events.id, eventId))
    return { ok: true } as const
  })
}

/** DRAFT → PUBLISHED, once it has a seat and still lies ahead; publishing twice changes nothing. */
export async function publishEvent(db: Db, eventId: string, now = new Date()): Promise<EventOutcome> {
  return inTransaction(db, async (tx): Promise<EventOutcome> => {
    const event = await lockEvent(tx, eventId)
    if (!event) return { ok: false, refusal: 'not_found' }
    if (event.status === 'CANCELLED') return { ok: false, refusal: 'event_not_on_sale' }
    if (event.status === 'DRAFT') {
      const problems: Problem[] = []
      if (event.seatCount === 0) problems.push({ path: '/seats', message: 'the event has no seats yet' })
      if (event.startsAt <= now) problems.push({ path: '/startsAt', message: 'must lie in the future' })
      if (problems.length > 0) return { ok: false, refusal: 'request_invalid', problems }
      await tx.update(events).set({ status: 'PUBLISHED', updatedAt: now }).where(eq(events.id, eventId))
      await startOpenedSale(tx, eventId)
    }
    return { ok: true, event: await getEvent(tx, eventId) }
  })
}

/**
 * Ends the sale for good. The bookings follow in batches: the `cancel_event` row of the outbox is settled only when
 * none is left to refund or release. Cancelling twice changes nothing.
 */
export async function cancelEvent(db: Db, eventId: string, now = new Date()): Promise<EventOutcome> {
  return inTransaction(db, async (tx): Promise<EventOutcome> => {
    const event = await lockEvent(tx, eventId)
    if (!event) return { ok: false, refusal: 'not_found' }
    if (event.status !== 'CANCELLED') {
      await tx.update(events).set({ status: 'CANCELLED', updatedAt: now }).where(eq(events.id, eventId))
      await stageOutbox(tx, { kind: 'cancel_event', payload: { eventId } })
    }
    return { ok: true, event: await getEvent(tx, eventId) }
  })
}

/** One event alone, whatever its status; null when the id names none. */
export async function findEventRow(reader: Reader, eventId: string): Promise<EventRow | null> {
  if (!isId(eventId)) return null
  const [event] = await reader.select().from(events).where(eq(events.id, eventId))
  return event ?? null
}

/** As findEventRow, with tiers and sections. */
export async function findEvent(reader: Reader, eventId: string): Promise<Event | null> {
  const event = await findEventRow(reader, eventId)
  if (!event) return null
  const [tierRows, sectionRows] = await Promise.all([
    reader.select().from(tiers).where(eq(tiers.eventId, eventId)).orderBy(asc(tiers.id)),
    reader.select().from(sections).where(eq(sections.eventId, eventId)).orderBy(asc(sections.id)),
  ])
  return { ...event, tiers: tierRows, sections: sectionRows }
}

/** As findEvent, for an id that is known to exist. */
export async function getEvent(reader: Reader, eventId: string): Promise<Event> {
  const event = await findEvent(reader, eventId)
  if (!event) throw new Error('the event does not exist')
  return event
}

/** Where a page of events ended: the last one's start and id. */
export interface EventCursor {
  startsAt: Date
  id: string
}

/** Published events, soonest first; ones that started more than a day ago are left out. `unlisted`: rehearsals as well. */
export async function listPublishedEvents(
  reader: Reader,
  page: { limit: number; cursor?: EventCursor | null; now?: Date; unlisted?: boolean },
): Promise<EventRow[]> {
  const since = new Date((page.now ?? new Date()).getTime() - LISTED_AFTER_START_HOURS * 3_600_000)
  return reader
    .select()
    .from(events)
    .where(
      and(
        eq(events.status, 'PUBLISHED'),
        page.unlisted ? undefined : eq(events.rehearsal, false),
        gt(events.startsAt, since),
        after(page.cursor),
      ),
    )
    .orderBy(asc(events.startsAt), asc(events.id))
    .limit(page.limit)
}

/** All events of one organiser, drafts and cancelled ones too, soonest first. */
export async function listEventsOf(
  reader: Reader,
  page: { ownerId: string; limit: number; cursor?: EventCursor | null },
): Promise<EventRow[]> {
  return reader
    .select()
    .from(events)
    .where(and(eq(events.ownerId, page.ownerId), after(page.cursor)))
    .orderBy(asc(events.startsAt), asc(events.id))
    .limit(page.limit)
}

/** AVAILABLE seats of each event, in one query; an event without any is absent. */
export async function countAvailable(reader: Reader, eventIds: string[]): Promise<Map<string, number>> {
  if (eventIds.length === 0) return new Map()
  const rows = await reader
    .select({ eventId: seats.eventId, available: sql<number>`count(*)::int` })
    .from(seats)
    .where(and(inArray(seats.eventId, eventIds), eq(seats.status, 'AVAILABLE')))
    .groupBy(seats.eventId)
  return new Map(rows.map((row) => [row.eventId, row.available]))
}

/** The rows of these events, in no order; ids that name none are left out. */
export async function listEventRows(reader: Reader, eventIds: string[]): Promise<EventRow[]> {
  if (eventIds.length === 0) return []
  return reader.select().from(events).where(inArray(events.id, eventIds))
}

/** Serialises changes of one event; NO KEY leaves bookings under way, which only need the row to exist, alone. */
async function lockEvent(tx: Tx, eventId: string): Promise<EventRow | null> {
  if (!isId(eventId)) return null
  const [event] = await tx.select().from(events).where(eq(events.id, eventId)).for('no key update')
  return event ?? null
}

async function mostSeatsOfOneBuyer(tx: Tx, eventId: string): Promise<number> {
  const [most] = await tx
    .select({ held: sql<number>`count(*)::int` })
    .from(bookingSeats)
    .innerJoin(
      bookings,
      and(eq(bookings.eventId, bookingSeats.eventId), eq(bookings.id, bookingSeats.bookingId)),
    )
    .where(and(eq(bookingSeats.eventId, eventId), bookingSeats.live))
    .groupBy(bookings.accountId)
    .orderBy(sql`1 desc`)
    .limit(1)
  return most?.held ?? 0
}

function after(cursor: EventCursor | null | undefined) {
  if (!cursor) return undefined
  const { startsAt, id } = cursor
  return or(gt(events.startsAt, startsAt), and(eq(events.startsAt, startsAt), gt(events.id, id)))
}

function trimmed<T extends Partial<EventFields>>(fields: T): T {
  const { name, location } = fields
  return {
    ...fields,
    ...(name === undefined ? {} : { name: name.trim() }),
    ...(location === undefined ? {} : { location: location.trim() }),
  }
}
