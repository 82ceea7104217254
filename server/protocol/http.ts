// Owns the HTTP language: bodies, views and the OpenAPI answers built from them (contract section 3).
import { Type, type Static, type TObject, type TSchema } from '@sinclair/typebox'
import {
  CHALLENGES,
  ENDED_REASONS,
  ERROR_STATUS,
  FLOW_LIMITS,
  LIMITS,
  PERMISSIONS,
  REASON,
  ROLE_NAMES,
  ROOM_PHASES,
  SANDBOX_METHODS,
  SEAT_STATUS_BY_CODE,
  type ErrorCode,
} from './codes.ts'

export const body = <T extends Record<string, TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false })
export const words = <T extends readonly string[]>(list: T) =>
  Type.Union(list.map((word) => Type.Literal(word as T[number])))
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
/** ISO 8601 with a zone, always answered in UTC. */
export const Instant = Type.String({ format: 'date-time', examples: ['2027-04-15T12:00:00.000Z'] })
export const Id = Type.String({ examples: ['0199d0c0-0000-7000-8000-000000000000'] })
const SeatId = Type.String({ maxLength: 64, examples: ['0199d0c0-0000-7000-8000-000000000000:42'] })
export const Email = Type.String({ format: 'email', maxLength: 254 })
const Name = Type.String({ minLength: 1, maxLength: LIMITS.nameMax, pattern: '\\S' })

export const Money = Type.Object(
  { amount: Type.Integer(), currency: Type.String() },
  { description: 'amount in minor units' },
)
export type Money = Static<typeof Money>

// ── Answers ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Success<T> {
  statusCode: number
  message: string
  data: T
}

export interface ErrorDetail {
  path: string
  message: string
}

export interface ErrorAnswer {
  statusCode: number
  message: string
  error: string
  code: ErrorCode
  timestamp: string
  path: string
  requestId: string
  details?: ErrorDetail[] | { seatIds: string[] }
}

const ErrorAnswerSchema = (codes: ErrorCode[]) =>
  Type.Object({
    statusCode: Type.Integer(),
    message: Type.String(),
    error: Type.String(),
    code: words(codes),
    timestamp: Instant,
    path: Type.String(),
    requestId: Type.String(),
    details: Type.Optional(Type.Unknown()),
  })

/** Codes any route may answer, whatever it does. */
export const COMMON_CODES: ErrorCode[] = ['rate_limited', 'internal', 'overloaded', 'store_unavailable']

/**
 * The OpenAPI `responses` of one operation: its success and every error code it may answer, grouped by status.
 * Goes into `detail.responses`, so that documenting an answer costs nothing at run time.
 */
export function documentAnswers(
  success: { status: number; data?: TSchema; contentType?: string; description: string },
  codes: ErrorCode[],
) {
  const envelope = Type.Object({
    statusCode: Type.Integer(),
    message: Type.String(),
    ...(success.data ? { data: success.data } : {}),
  })
  const content = success.contentType
    ? { [success.contentType]: { schema: { type: 'string' } } }
    : { 'application/json': { schema: envelope as unknown as object } }
  const responses: Record<string, { description: string; content: Record<string, { schema: object }> }> = {
    [success.status]: { description: success.description, content },
  }
  const byStatus = Map.groupBy(new Set([...codes, ...COMMON_CODES]), (code) => ERROR_STATUS[code])
  for (const [status, group] of byStatus)
    responses[status] = {
      description: `${REASON[status]}: ${group.join(', ')}`,
      content: { 'application/json': { schema: ErrorAnswerSchema(group) } },
    }
  return responses
}

export const Page = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), nextCursor: nullable(Type.String()) })
export interface Page<T> {
  items: T[]
  nextCursor: string | null
}

export const PageQuery = {
  // Elysia turns a query's text into a number for Number, but not for Integer.
  limit: Type.Optional(Type.Number({ minimum: 1, maximum: LIMITS.pageMax, multipleOf: 1 })),
  cursor: Type.Optional(Type.String({ maxLength: 200 })),
}

