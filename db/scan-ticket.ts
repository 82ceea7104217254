// Decides whether a ticket opens the door: the first scan of a valid ticket does, and no other; and counts whom it let in.
import { and, eq, gte, isNull, sql } from 'drizzle-orm'
import type { Db, Reader } from './client.ts'
import { tickets } from './schema.ts'
import { findTicketByCode, type TicketRow } from './tickets.ts'

export type ScanResult = 'admitted' | 'already_used' | 'invalid' | 'wrong_event' | 'refunded'

export interface Scan {
  /** What the QR says. */
  code: string
  /** The door, for the next one who is shown the same ticket. */
  gate?: string
  /** The event this door belongs to; any when left out. */
  eventId?: string
}

export interface Scanned {
  result: ScanResult
  /** Null when no ticket of this door's event has this code. */
  ticket: TicketRow | null
}

/** Two doors may scan one code at the same moment: the row's own lock lets one of them in. */
export async function scanTicket(db: Db, { code, gate, eventId }: Scan): Promise<Scanned> {
  const ofEvent = eventId === undefined ? undefined : eq(tickets.eventId, eventId)
  const opened = await db
    .update(tickets)
    .set({ usedAt: new Date(), usedGate: gate ?? null })
    .where(and(eq(tickets.code, code), ofEvent, eq(tickets.status, 'VALID'), isNull(tickets.usedAt)))
    .returning({ id: tickets.id })
  const ticket = await findTicketByCode(db, code)
  if (opened.length > 0) return { result: 'admitted', ticket }
  if (!ticket) return { result: 'invalid', ticket }
  if (eventId !== undefined && ticket.eventId !== eventId) return { result: 'wrong_event', ticket: null }
  return { result: ticket.status === 'REFUNDED' ? 'refunded' : 'already_used', ticket }
}

export interface Admissions {
  /** Let in to the event since then, by every door, and by the one with this name. */
  admitted: number
  atGate: number
}

export async function countAdmissions(
  reader: Reader,
  { eventId, since, gate }: { eventId: string; since: Date; gate?: string | undefined },
): Promise<Admissions> {
  const [row] = await reader
    .select({
      admitted: sql<number>`count(*)::int`,
      atGate: sql<number>`(count(*) filter (where ${tickets.usedGate} = ${gate ?? null}))::int`,
    })
    .from(tickets)
    .where(and(eq(tickets.eventId, eventId), gte(tickets.usedAt, since)))
  return row!
}
