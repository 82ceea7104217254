// Owns reading tickets: whose they are and what they admit to.
import { and, desc, eq, lt, type SQL } from 'drizzle-orm'
import { isId, seatLabelFields, sectionOfSeat, tierOfSeat } from './bookings/rows.ts'
import type { Reader } from './client.ts'
import type { TicketStatus } from './lifecycle.ts'
import { bookings, events, seats, sections, tickets, tiers } from './schema.ts'

export interface TicketRow {
  id: string
  bookingId: string
  /** The buyer. */
  accountId: string
  eventId: string
  eventName: string
  startsAt: Date
  timeZone: string
  location: string
  section: string
  /** Null for general admission, like `number`. */
  row: string | null
  number: string | null
  tier: string
  /** What the QR says. */
  code: string
  status: TicketStatus
  /** When and where its holder was let in; null until then. */
  usedAt: Date | null
  usedGate: string | null
}

/** Tickets of one buyer, newest first, those after the cursor's ticket. Ids rise with time. */
export async function listTicketsOf(
  reader: Reader,
  page: { accountId: string; limit: number; cursor?: string },
): Promise<TicketRow[]> {
  const older = page.cursor === undefined ? undefined : lt(tickets.id, page.cursor)
  return selectTickets(reader, and(eq(bookings.accountId, page.accountId), older))
    .orderBy(desc(tickets.id))
    .limit(page.limit)
}

/** Null when no ticket has this id. */
export async function findTicket(reader: Reader, id: string): Promise<TicketRow | null> {
  if (!isId(id)) return null
  const [row] = await selectTickets(reader, eq(tickets.id, id)).limit(1)
  return row ?? null
}

/** Null when no ticket has this code, of whatever event. */
export async function findTicketByCode(reader: Reader, code: string): Promise<TicketRow | null> {
  const [row] = await selectTickets(reader, eq(tickets.code, code)).limit(1)
  return row ?? null
}

/** Tickets of one booking in map order, refunded ones included. */
export async function listTicketsOfBooking(
  reader: Reader,
  booking: { eventId: string; id: string },
): Promise<TicketRow[]> {
  return selectTickets(
    reader,
    and(eq(tickets.eventId, booking.eventId), eq(tickets.bookingId, booking.id)),
  ).orderBy(tickets.n)
}

function selectTickets(reader: Reader, where: SQL | undefined) {
  const { section, row, number, tier } = seatLabelFields
  return reader
    .select({
      id: tickets.id,
      bookingId: tickets.bookingId,
      accountId: bookings.accountId,
      eventId: tickets.eventId,
      eventName: events.name,
      startsAt: events.startsAt,
      timeZone: events.timeZone,
      location: events.location,
      section,
      row,
      number,
      tier,
      code: tickets.code,
      status: tickets.status,
      usedAt: tickets.usedAt,
      usedGate: tickets.usedGate,
    })
    .from(tickets)
    .innerJoin(bookings, and(eq(bookings.eventId, tickets.eventId), eq(bookings.id, tickets.bookingId)))
    .innerJoin(events, eq(events.id, tickets.eventId))
    .innerJoin(seats, and(eq(seats.eventId, tickets.eventId), eq(seats.n, tickets.n)))
    .innerJoin(sections, sectionOfSeat)
    .innerJoin(tiers, tierOfSeat)
    .where(where)
    .$dynamic()
}
