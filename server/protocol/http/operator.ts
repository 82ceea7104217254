// Owns the language of whoever keeps Onsale running: what was given up, what audits found, when holds stood still.
import { Type, type Static } from '@sinclair/typebox'
import { Id, Instant, nullable, words } from './fields.ts'

export const DeadLetterView = Type.Object({
  id: Id,
  kind: Type.String({ examples: ['booking_confirmed'] }),
  /** Whom and what it is about, by their ids; never a secret. */
  about: Type.Object({}, { additionalProperties: true }),
  createdAt: Instant,
  deadAt: Instant,
  attempts: Type.Integer(),
  lastError: nullable(Type.String()),
})
export type DeadLetterView = Static<typeof DeadLetterView>

export const RetriedView = Type.Object({ id: Id })
export type RetriedView = Static<typeof RetriedView>

/** One thing an operator did by hand. */
export const OperatorActionView = Type.Object({
  id: Id,
  at: Instant,
  /** Null once the account is gone. */
  accountId: nullable(Id),
  what: Type.String({ examples: ['dead_letter_retried'] }),
  detail: Type.Object({}, { additionalProperties: true }),
})
export type OperatorActionView = Static<typeof OperatorActionView>

export const AuditView = Type.Object({
  at: Instant,
  tookMs: Type.Integer(),
  violations: Type.Integer(),
  lines: Type.Array(
    Type.Object({
      id: Type.String({ examples: ['I1'] }),
      name: Type.String(),
      ok: Type.Boolean(),
      violations: Type.Integer(),
      sample: Type.Array(Type.String()),
      /** When the event was looked at that was looked at longest ago; not set where all is looked at each time. */
      since: Type.Optional(Instant),
    }),
  ),
})
export type AuditView = Static<typeof AuditView>

const FREEZE_REASONS = ['postgres', 'payment_provider', 'overloaded', 'servers_away'] as const

/** Whether holds run out at this moment. */
export const HoldsView = Type.Object({
  frozen: Type.Boolean(),
  since: nullable(Instant),
  reason: nullable(words(FREEZE_REASONS)),
  /** What one hold is given back at the most, for all outages together. */
  maxSeconds: Type.Integer(),
})
export type HoldsView = Static<typeof HoldsView>

/** One outage that holds were given back. */
export const FreezeView = Type.Object({
  id: Id,
  since: Instant,
  until: Instant,
  reason: Type.String({ examples: ['payment_provider'] }),
  endedBy: Type.String(),
  holds: Type.Integer(),
})
export type FreezeView = Static<typeof FreezeView>
