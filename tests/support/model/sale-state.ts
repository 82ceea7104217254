// Owns what the model of a sale knows: seats, bookings, charges, what the cache says and what it is still to be told.
import type { BookingStatus, PaymentStatus, SeatStatus } from '../../../db/lifecycle.ts'

export interface Seat {
  status: SeatStatus
  /** Index of the booking that has it. */
  booking: number | null
  version: number
  /** What Redis says, `<STATUS>:<version>`; null when it says nothing. */
  hint: string | null
  /** Index of the booking whose request has the Lua lock. */
  lock: number | null
}

export interface Booking {
  /** NONE: not held yet. */
  status: BookingStatus | 'NONE'
  /** Spans of time left: a hold has one, an extension gives another; at 0 it is overdue. */
  left: number
  extended: boolean
  /** Its seats are marked live in booking_seats. */
  live: boolean
  /** The gate has let its request through, and the transaction has not begun. */
  asked: boolean
}

export interface Charge {
  booking: number
  ledger: PaymentStatus | 'NONE'
  /** The provider's own book; its first word stays. */
  provider: 'NONE' | 'captured' | 'declined'
  /** The provider was asked: it happens once, and may come late. */
  asked: boolean
  /** The provider has given the money back. */
  refunded: boolean
}

/** What a commit tells the cache, on its way. */
export interface Told {
  n: number
  status: SeatStatus
  version: number
}

export interface State {
  seats: Seat[]
  bookings: Booking[]
  charges: Charge[]
  told: Told[]
}

export interface Plan {
  /** Per booking the seats it wants, ascending. */
  wishes: number[][]
  /** Per charge its booking; several of one booking are tried one after another. */
  charges: number[]
  /** With the gate, the cache and everything that gets lost between them; without, a hold goes straight to Postgres. */
  redis: boolean
  /** Messages to the cache on their way at once; the oldest beyond these is lost. */
  toldMax: number
  /** The organiser refunds what was sold. */
  organiser: boolean
  /** Buyers ask for more time. */
  extensions: boolean
}

export function firstState({ wishes, charges }: Plan): State {
  const seats = Math.max(...wishes.flat()) + 1
  return {
    seats: Array.from({ length: seats }, () => ({
      status: 'AVAILABLE',
      booking: null,
      version: 0,
      hint: null,
      lock: null,
    })),
    bookings: wishes.map(() => ({ status: 'NONE', left: 0, extended: false, live: false, asked: false })),
    charges: charges.map((booking) => ({
      booking,
      ledger: 'NONE',
      provider: 'NONE',
      asked: false,
      refunded: false,
    })),
    told: [],
  }
}

export const copyOf = ({ seats, bookings, charges, told }: State): State => ({
  seats: seats.map((seat) => ({ ...seat })),
  bookings: bookings.map((booking) => ({ ...booking })),
  charges: charges.map((charge) => ({ ...charge })),
  told: [...told],
})

/** Versions only matter to the cache: without it they are left out, so that ways to the same place meet. */
export function keyOf({ seats, bookings, charges, told }: State, { redis }: Plan): string {
  let key = ''
  for (const { status, booking, version, hint, lock } of seats)
    key += `${CODES[status]}${booking ?? '-'}${redis ? `.${version}${hint ?? '-'}${lock ?? '-'}` : ''}`
  for (const { status, left, extended, live, asked } of bookings)
    key += CODES[status] + left + (extended ? 'x' : '') + (live ? 'l' : '') + (asked ? 'a' : '')
  for (const { ledger, provider, asked, refunded } of charges)
    key += CODES[ledger] + PROVIDER_CODES[provider] + (asked ? 'a' : '') + (refunded ? 'r' : '')
  for (const { n, status, version } of told) key += `;${n}${CODES[status]}${version}`
  return key
}

/** A seat, a booking and a charge stand in places of their own: only within each must the letters differ. */
const CODES: Record<SeatStatus | Booking['status'] | Charge['ledger'], string> = {
  NONE: 'N',
  AVAILABLE: 'A',
  RESERVED: 'R',
  SOLD: 'S',
  BLOCKED: 'B',
  PENDING: 'P',
  CONFIRMED: 'C',
  EXPIRED: 'E',
  CANCELLED: 'D',
  REFUNDED: 'F',
  PROCESSING: 'P',
  CAPTURED: 'C',
  DECLINED: 'D',
  REFUND_DUE: 'U',
}
const PROVIDER_CODES = { NONE: 'n', captured: 'c', declined: 'd' }
