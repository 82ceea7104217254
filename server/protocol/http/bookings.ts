// Owns the language of bookings, payments and tickets.
import { Type, type Static } from '@sinclair/typebox'
import { LIMITS, SANDBOX_METHODS, SCAN_RESULTS } from '../codes.ts'
import { Id, Instant, Money, SeatId, body, nullable, words } from './fields.ts'

export const CreateBookingBody = body({
  seatId: Type.Optional(SeatId),
  seatIds: Type.Optional(Type.Array(SeatId, { minItems: 1, maxItems: LIMITS.seatIdsPerRequest })),
})
export type CreateBookingBody = Static<typeof CreateBookingBody>
export const BestBookingBody = body({
  eventId: Id,
  quantity: Type.Integer({ minimum: 1, maximum: LIMITS.seatIdsPerRequest }),
  tier: Type.Optional(Type.String({ minLength: 1, maxLength: LIMITS.nameMax })),
  section: Type.Optional(Type.String({ minLength: 1, maxLength: LIMITS.nameMax })),
  together: Type.Optional(Type.Boolean({ default: true })),
  accessible: Type.Optional(Type.Boolean()),
})
export type BestBookingBody = Static<typeof BestBookingBody>
export const CheckoutBody = Type.Optional(
  body({ returnUrl: Type.Optional(Type.String({ maxLength: 2_000 })) }),
)
export const ConfirmBody = body({ method: words(SANDBOX_METHODS) })
export const RefundBody = body({
  seatIds: Type.Optional(Type.Array(SeatId, { minItems: 1, maxItems: LIMITS.seatIdsPerRequest })),
  reason: Type.String({ minLength: 1, maxLength: LIMITS.nameMax }),
})

export const BookingView = Type.Object({
  id: Id,
  eventId: Id,
  eventName: Type.String(),
  status: words(['PENDING', 'CONFIRMED', 'EXPIRED', 'CANCELLED', 'REFUNDED'] as const),
  seats: Type.Array(
    Type.Object({
      id: SeatId,
      n: Type.Integer(),
      section: Type.String(),
      row: nullable(Type.String()),
      number: nullable(Type.String()),
      tier: Type.String(),
      price: Money,
    }),
  ),
  total: Money,
  expiresAt: Instant,
  /**
   * Set while nobody can pay for a reason of ours: the hold has stood still since then. `expiresAt` moves by as much
   * once it goes on.
   */
  frozenSince: nullable(Instant),
  createdAt: Instant,
  confirmedAt: nullable(Instant),
  timeline: Type.Array(Type.Object({ at: Instant, what: Type.String() })),
})
export type BookingView = Static<typeof BookingView>
/** What a hold answers: everything the ledger knows at that moment without asking again. */
export const HeldView = Type.Omit(BookingView, ['eventName', 'timeline'])
export type HeldView = Static<typeof HeldView>
export const CheckoutView = Type.Object({
  provider: Type.String(),
  clientSecret: Type.Optional(Type.String()),
  url: Type.Optional(Type.String()),
  amount: Money,
})
export type CheckoutView = Static<typeof CheckoutView>
/** What the sandbox says of a charge. Other fields may come with it. */
export const SandboxWebhookBody = Type.Object({
  type: words(['charge.captured', 'charge.declined'] as const),
  data: Type.Object({
    ref: Type.String({ maxLength: 200 }),
    metadata: Type.Object({ eventId: Id, paymentId: Id }),
  }),
})
export type SandboxWebhookBody = Static<typeof SandboxWebhookBody>
export const ReceivedView = Type.Object({ received: Type.Boolean() })
export type ReceivedView = Static<typeof ReceivedView>
export const TicketView = Type.Object({
  id: Id,
  bookingId: Id,
  eventId: Id,
  eventName: Type.String(),
  startsAt: Instant,
  timeZone: Type.String(),
  location: Type.String(),
  section: Type.String(),
  row: nullable(Type.String()),
  number: nullable(Type.String()),
  code: Type.String(),
  status: words(['VALID', 'REFUNDED'] as const),
  /** When its holder was let in at the door. */
  usedAt: nullable(Instant),
})
export type TicketView = Static<typeof TicketView>
export const ScanBody = body({
  code: Type.String({ minLength: 1, maxLength: LIMITS.ticketCodeLength }),
  gate: Type.Optional(Type.String({ minLength: 1, maxLength: LIMITS.gateMax })),
  eventId: Type.Optional(Type.String({ maxLength: 64, description: 'The event this door belongs to.' })),
})
export type ScanBody = Static<typeof ScanBody>
export const ScanView = Type.Object({
  result: words(SCAN_RESULTS),
  ticket: nullable(
    Type.Object({
      ...Type.Pick(TicketView, ['id', 'eventId', 'eventName', 'section', 'row', 'number']).properties,
      tier: Type.String(),
      usedAt: nullable(Instant),
      gate: nullable(Type.String()),
    }),
  ),
})
export type ScanView = Static<typeof ScanView>
export const AdmissionsQuery = body({
  eventId: Type.String({ maxLength: 64 }),
  since: Instant,
  gate: Type.Optional(Type.String({ minLength: 1, maxLength: LIMITS.gateMax })),
})
export const AdmissionsView = Type.Object({
  admitted: Type.Integer({ description: 'Let in since then, by every door' }),
  atGate: Type.Integer({ description: 'By the door of this name' }),
})
export type AdmissionsView = Static<typeof AdmissionsView>
