// Decides, for many captured payments at once, which of them go the short way, and what those are answered that bought.
//
// The short way is one statement (buy-held-seats.ts) for the plain case: a PENDING booking in time, all its seats still its
// own, the amount right. Late money, money told twice and money that buys nothing take the long way, one transaction each
// (confirm-booking.ts).
import { sql } from 'drizzle-orm'
import type { Reader } from '../client.ts'
import { SEAT_MOVES } from '../lifecycle.ts'
import { bookings } from '../schema.ts'
import { listOf, statement } from '../statement.ts'
import { buyHeldSeats, type Bought } from './buy-held-seats.ts'
import type { ConfirmRequest } from './confirm-booking.ts'
import type { MovedSeat } from './gate.ts'
import { heldAt } from './hold.ts'
import type { BookingRow } from './read-bookings.ts'
import { ticketCode } from './ticket-code.ts'

export type Confirmed = { kind: 'confirmed'; booking: BookingRow; moved: MovedSeat[] }
/** `not_plain`: nothing was done, and the long way decides. */
export type Confirmation = Confirmed | { kind: 'not_plain' }

/** An answer each, in their order. Throws when anything is not as locked; then nothing of it stands. */
export async function commitConfirmations(
  reader: Reader,
  requests: ConfirmRequest[],
): Promise<Confirmation[]> {
  const first = new Map<string, ConfirmRequest>()
  for (const request of requests) if (!first.has(request.bookingId)) first.set(request.bookingId, request)
  const chosen = [...first.values()]
  const counts = await countSeats(reader, chosen)
  const bought = await buyHeldSeats(
    reader,
    chosen.map(({ bookingId, accountId, payment, trace }, at) => ({
      at,
      bookingId,
      accountId,
      paymentId: Bun.randomUUIDv7(),
      provider: payment.provider,
      providerRef: payment.providerRef,
      method: payment.method,
      amount: payment.amount,
      trace,
      tickets: Array.from({ length: counts.get(bookingId) ?? 0 }, () => [Bun.randomUUIDv7(), ticketCode()]),
    })),
  )
  const rows = new Map(bought.map((row) => [chosen[row.at]!, row]))
  return requests.map((request) => {
    const row = rows.get(request)
    return row ? confirmedOf(request, row) : { kind: 'not_plain' }
  })
}

/** Seats of each booking: how many tickets are to be made. A charge that was just opened has counted them. */
async function countSeats(reader: Reader, requests: ConfirmRequest[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  const unknown: string[] = []
  for (const { bookingId, payment } of requests)
    if (payment.seats === undefined) unknown.push(bookingId)
    else counts.set(bookingId, payment.seats)
  if (unknown.length > 0)
    for (const { id, seats } of await readCounts(reader, { bookings: listOf(unknown) })) counts.set(id, seats)
  return counts
}

const readCounts = statement<'bookings', { id: string; seats: number }>(
  (value) => sql`
    select key.id::text as id, known.seats
    from unnest(${value('bookings')}::text::uuid[]) as key (id)
    cross join lateral (select seat_count as seats from ${bookings} where id = key.id offset 0) as known`,
)

function confirmedOf({ bookingId, accountId, payment }: ConfirmRequest, row: Bought): Confirmed {
  const { eventId } = row
  const createdAt = new Date(row.createdAt)
  const confirmedAt = new Date(row.confirmedAt)
  const seats = row.seats.map(([n, , section, label, number, tier, price]) => ({
    n,
    section,
    row: label,
    number,
    tier,
    price,
    live: true,
  }))
  const told = (row.timeline ?? []).map(({ at, what, detail }) => ({ at: new Date(at), what, detail }))
  const { amount, method } = payment
  return {
    kind: 'confirmed',
    moved: row.seats.map(([n, version]) => ({ eventId, n, status: SEAT_MOVES.confirm.to, version })),
    booking: {
      id: bookingId,
      eventId,
      eventName: row.eventName,
      accountId,
      status: 'CONFIRMED',
      seats,
      total: amount,
      currency: row.currency,
      expiresAt: new Date(row.expiresAt),
      createdAt,
      confirmedAt,
      endedAt: null,
      extendedAt: row.extendedAt === null ? null : new Date(row.extendedAt),
      frozenSince: null,
      timeline: [
        heldAt(
          createdAt,
          seats.map(({ n }) => n),
        ),
        ...told,
        { at: confirmedAt, what: 'payment_captured', detail: { amount, method } },
      ],
    },
  }
}
