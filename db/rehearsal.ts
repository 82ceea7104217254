// Owns the copies of events that a made-up crowd may sell out: how one is made, and how its owner's earlier ones go.
import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import { inTransaction, type Db, type Tx } from './client.ts'
import { isId } from './events.ts'
import {
  bookings,
  bookingSeats,
  bookingTimeline,
  events,
  outbox,
  payments,
  rooms,
  seats,
  sections,
  tickets,
  tiers,
} from './schema.ts'

/** A larger house takes longer to copy and to sell out than anybody watches. */
export const REHEARSAL_SEATS_MAX = 20_000
const NAME = 'Rehearsal: '
/** Copying the largest house takes about a second. */
const COPY_TIMEOUT = '20s'
/** Somebody who walks away unpaid, or loses the connection, is made up for while one still watches. */
const SHORTEST = { holdSeconds: 20, doorSeconds: 15, passSeconds: 90, graceSeconds: 20 }

export interface Rehearsal {
  eventId: string
  seats: number
  onSaleAt: Date
}
export type RehearsalOutcome =
  { ok: true; rehearsal: Rehearsal } | { ok: false; refusal: 'not_found' | 'seats_too_many' | 'no_seats' }

/**
 * Copies an event with its seats and its room, on sale from `onSaleAt` on, the lobby open at once; the copy belongs to
 * the event's owner and takes the place of that owner's earlier copies. Nothing of the event itself is changed.
 */
export async function copyForRehearsal(
  db: Db,
  eventId: string,
  { onSaleAt, nameMax, now = new Date() }: { onSaleAt: Date; nameMax: number; now?: Date },
): Promise<RehearsalOutcome> {
  if (!isId(eventId)) return { ok: false, refusal: 'not_found' }
  return inTransaction(db, async (tx): Promise<RehearsalOutcome> => {
    await tx.execute(sql`select set_config('statement_timeout', ${COPY_TIMEOUT}, true)`)
    const [event] = await tx.select().from(events).where(eq(events.id, eventId)).for('share')
    if (!event || event.rehearsal) return { ok: false, refusal: 'not_found' }
    if (event.seatCount === 0) return { ok: false, refusal: 'no_seats' }
    if (event.seatCount > REHEARSAL_SEATS_MAX) return { ok: false, refusal: 'seats_too_many' }
    await deleteRehearsals(tx, event.ownerId)
    const id = Bun.randomUUIDv7()
    await tx.insert(events).values({
      ...event,
      id,
      name: [...`${NAME}${event.name}`].slice(0, nameMax).join(''),
      rehearsal: true,
      status: 'PUBLISHED',
      onSaleAt,
      holdSeconds: Math.min(event.holdSeconds, SHORTEST.holdSeconds),
      createdAt: now,
      updatedAt: now,
    })
    await copyHouse(tx, eventId, id)
    await copyRoom(tx, eventId, id, now)
    return { ok: true, rehearsal: { eventId: id, seats: event.seatCount, onSaleAt } }
  })
}

/** Seats off sale stay so; every other seat of the copy is free. */
async function copyHouse(tx: Tx, from: string, to: string): Promise<void> {
  const [tierRows, sectionRows] = await Promise.all([
    tx.select().from(tiers).where(eq(tiers.eventId, from)),
    tx.select().from(sections).where(eq(sections.eventId, from)),
  ])
  await tx.insert(tiers).values(tierRows.map((row) => ({ ...row, eventId: to })))
  await tx.insert(sections).values(sectionRows.map((row) => ({ ...row, eventId: to })))
  await tx.execute(sql`
    insert into seats (event_id, n, section_id, row_label, seat_label, tier_id, access, status, blocked_reason)
    select ${to}::uuid, n, section_id, row_label, seat_label, tier_id, access,
      case when status = 'BLOCKED' then status else 'AVAILABLE' end, blocked_reason
    from seats where event_id = ${from}::uuid`)
}

/** The organiser's own flow, with waits short enough to be watched; a room that was never set lets a hundred in. */
async function copyRoom(tx: Tx, from: string, to: string, now: Date): Promise<void> {
  const [room] = await tx.select().from(rooms).where(eq(rooms.eventId, from))
  await tx.insert(rooms).values({
    eventId: to,
    enabled: true,
    lobbyAt: now,
    activeMax: room?.activeMax ?? 100,
    admitPerMinute: room?.admitPerMinute ?? null,
    doorSeconds: Math.min(room?.doorSeconds ?? 60, SHORTEST.doorSeconds),
    passSeconds: Math.min(room?.passSeconds ?? 600, SHORTEST.passSeconds),
    graceSeconds: Math.min(room?.graceSeconds ?? 300, SHORTEST.graceSeconds),
  })
}

/** Every trace of an owner's copies; only ever of copies. */
async function deleteRehearsals(tx: Tx, ownerId: string): Promise<void> {
  const copies = await tx
    .select({ id: events.id })
    .from(events)
    .where(and(eq(events.ownerId, ownerId), eq(events.rehearsal, true)))
    .for('update')
  const ids = copies.map(({ id }) => id)
  if (ids.length === 0) return
  const ofCopies = inArray(sql`${outbox.payload} ->> 'eventId'`, ids)
  await tx.delete(outbox).where(and(isNull(outbox.settledAt), ofCopies))
  await tx.delete(tickets).where(inArray(tickets.eventId, ids))
  await tx.delete(seats).where(inArray(seats.eventId, ids))
  await tx.delete(bookingTimeline).where(inArray(bookingTimeline.eventId, ids))
  await tx.delete(payments).where(inArray(payments.eventId, ids))
  await tx.delete(bookingSeats).where(inArray(bookingSeats.eventId, ids))
  await tx.delete(bookings).where(inArray(bookings.eventId, ids))
  await tx.delete(sections).where(inArray(sections.eventId, ids))
  await tx.delete(events).where(inArray(events.id, ids))
}
