// Owns the language of events and seats: what is sold, where it lies, what is free.
import { Type, type Static } from '@sinclair/typebox'
import { LIMITS, ROOM_PHASES, SEAT_ACCESS, SEAT_STATUS_BY_CODE } from '../codes.ts'
import { Id, Instant, Money, Name, PageQuery, SeatId, body, nullable, words } from './fields.ts'
import { SaleAttempts } from './sale.ts'

const eventFields = {
  name: Name,
  description: Type.Optional(Type.String({ maxLength: LIMITS.textMax })),
  location: Name,
  startsAt: Instant,
  currency: Type.String({ pattern: '^[A-Z]{3}$', examples: ['EUR'] }),
  /** IANA name. */
  timeZone: Type.String({ minLength: 1, maxLength: 64, examples: ['Asia/Jakarta'] }),
  onSaleAt: Type.Optional(nullable(Instant)),
  holdSeconds: Type.Optional(Type.Integer({ minimum: 5, maximum: 3600 })),
  maxSeatsPerBooking: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMITS.seatIdsPerRequest })),
  maxSeatsPerBuyer: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
}
export const CreateEventBody = body(eventFields)
export type CreateEventBody = Static<typeof CreateEventBody>
export const UpdateEventBody = Type.Partial(CreateEventBody, {
  additionalProperties: false,
  minProperties: 1,
})
export type UpdateEventBody = Static<typeof UpdateEventBody>

const Amount = Type.Integer({ minimum: 0, maximum: 1_000_000_000_000 })
/** A price in minor units; given as Money, its currency must be the event's. */
const PriceBody = Type.Union([Amount, body({ amount: Amount, currency: Type.String() })])
const TierBody = body({ name: Name, price: PriceBody })
const SeatLabel = Type.String({ minLength: 1, maxLength: 12 })
const SeatLabels = Type.Optional(Type.Array(SeatLabel, { maxItems: LIMITS.seatsPerRow }))
/** Which seats of a row, by their numbers as printed, are kept for whom; the others are standard. */
const RowAccessBody = body({ row: SeatLabel, accessible: SeatLabels, companion: SeatLabels })
const SeatedSectionBody = body({
  name: Name,
  tier: TierBody,
  rows: Type.Integer({ minimum: 1, maximum: LIMITS.rowsPerSection }),
  seatsPerRow: Type.Integer({ minimum: 1, maximum: LIMITS.seatsPerRow }),
  rowLabels: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 12 }), { maxItems: LIMITS.rowsPerSection }),
  ),
  numbering: Type.Optional(words(['left-to-right', 'right-to-left', 'odd-even'] as const)),
  shape: Type.Optional(words(['straight', 'arc'] as const)),
  access: Type.Optional(Type.Array(RowAccessBody, { maxItems: LIMITS.rowsPerSection })),
})
const GeneralSectionBody = body({
  name: Name,
  tier: TierBody,
  capacity: Type.Integer({ minimum: 1, maximum: LIMITS.seatsPerEvent }),
})
export const SectionBody = Type.Union([SeatedSectionBody, GeneralSectionBody])
export type SectionBody = Static<typeof SectionBody>
export const CreateSeatsBody = body({
  sections: Type.Array(SectionBody, {
    minItems: 1,
    maxItems: LIMITS.sectionsPerRequest,
  }),
})
export type CreateSeatsBody = Static<typeof CreateSeatsBody>
/** Which section or tier: a name may hold what a path may not. */
export const SectionQuery = body({ section: Type.String({ minLength: 1, maxLength: LIMITS.nameMax }) })
export const TierQuery = body({ tier: Type.String({ minLength: 1, maxLength: LIMITS.nameMax }) })
export const TierChangeBody = Type.Partial(body({ name: Name, price: Amount }), {
  additionalProperties: false,
  minProperties: 1,
})
export type TierChangeBody = Static<typeof TierChangeBody>
export const PatchSeatsBody = body({
  seatIds: Type.Array(SeatId, { minItems: 1, maxItems: LIMITS.seatIdsPerPatch, uniqueItems: true }),
  /** One of `status` and `access`, or both. */
  status: Type.Optional(words(['BLOCKED', 'AVAILABLE'] as const)),
  access: Type.Optional(words(SEAT_ACCESS)),
  reason: Type.String({ minLength: 1, maxLength: LIMITS.nameMax }),
})
export type PatchSeatsBody = Static<typeof PatchSeatsBody>
export const SeatsQuery = body({
  section: Type.Optional(Type.String({ maxLength: LIMITS.nameMax })),
  status: Type.Optional(words(SEAT_STATUS_BY_CODE)),
  access: Type.Optional(words(SEAT_ACCESS)),
  ...PageQuery,
})

