// Owns the language between a room and whoever runs it, beside settings and figures: priority, and the log of its steps.
import { Type, type Static } from '@sinclair/typebox'
import { LIMITS } from './codes.ts'
import { body, Email, Id, Instant, nullable, PageQuery, words } from './http.ts'

// ── Priority ─────────────────────────────────────────────────────────────────────────────────────────────────────

const Share = Type.Integer({
  minimum: 0,
  maximum: LIMITS.priorityShareMax,
  description: 'Of every hundred admissions, at most so many go to priority; told to everybody',
})
export const PriorityBody = body({ share: Share })
export const PriorityEmailsBody = body({
  emails: Type.Array(Email, { minItems: 1, maxItems: LIMITS.emailsPerRequest }),
})
export const InvitationsBody = body({
  count: Type.Integer({ minimum: 1, maximum: LIMITS.invitationsPerRequest }),
  expiresAt: Type.Optional(Instant),
})
/** As batches are named. */
const Batch = Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' })
export const InvitationsQuery = body({ ...PageQuery, cursor: Type.Optional(Batch) })
/** Exactly one of the two. */
export const WithdrawBody = body({
  batch: Type.Optional(Batch),
  invitations: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: LIMITS.invitationLength }), {
      minItems: 1,
      maxItems: LIMITS.invitationsPerWithdrawal,
      description: 'Links as they were handed out, or what stands behind their #',
    }),
  ),
})
export const RedeemBody = body({
  invitation: Type.String({ minLength: 1, maxLength: LIMITS.invitationLength }),
})

/** Counts on from the first address: no address is ever part of a URL. */
export const PriorityQuery = body({
  ...PageQuery,
  cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,6}$' })),
})

export const PriorityView = Type.Object({
  share: Share,
  listed: Type.Integer({ description: 'Addresses on the list, whether or not an account has them' }),
  used: Type.Integer({ description: 'Invitations that were used' }),
  /** The list in order of address, a page of it. */
  items: Type.Array(Type.Object({ email: Type.String(), addedAt: Instant })),
  nextCursor: nullable(Type.String()),
})
export type PriorityView = Static<typeof PriorityView>
export const PriorityAddedView = Type.Object({ added: Type.Integer(), total: Type.Integer() })
export type PriorityAddedView = Static<typeof PriorityAddedView>
export const PriorityRemovedView = Type.Object({ removed: Type.Integer(), total: Type.Integer() })
export type PriorityRemovedView = Static<typeof PriorityRemovedView>
export const InvitationsView = Type.Object({
  links: Type.Array(
    Type.String({ description: 'Opens the web page that uses it; the invitation is behind the #' }),
  ),
  expiresAt: Instant,
})
export type InvitationsView = Static<typeof InvitationsView>
/** What became of the invitations made in one go. */
export const InvitationBatchView = Type.Object({
  batch: Id,
  madeAt: Instant,
  expiresAt: Instant,
  made: Type.Integer(),
  used: Type.Integer(),
  withdrawn: Type.Integer(),
  unused: Type.Integer({ description: 'Neither used nor withdrawn; after `expiresAt` they open nothing' }),
})
export type InvitationBatchView = Static<typeof InvitationBatchView>
export const WithdrawnView = Type.Object({ withdrawn: Type.Integer() })
export type WithdrawnView = Static<typeof WithdrawnView>
export const RedeemedView = Type.Object({ eventId: Id, share: Share })
export type RedeemedView = Static<typeof RedeemedView>

// ── Steps ────────────────────────────────────────────────────────────────────────────────────────────────────────

export const STEP_KINDS = [
  'opened',
  'drawn',
  'called',
  'paused',
  'resumed',
  'limited',
  'unlimited',
  'settings',
  'sold_out',
  'returned',
  'held',
  'restored',
  'closed',
] as const
export type StepKind = (typeof STEP_KINDS)[number]
export const StepsQuery = body(PageQuery)

/** One entry of the log. Counts are of what happened since the entry before. */
export const StepView = Type.Object({
  id: Type.String(),
  at: Instant,
  kind: words(STEP_KINDS),
  serving: Type.Integer(),
  called: Type.Integer(),
  claimed: Type.Integer(),
  noShows: Type.Integer(),
  /** At the seats at that moment. */
  active: Type.Integer(),
  /** What changed, or what limits the flow, and its figures: `{ by, … }`, or `{ setting: [before, after] }`. */
  detail: nullable(Type.Unsafe<Record<string, unknown>>(Type.Object({}, { additionalProperties: true }))),
})
export type StepView = Static<typeof StepView>
