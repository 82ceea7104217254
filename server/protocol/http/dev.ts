// Owns the language of what only a demo or a load has: made-up buyers, and the mailbox.
import { Type, type Static } from '@sinclair/typebox'
import { LIMITS } from '../codes.ts'
import { Id, Instant, body, nullable, words } from './fields.ts'

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

// ── Rehearsals ───────────────────────────────────────────────────────────────────────────────────────────────────

export const RehearsalBody = body({
  eventId: Id,
  buyers: Type.Integer({ minimum: 10, maximum: LIMITS.rehearsalBuyersMax }),
})
export type RehearsalBody = Static<typeof RehearsalBody>

const Count = Type.Integer({ minimum: 0 })
/** Where the crowd stands. */
export const RehearsalProgress = Type.Object({
  seconds: Type.Integer(),
  waiting: Count,
  admitted: Count,
  bought: Count,
  done: Count,
  seatsLeft: Count,
})
export type RehearsalProgress = Static<typeof RehearsalProgress>
/** Words with how often. */
const Counts = Type.Unsafe<Record<string, number>>(Type.Object({}, { additionalProperties: Count }))
const Percentiles = Type.Object({ p50: Type.Number(), p95: Type.Number(), max: Type.Number() })
export const RehearsalResult = Type.Object({
  seconds: Type.Number(),
  seatsBought: Count,
  admitted: Count,
  /** What became of the buyers: `bought`, `walked_away`, `sold_out`, … and how many of them. */
  outcomes: Counts,
  /** Every refusal that was met, by its code. */
  refusals: Counts,
  /** Nobody who waited was passed by somebody behind. */
  orderKept: Type.Boolean(),
  waitSeconds: Percentiles,
  bookMs: Percentiles,
})
export type RehearsalResult = Static<typeof RehearsalResult>

const REHEARSAL_STATES = ['idle', 'busy', 'running', 'ended', 'stopped', 'failed'] as const
export const RehearsalView = Type.Object({
  /** `busy`: somebody else's is under way. */
  state: words(REHEARSAL_STATES),
  /** The copy that is sold out, and the event it was made of. */
  eventId: nullable(Id),
  of: nullable(Id),
  buyers: Count,
  startedAt: nullable(Instant),
  onSaleAt: nullable(Instant),
  progress: nullable(RehearsalProgress),
  result: nullable(RehearsalResult),
})
export type RehearsalView = Static<typeof RehearsalView>
