// Decides which states a seat, a booking, a payment and a ticket may have, and which moves lead from one to another.
//
//   seat      AVAILABLE ──hold──▶ RESERVED ──confirm──▶ SOLD          AVAILABLE ◀──block/unblock──▶ BLOCKED
//                 ▲──release·expire──┘                    │
//                 └────────────────refund─────────────────┘
//
//   booking   PENDING ─┬─confirm─▶ CONFIRMED ──refund──▶ REFUNDED
//                      ├─release─▶ CANCELLED
//                      └─expire──▶ EXPIRED ──revive──▶ CONFIRMED     (late money, the same seats still free)
//
//   payment   PROCESSING ─┬─▶ CAPTURED ──▶ REFUND_DUE ──▶ REFUNDED
//                         └─▶ DECLINED
//
// The same lists feed the Postgres enums and the UPDATE predicates, so a state cannot exist in one place only.

export const SEAT_STATUSES = ['AVAILABLE', 'RESERVED', 'SOLD', 'BLOCKED'] as const
export type SeatStatus = (typeof SEAT_STATUSES)[number]

/** The wire code of a seat status: its index in the list (contract 3.2, two bits a seat). */
export const SEAT_CODES = {
  AVAILABLE: 0,
  RESERVED: 1,
  SOLD: 2,
  BLOCKED: 3,
} as const satisfies Record<SeatStatus, number>
export type SeatCode = (typeof SEAT_CODES)[SeatStatus]

export const SEAT_MOVES = {
  hold: { from: 'AVAILABLE', to: 'RESERVED' },
  confirm: { from: 'RESERVED', to: 'SOLD' },
  release: { from: 'RESERVED', to: 'AVAILABLE' },
  expire: { from: 'RESERVED', to: 'AVAILABLE' },
  revive: { from: 'AVAILABLE', to: 'SOLD' },
  refund: { from: 'SOLD', to: 'AVAILABLE' },
  block: { from: 'AVAILABLE', to: 'BLOCKED' },
  unblock: { from: 'BLOCKED', to: 'AVAILABLE' },
} as const satisfies Record<string, { from: SeatStatus; to: SeatStatus }>
export type SeatMove = keyof typeof SEAT_MOVES

export const BOOKING_STATUSES = ['PENDING', 'CONFIRMED', 'EXPIRED', 'CANCELLED', 'REFUNDED'] as const
export type BookingStatus = (typeof BOOKING_STATUSES)[number]

export const BOOKING_MOVES = {
  confirm: { from: 'PENDING', to: 'CONFIRMED' },
  release: { from: 'PENDING', to: 'CANCELLED' },
  expire: { from: 'PENDING', to: 'EXPIRED' },
  revive: { from: 'EXPIRED', to: 'CONFIRMED' },
  refund: { from: 'CONFIRMED', to: 'REFUNDED' },
} as const satisfies Record<string, { from: BookingStatus; to: BookingStatus }>
export type BookingMove = keyof typeof BOOKING_MOVES

export const PAYMENT_STATUSES = ['PROCESSING', 'CAPTURED', 'DECLINED', 'REFUND_DUE', 'REFUNDED'] as const
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number]

export const TICKET_STATUSES = ['VALID', 'REFUNDED'] as const
export type TicketStatus = (typeof TICKET_STATUSES)[number]

export const EVENT_STATUSES = ['DRAFT', 'PUBLISHED', 'CANCELLED'] as const
export type EventStatus = (typeof EVENT_STATUSES)[number]

/** What the organiser has said of the room; the phase people see is made from this, the clock and the seats. */
export const ROOM_CONTROLS = ['auto', 'open', 'paused', 'closed'] as const
export type RoomControl = (typeof ROOM_CONTROLS)[number]

/** When entrants must solve a proof of work before they claim: never, when their address looks risky, or always. */
export const ROOM_CHALLENGES = ['off', 'auto', 'always'] as const
export type RoomChallenge = (typeof ROOM_CHALLENGES)[number]

/** Whom a seat is kept for: anybody; who needs that place; who comes with that person. */
export const SEAT_ACCESS = ['standard', 'accessible', 'companion'] as const
export type SeatAccess = (typeof SEAT_ACCESS)[number]

export const SECTION_KINDS = ['seated', 'general'] as const
