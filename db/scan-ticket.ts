// Decides whether a ticket opens the door: the first scan of a valid ticket does, and no other.
import { and, eq, isNull } from 'drizzle-orm'
import type { Db } from './client.ts'
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
