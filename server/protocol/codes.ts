// Owns every error code, close code and public limit: the constants both sides of the wire agree on.

/** Error code → HTTP status. The one list of what can be refused (contract 3.7). */
export const ERROR_STATUS = {
  request_invalid: 400,
  unauthenticated: 401,
  token_expired: 401,
  payment_declined: 402,
  permission_denied: 403,
  email_not_verified: 403,
  pass_required: 403,
  pass_invalid: 403,
  pass_expired: 403,
  challenge_required: 403,
  origin_refused: 403,
  not_found: 404,
  seat_taken: 409,
  seat_locked: 409,
  booking_not_pending: 409,
  event_not_on_sale: 409,
  idempotency_in_progress: 409,
  sold_out: 409,
  booking_expired: 410,
  body_too_large: 413,
  seats_too_many: 422,
  buyer_limit_reached: 422,
  seats_not_together: 422,
  idempotency_key_reused: 422,
  rate_limited: 429,
  internal: 500,
  overloaded: 503,
  store_unavailable: 503,
} as const
export type ErrorCode = keyof typeof ERROR_STATUS
export const ERROR_CODES = Object.keys(ERROR_STATUS) as ErrorCode[]

/** HTTP reason phrases for the `error` field. */
export const REASON: Record<(typeof ERROR_STATUS)[ErrorCode], string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

export const CLOSE_CODES = {
  restarting: 4001,
  replaced: 4003,
  unauthenticated: 4004,
  rate_limited: 4029,
  policy: 1008,
  too_large: 1009,
} as const

/** Limits a client can meet; beyond them it is refused, never served wrong. */
export const LIMITS = {
  bodyBytes: 64 * 1024,
  frameBytes: 4 * 1024,
  framesPerSecond: 10,
  socketsPerAccountAndEvent: 5,
  badFramesBeforeClose: 3,
  badFrameWindowMs: 10_000,
  helloWithinMs: 5_000,
  /** How many go first when somebody called steps back. */
  deferPlaces: 50,
  pageMax: 200,
  pageDefault: 50,
  seatsPerEvent: 200_000,
  sectionsPerRequest: 500,
  rowsPerSection: 1_000,
  seatsPerRow: 1_000,
  seatIdsPerRequest: 100,
  /** As many as fit into bodyBytes. */
  seatIdsPerPatch: 1_300,
  idempotencyKeyLength: 128,
  passwordMin: 10,
  passwordMax: 128,
  nameMax: 200,
  textMax: 5_000,
  noticeMax: 500,
  devBuyersPerRequest: 5_000,
  rehearsalBuyersMax: 5_000,
  /** Of every hundred admissions: some are always left to the line. */
  priorityShareMax: 90,
  /** As many as fit into bodyBytes. */
  emailsPerRequest: 7_000,
  emailsPerPriorityList: 100_000,
  invitationsPerRequest: 500,
  invitationsPerEvent: 20_000,
  /** As many links as fit into bodyBytes. */
  invitationsPerWithdrawal: 100,
  invitationLength: 1_024,
  ticketCodeLength: 64,
  gateMax: 60,
} as const

export const SEAT_STATUS_BY_CODE = ['AVAILABLE', 'RESERVED', 'SOLD', 'BLOCKED'] as const

/** Whom a seat is kept for: anybody; who uses a wheelchair or cannot use another; who comes with that person. */
export const SEAT_ACCESS = ['standard', 'accessible', 'companion'] as const
export type SeatAccess = (typeof SEAT_ACCESS)[number]

export const ROOM_PHASES = ['off', 'scheduled', 'lobby', 'open', 'paused', 'sold_out', 'closed'] as const
export type RoomPhase = (typeof ROOM_PHASES)[number]

/** What holds the line back at a moment; `none` and `no_one` (nobody waits) hold nothing back. */
export const FLOW_LIMITS = [
  'none',
  'active_max',
  'rate',
  'seats',
  'health',
  'held',
  'paused',
  'sold_out',
  'no_one',
] as const
export type FlowLimit = (typeof FLOW_LIMITS)[number]

export const ENDED_REASONS = ['closed', 'left', 'replaced', 'pass_expired', 'no_show'] as const
export type EndedReason = (typeof ENDED_REASONS)[number]

/** Whether entrants must solve a proof of work before they claim: never, when their address looks risky, always. */
export const CHALLENGES = ['off', 'auto', 'always'] as const
export type ChallengeMode = (typeof CHALLENGES)[number]

/** What the window and the mails are written in. */
export const LANGUAGES = ['en', 'id'] as const
export type Language = (typeof LANGUAGES)[number]

/** What a door is told of a code: only `admitted` opens it, and only once. */
export const SCAN_RESULTS = ['admitted', 'already_used', 'invalid', 'wrong_event', 'refunded'] as const
export type ScanResult = (typeof SCAN_RESULTS)[number]

/** Every permission a route may ask for; `db/seed.ts` gives each to at least one role. */
export const PERMISSIONS = [
  'user:manage',
  'role:assign',
  'role:permission:read:all',
  'role:permission:remove',
  'event:create',
  'event:update:own',
  'event:delete:own',
  'event:stats:own',
  'seat:manage:own',
  'room:manage:own',
  'booking:create:own',
  'booking:read:own',
  'booking:cancel:own',
  'booking:read:all',
  'payment:confirm:own',
  'payment:refund:own',
  'ticket:scan',
  'operation:read:all',
  'operation:retry',
] as const
export type Permission = (typeof PERMISSIONS)[number]

export const ROLE_NAMES = ['USER', 'ORGANIZER', 'ADMIN', 'STAFF'] as const
export type RoleName = (typeof ROLE_NAMES)[number]

export const SANDBOX_METHODS = [
  'sandbox_ok',
  'sandbox_declined',
  'sandbox_slow',
  'sandbox_lost_webhook',
] as const
export type SandboxMethod = (typeof SANDBOX_METHODS)[number]
