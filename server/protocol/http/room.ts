// Owns the language of the waiting room as HTTP speaks it, and of its draw.
import { Type, type Static } from '@sinclair/typebox'
import { CHALLENGES, ENDED_REASONS, FLOW_LIMITS, LIMITS, ROOM_PHASES } from '../codes.ts'
import { Id, Instant, body, nullable, words } from './fields.ts'

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
/** What was said; `id` rises with each notice of the room. */
export const NoticeView = Type.Object({ id: Type.String(), text: Type.String() })
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