// ── Auth ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const Password = Type.String({ minLength: LIMITS.passwordMin, maxLength: LIMITS.passwordMax })
export const RegisterBody = body({ email: Email, password: Password, fullName: Name })
export const LoginBody = body({
  email: Email,
  password: Type.String({ minLength: 1, maxLength: LIMITS.passwordMax }),
})
export const EmailBody = body({ email: Email })
export const RefreshBody = Type.Optional(
  body({ refreshToken: Type.Optional(Type.String({ maxLength: 200 })) }),
)
const MailToken = Type.String({ minLength: 1, maxLength: 200 })
export const VerifyQuery = Type.Object({ token: MailToken, email: Email })
export const ResetPasswordBody = body({ token: MailToken, password: Password })
export const UsersQuery = body({
  query: Type.Optional(Type.String({ maxLength: LIMITS.nameMax })),
  ...PageQuery,
})
export const PageOnlyQuery = body(PageQuery)
export const AssignPermissionsBody = body({ permissionIds: Type.Array(Id, { minItems: 1, maxItems: 100 }) })
export const AssignRolesBody = body({ roleIds: Type.Array(Id, { maxItems: 20 }) })

export const UserView = Type.Object({
  id: Id,
  email: Type.String(),
  fullName: Type.String(),
  verified: Type.Boolean(),
  roles: Type.Array(words(ROLE_NAMES)),
  permissions: Type.Array(words(PERMISSIONS)),
  createdAt: Instant,
})
export type UserView = Static<typeof UserView>
/** `refreshToken` is present only for a client that sends `X-Client: api`. */
export const LoginView = Type.Object({
  accessToken: Type.String(),
  refreshToken: Type.Optional(Type.String()),
  user: UserView,
})
export type LoginView = Static<typeof LoginView>
export const TokenView = Type.Object({
  accessToken: Type.String(),
  refreshToken: Type.Optional(Type.String()),
})
export type TokenView = Static<typeof TokenView>
export const SessionView = Type.Object({
  id: Id,
  userAgent: Type.String(),
  createdAt: Instant,
  lastUsedAt: Instant,
  current: Type.Boolean(),
})
export type SessionView = Static<typeof SessionView>
export const RoleView = Type.Object({ id: Id, name: Type.String(), description: Type.String() })
export type RoleView = Static<typeof RoleView>
export const PermissionView = RoleView
export type PermissionView = RoleView
/** Everything kept about a person. */
export const PersonalDataView = Type.Object({
  account: Type.Object({
    id: Id,
    email: nullable(Type.String()),
    fullName: nullable(Type.String()),
    verifiedAt: nullable(Instant),
    createdAt: Instant,
  }),
  sessions: Type.Array(
    Type.Object({
      id: Id,
      userAgent: Type.String(),
      createdAt: Instant,
      lastUsedAt: Instant,
      endedAt: nullable(Instant),
    }),
  ),
  bookings: Type.Array(
    Type.Object({
      id: Id,
      eventId: Id,
      status: Type.String(),
      total: Money,
      seatIds: Type.Array(SeatId),
      createdAt: Instant,
      confirmedAt: nullable(Instant),
    }),
  ),
  events: Type.Array(Type.Object({ id: Id, name: Type.String(), status: Type.String(), createdAt: Instant })),
  /** Lines that let the person in ahead: by an organiser's list, or an invitation that was used. */
  priority: Type.Array(
    Type.Object({ eventId: Id, by: words(['list', 'invitation'] as const), since: Instant }),
  ),
})

// ── Events and seats ─────────────────────────────────────────────────────────────────────────────────────────────

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
})
const GeneralSectionBody = body({
  name: Name,
  tier: TierBody,
  capacity: Type.Integer({ minimum: 1, maximum: LIMITS.seatsPerEvent }),
})
export const CreateSeatsBody = body({
  sections: Type.Array(Type.Union([SeatedSectionBody, GeneralSectionBody]), {
    minItems: 1,
    maxItems: LIMITS.sectionsPerRequest,
  }),
})
export type CreateSeatsBody = Static<typeof CreateSeatsBody>
export const PatchSeatsBody = body({
  seatIds: Type.Array(SeatId, { minItems: 1, maxItems: LIMITS.seatIdsPerPatch, uniqueItems: true }),
  status: words(['BLOCKED', 'AVAILABLE'] as const),
  reason: Type.String({ minLength: 1, maxLength: LIMITS.nameMax }),
})
export type PatchSeatsBody = Static<typeof PatchSeatsBody>
export const SeatsQuery = body({
  section: Type.Optional(Type.String({ maxLength: LIMITS.nameMax })),
  status: Type.Optional(words(SEAT_STATUS_BY_CODE)),
  ...PageQuery,
})

