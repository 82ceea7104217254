// Owns what one seat may do, as a register: free, held by a booking until a moment, sold to a booking.
//
// Moments are ms on one monotone clock. An operation takes effect at one moment between its call and its answer; the
// search (linearizable.ts) asks here whether it may do so next.

export type Operation =
  /** A booking was made that keeps the seat until `until`; null when nobody was told until when. */
  | { kind: 'hold'; booking: string; until: number | null }
  | { kind: 'extend'; booking: string; until: number | null }
  | { kind: 'confirm'; booking: string }
  | { kind: 'release'; booking: string }
  | { kind: 'refund'; booking: string }
  /** Somebody was told how the booking stands. `over`: too late, or its hold ended; `ended`: given back or refunded. */
  | { kind: 'read'; booking: string; saw: 'held' | 'sold' | 'over' | 'ended' }
  /** What the ledger says of the seat when all is quiet; `booking` is '' for a free one. */
  | { kind: 'look'; booking: string; saw: 'free' | 'held' | 'sold' }

export type Event = Operation & {
  called: number
  /** Infinity when it was never answered: it may take effect at any later time. */
  answered: number
  /** An event that may also never have happened. */
  perhaps?: boolean
}

export interface Seat {
  /** '' when free. */
  booking: string
  sold: boolean
  /** When the hold ends; -Infinity when free or unknown, so that it may be over at any time. */
  until: number
  /** The earliest moment at which the last event can have taken effect. */
  now: number
}

export const FREE: Seat = { booking: '', sold: false, until: -Infinity, now: -Infinity }

/** The ledger's clock and ours are one machine's, but one is read in whole ms and may be slewed. */
const CLOCKS_DIFFER_MS = 50

/** What has happened to bookings so far, as the search knows it. */
export interface Past {
  /** The booking was given back or refunded. */
  ended(booking: string): boolean
  held(booking: string): boolean
}

/** The seat afterwards, or null when the event cannot take effect now. Taking the earliest moment loses no order. */
export function step(seat: Seat, event: Event, past: Past): Seat | null {
  const now = Math.max(seat.now, event.called)
  const mine = seat.booking === event.booking && seat.booking !== ''
  /** The moment from which somebody else's hold is over; null when that is after the answer. */
  const freeAt = (): number | null => {
    if (seat.booking === '') return now
    if (seat.sold) return null
    const at = Math.max(now, seat.until - CLOCKS_DIFFER_MS)
    return at <= event.answered ? at : null
  }
  switch (event.kind) {
    case 'hold': {
      const at = freeAt()
      if (at === null || past.held(event.booking)) return null
      return { booking: event.booking, sold: false, until: event.until ?? -Infinity, now: at }
    }
    case 'extend':
      if (!mine || seat.sold) return null
      // Without a known end, neither the old nor the new one binds.
      return { ...seat, until: event.until ?? -Infinity, now }
    case 'confirm': {
      if (mine) return { ...seat, sold: true, now }
      // Money that came late buys the seat back when nobody else has it.
      const at = freeAt()
      if (at === null || !past.held(event.booking) || past.ended(event.booking)) return null
      return { booking: event.booking, sold: true, until: -Infinity, now: at }
    }
    case 'release':
      if (mine && !seat.sold) return { ...FREE, now }
      return past.ended(event.booking) ? { ...seat, now } : null
    case 'refund':
      return mine && seat.sold ? { ...FREE, now } : null
    case 'read':
      return read(seat, event, { now, mine, freeAt, past })
    case 'look': {
      if (event.saw === 'free') {
        const at = freeAt()
        return at === null ? null : { ...FREE, now: at }
      }
      return mine && seat.sold === (event.saw === 'sold') ? { ...seat, now } : null
    }
  }
}

function read(
  seat: Seat,
  { booking, saw }: Extract<Event, { kind: 'read' }>,
  { now, mine, freeAt, past }: { now: number; mine: boolean; freeAt: () => number | null; past: Past },
): Seat | null {
  if (!past.held(booking)) return null
  switch (saw) {
    case 'held':
      return mine && !seat.sold ? { ...seat, now } : null
    case 'sold':
      return mine && seat.sold ? { ...seat, now } : null
    case 'over': {
      if (!mine) return past.ended(booking) ? null : { ...seat, now }
      const at = freeAt()
      return at === null ? null : { ...seat, now: at }
    }
    case 'ended':
      return past.ended(booking) ? { ...seat, now } : null
  }
}
