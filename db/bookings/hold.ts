// Owns what a request for seats is and what becomes of it, on whichever way it is decided.
import type { StagedAnswer } from '../idempotency.ts'
import type { MovedSeat } from './gate.ts'
import type { BookingRow } from './read-bookings.ts'
import type { SeatLabel } from './rows.ts'

export interface HoldRequest {
  accountId: string
  eventId: string
  /** Seat numbers n; the same number twice counts once. */
  seats: number[]
  bookingId?: string
  /** Stored in the same transaction: a retry finds the answer whatever happened after the commit. */
  idempotency?: StagedAnswer<BookingRow>
}

export type HoldRefusal =
  | {
      ok: false
      refusal: 'seat_taken' | 'seat_locked'
      seats: number[]
      stage: 'status' | 'lock' | 'version'
    }
  | {
      ok: false
      refusal:
        | 'request_invalid'
        | 'seats_too_many'
        | 'buyer_limit_reached'
        | 'event_not_on_sale'
        | 'not_found'
        | 'idempotency_in_progress'
        | 'idempotency_key_reused'
        | 'overloaded'
    }
export type HoldOutcome = { ok: true; booking: BookingRow } | HoldRefusal

/** `seats` are distinct and ascending. */
export type Hold = HoldRequest & { bookingId: string }

export interface Committed {
  outcome: HoldOutcome
  /** What the cache may be told of the seats afterwards, whether held or refused. */
  known: MovedSeat[]
}

interface Held {
  hold: Hold
  event: { name: string; currency: string }
  rows: (SeatLabel & { price: number })[]
}

/** The booking as it was just made; every reader finds the same (read-bookings.ts). */
export function bookingOf(
  { hold, event, rows }: Held,
  { createdAt, expiresAt }: { createdAt: Date; expiresAt: Date },
): BookingRow {
  return {
    id: hold.bookingId,
    eventId: hold.eventId,
    eventName: event.name,
    accountId: hold.accountId,
    status: 'PENDING',
    seats: rows.map(({ n, section, row, number, tier, price }) => ({
      n,
      section,
      row,
      number,
      tier,
      price,
      live: true,
    })),
    total: totalOf(rows),
    currency: event.currency,
    expiresAt,
    createdAt,
    confirmedAt: null,
    endedAt: null,
    extendedAt: null,
    frozenSince: null,
    timeline: [heldAt(createdAt, hold.seats)],
  }
}

export const totalOf = (rows: { price: number }[]) => rows.reduce((sum, { price }) => sum + price, 0)

/** The first line of every timeline; the booking itself tells it, so it is not stored. */
export const heldAt = (at: Date, seats: number[]) => ({ at, what: 'seats_held', detail: { seats } })