export const RoomSummary = Type.Object({ enabled: Type.Boolean(), phase: words(ROOM_PHASES) })
export const EventSummary = Type.Object({
  id: Id,
  name: Type.String(),
  description: Type.String(),
  location: Type.String(),
  startsAt: Instant,
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
export const MapView = Type.Object({
  mapVersion: Type.Integer(),
  total: Type.Integer(),
  tiers: Type.Array(TierView),
  sections: Type.Array(MapSection),
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
})
export type EventStatsView = Static<typeof EventStatsView>

// ── Room ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export const RoomBody = body({
  enabled: Type.Boolean(),
  lobbyAt: Type.Optional(nullable(Instant)),
  activeMax: Type.Integer({ minimum: 1, maximum: 100_000 }),
  admitPerMinute: Type.Optional(nullable(Type.Integer({ minimum: 1, maximum: 10_000_000 }))),
  doorSeconds: Type.Integer({ minimum: 0, maximum: 3_600 }),
  passSeconds: Type.Integer({ minimum: 1, maximum: 86_400 }),
  graceSeconds: Type.Integer({ minimum: 0, maximum: 86_400 }),
  /** Whether entrants prove some work before they claim; left as it is when absent. */
  challenge: Type.Optional(words(CHALLENGES)),
})
export type RoomBody = Static<typeof RoomBody>
export const NoticeBody = body({
  text: Type.String({ minLength: 1, maxLength: LIMITS.noticeMax, pattern: '\\S' }),
})
export const JoinBody = Type.Optional(body({ ticket: Type.Optional(Type.String({ maxLength: 1_024 })) }))

const Range = nullable(Type.Tuple([Type.Number(), Type.Number()]))
/** What the socket tells in `room` and `line`, field by field (server/protocol/socket.ts says what each means). */
export const RoomView = Type.Object({
  enabled: Type.Boolean(),
  phase: words(ROOM_PHASES),
  lobbyAt: nullable(Instant),
  onSaleAt: nullable(Instant),
  waiting: Type.Integer(),
  serving: Type.Integer(),
  perMinute: Type.Integer(),
  gone: Type.Array(Type.Tuple([Type.Integer(), Type.Integer()])),
  seatsLeft: Type.Integer(),
  flow: Type.Optional(Range),
  leaving: Type.Optional(Type.Number()),
  step: Type.Optional(Type.Number()),
  reach: Type.Optional(Range),
  doorSeconds: Type.Integer(),
  passSeconds: Type.Integer(),
  commitment: nullable(Type.String()),
  root: Type.Optional(Type.String()),
  epoch: Type.Integer(),
  serverTime: Instant,
  message: Type.Optional(Type.String()),
  comeBackMs: Type.Optional(Type.Integer()),
  priorityShare: Type.Optional(Type.Integer()),
  challenge: Type.Optional(words(CHALLENGES)),
})
export type RoomView = Static<typeof RoomView>
/** The 64 hex digits of a SHA-256. */
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' })
const hex = { pattern: '^([0-9a-f]{2})+$' }
const DRAW_HEADER = {
  event: Id,
  algorithm: Type.String(),
  commitment: Hash,
  secret: Hash,
  entrants: Type.Integer(),
  closedAt: Instant,
  root: Hash,
  beacon: nullable(
    Type.Object({
      url: Type.String(),
      genesis: Type.Number({ description: 'Seconds since 1970 of the chain’s round 1' }),
      period: Type.Number({ description: 'Seconds between rounds' }),
      round: Type.Integer(),
      after: Instant,
      randomness: nullable(Hash),
      signature: nullable(Type.String(hex)),
    }),
  ),
  seed: Hash,
  drawnAt: Instant,
  digest: Hash,
}
export const DrawView = Type.Object({
  ...DRAW_HEADER,
  leaves: Type.String({ description: 'Base64 of 32 bytes a number, by number' }),
})
export const DrawProofQuery = Type.Object({
  number: Type.Optional(Type.Number({ minimum: 0, maximum: 2 ** 31 - 1, multipleOf: 1 })),
})
export const DrawProofView = Type.Object({
  number: Type.Integer(),
  accountId: Id,
  place: Type.Integer(),
  leaf: Hash,
  path: Type.Array(Hash, { description: 'The nodes beside the way to the root, lowest first' }),
  draw: Type.Object(DRAW_HEADER, { description: 'The draw without its leaves' }),
})
export type DrawProofView = Static<typeof DrawProofView>
export const RoomSettingsView = Type.Composite([
  RoomBody,
  Type.Object({
    control: Type.String(),
    /** Of every hundred admissions, at most so many go to priority. */
    priorityShare: Type.Integer(),
  }),
])
export type RoomSettingsView = Static<typeof RoomSettingsView>
/** Where an entrant stands. `state` decides which of the other fields are set. */
export const EntrantView = Type.Object({
  state: words(['outside', 'waiting', 'called', 'admitted'] as const),
  number: nullable(Type.Integer()),
  place: nullable(Type.Integer()),
  ticket: nullable(Type.String()),
  epoch: Type.Integer(),
  /** Has stepped back, so cannot again. */
  deferred: Type.Boolean(),
  /** For `outside`: how the place ended, as the socket's `ended` says; null when there was none. */
  ended: nullable(words(ENDED_REASONS)),
  claimBefore: nullable(Instant),
  pass: nullable(Type.String()),
  expiresAt: nullable(Instant),
  /** People ahead, and how many minutes it may take, 10–90 %; null outside the line or while nobody can say. */
  ahead: nullable(Type.Integer()),
  waitMinutes: Range,
  room: RoomView,
  /** Poll again after this many milliseconds. */
  pollMs: Type.Integer(),
})
export type EntrantView = Static<typeof EntrantView>