export const RoomSummary = Type.Object({ enabled: Type.Boolean(), phase: words(ROOM_PHASES) })
export const EventSummary = Type.Object({
  id: Id,
  name: Type.String(),
  description: Type.String(),
  location: Type.String(),
  startsAt: Instant,
  /** A copy that a made-up crowd sells out; on no list but its owner's. */
  rehearsal: Type.Boolean(),
  timeZone: Type.String(),
  currency: Type.String(),
  onSaleAt: nullable(Instant),
  status: words(['DRAFT', 'PUBLISHED', 'CANCELLED'] as const),
  seats: Type.Object({ total: Type.Integer(), available: Type.Integer() }),
  room: RoomSummary,
})
export type EventSummary = Static<typeof EventSummary>
export const TierView = Type.Object({ name: Type.String(), price: Money })
export type TierView = Static<typeof TierView>
export const SectionView = Type.Object({
  name: Type.String(),
  kind: words(['seated', 'general'] as const),
  tier: Type.String(),
  seats: Type.Integer(),
})
export type SectionView = Static<typeof SectionView>
export const EventView = Type.Composite([
  EventSummary,
  Type.Object({
    tiers: Type.Array(TierView),
    sections: Type.Array(SectionView),
    mapVersion: Type.Integer(),
    holdSeconds: Type.Integer(),
    maxSeatsPerBooking: Type.Integer(),
    maxSeatsPerBuyer: Type.Integer(),
    /** True when the caller may manage it. */
    mine: Type.Boolean(),
  }),
])
export type EventView = Static<typeof EventView>
export const SeatView = Type.Object({
  id: SeatId,
  n: Type.Integer(),
  section: Type.String(),
  row: nullable(Type.String()),
  number: nullable(Type.String()),
  tier: Type.String(),
  price: Money,
  status: words(SEAT_STATUS_BY_CODE),
  /** Whom it is kept for. */
  access: words(SEAT_ACCESS),
})
export type SeatView = Static<typeof SeatView>

/**
 * Geometry by index. Units are seat pitches: neighbours in a straight row lie 1 apart; y grows away from the stage.
 * A row is a run of `count` seats, the first at (x, y), each next one `dx`, `dy` further; or, when `arc` is given,
 * on the circle [centre x, centre y, radius, first angle, step] in radians, clockwise from the positive x axis, with
 * x, y, dx and dy 0. Positions and labels of seats are read with `server/protocol/seat-map.ts`.
 */
export const MapRow = Type.Object({
  label: Type.String(),
  count: Type.Integer(),
  x: Type.Number(),
  y: Type.Number(),
  dx: Type.Number(),
  dy: Type.Number(),
  arc: Type.Optional(Type.Tuple([Type.Number(), Type.Number(), Type.Number(), Type.Number(), Type.Number()])),
})
export type MapRow = Static<typeof MapRow>
export const MapSection = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  kind: words(['seated', 'general'] as const),
  /** Index into `tiers`. */
  tier: Type.Integer(),
  /** The section's seats are n in [first, first + seats), row by row. */
  first: Type.Integer(),
  seats: Type.Integer(),
  numbering: Type.Optional(words(['left-to-right', 'right-to-left', 'odd-even'] as const)),
  /** [x, y, width, height] of its bounding box. */
  box: Type.Tuple([Type.Number(), Type.Number(), Type.Number(), Type.Number()]),
  /** Empty for general admission. */
  rows: Type.Array(MapRow),
})
export type MapSection = Static<typeof MapSection>
/** Seats n in [first, first + count). */
export const SeatRun = Type.Tuple([Type.Integer(), Type.Integer()], { description: '[first n, count]' })
export type SeatRun = Static<typeof SeatRun>
/** Runs in order of n; every seat in none of them is standard. */
export const MapAccess = Type.Object({
  accessible: Type.Array(SeatRun),
  companion: Type.Array(SeatRun),
})
export type MapAccess = Static<typeof MapAccess>
export const MapView = Type.Object({
  mapVersion: Type.Integer(),
  total: Type.Integer(),
  tiers: Type.Array(TierView),
  sections: Type.Array(MapSection),
  /** Seats kept for who needs them; left out when there are none. */
  access: Type.Optional(MapAccess),
  /** [x, y, width, height] */
  stage: Type.Tuple([Type.Number(), Type.Number(), Type.Number(), Type.Number()]),
  width: Type.Number(),
  height: Type.Number(),
})
export type MapView = Static<typeof MapView>
export const AvailabilityView = Type.Object({
  version: Type.Integer(),
  total: Type.Integer(),
  status: Type.String({ description: 'base64, 2 bits a seat: seat n at bits 2(n mod 4) of byte ⌊n/4⌋' }),
})
export type AvailabilityView = Static<typeof AvailabilityView>
export const CreatedView = Type.Object({ created: Type.Integer() })
export const EventStatsView = Type.Object({
  seats: Type.Object({
    total: Type.Integer(),
    available: Type.Integer(),
    reserved: Type.Integer(),
    sold: Type.Integer(),
    blocked: Type.Integer(),
  }),
  bookings: Type.Object({
    pending: Type.Integer(),
    confirmed: Type.Integer(),
    expired: Type.Integer(),
    cancelled: Type.Integer(),
    refunded: Type.Integer(),
  }),
  revenue: Money,
  funnel: Type.Object({
    joined: Type.Integer(),
    admitted: Type.Integer(),
    held: Type.Integer(),
    paid: Type.Integer(),
  }),
  attempts: SaleAttempts,
})
export type EventStatsView = Static<typeof EventStatsView>