const Hex = Type.String({ pattern: '^[0-9a-f]*$', maxLength: 256 })
/** A proof-of-work challenge as altcha-lib makes, solves and verifies them (version 2). */
const Challenge = body({
  parameters: body({
    algorithm: Type.String({ maxLength: 32 }),
    nonce: Hex,
    salt: Hex,
    cost: Type.Integer({ minimum: 1 }),
    keyLength: Type.Integer({ minimum: 1 }),
    keyPrefix: Hex,
    keySignature: Type.Optional(Hex),
    expiresAt: Type.Optional(Type.Integer()),
    data: Type.Optional(
      body({
        account: Type.String({ maxLength: 64 }),
        event: Type.String({ maxLength: 64 }),
        number: Type.Integer(),
      }),
    ),
  }),
  signature: Hex,
})
/** What to solve before claiming; null when nothing is owed. */
export const ChallengeView = Type.Object({ required: Type.Boolean(), challenge: nullable(Challenge) })
export type ChallengeView = Static<typeof ChallengeView>
export const ChallengeProof = body({
  challenge: Challenge,
  solution: body({
    counter: Type.Integer({ minimum: 0 }),
    derivedKey: Hex,
    time: Type.Optional(Type.Number()),
  }),
})
export type ChallengeProof = Static<typeof ChallengeProof>

export const RoomStatsView = Type.Object({
  waiting: Type.Integer(),
  called: Type.Integer(),
  active: Type.Integer(),
  admitted: Type.Integer(),
  noShows: Type.Integer(),
  noShowRate: Type.Number(),
  perMinute: Type.Integer(),
  waitSeconds: Type.Object({
    p50: nullable(Type.Number()),
    p90: nullable(Type.Number()),
    p99: nullable(Type.Number()),
  }),
  /** Of `called`, those who claimed and wait for a free pass. */
  door: Type.Integer(),
  seatsLeft: Type.Integer(),
  limit: words(FLOW_LIMITS),
  /** How many are called for each who is expected to come, 1 to 2. */
  overCall: Type.Number(),
  /** The share of the usual flow that the seats' health allows, 0 to 1. */
  brake: Type.Number(),
  /** Why it brakes: `latency:<ms>`, `conflicts:<share>`, `errors:<share>`; null while it does not. */
  reason: nullable(Type.String()),
  /** Seats an admission typically takes; null while too few have come in. */
  seatsPerAdmission: nullable(Type.Number()),
  /** Of the waits that were forecast, the share that came within its range, meant to be 0.8; null before the first. */
  forecastCoverage: nullable(Type.Number()),
  settings: RoomSettingsView,
})
export type RoomStatsView = Static<typeof RoomStatsView>

// ── Bookings, payments, tickets ──────────────────────────────────────────────────────────────────────────────────

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
})
export type TicketView = Static<typeof TicketView>

// ── Demo and load ────────────────────────────────────────────────────────────────────────────────────────────────

export const DevBuyersBody = body({
  count: Type.Integer({ minimum: 1, maximum: LIMITS.devBuyersPerRequest }),
})
export const DevBuyerView = Type.Object({ id: Id, email: Type.String(), accessToken: Type.String() })
export type DevBuyerView = Static<typeof DevBuyerView>
/** A mail of the embedded mailbox. */
export const MailView = Type.Object({
  to: Type.String(),
  from: Type.String(),
  subject: Type.String(),
  text: Type.String(),
  html: Type.String(),
  links: Type.Array(Type.String()),
  at: Instant,
})

/** Names the fields of a schema, for tests that hold documents against code. */
export const fieldNames = (schema: TObject) => Object.keys(schema.properties)
