// Owns the tables: what the ledger guarantees by constraint, whatever code may do above it.
//
// Rows that belong to an event are keyed by event_id first, so that the tables can be distributed by it.
// No function newer than PostgreSQL 14 is used; ids are made by the application.
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  customType,
  foreignKey,
  index,
  integer,
  jsonb,
  pgEnum,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import type { AuditLine } from './audit.ts'
import {
  BOOKING_STATUSES,
  EVENT_STATUSES,
  PAYMENT_STATUSES,
  ROOM_CHALLENGES,
  ROOM_CONTROLS,
  SEAT_ACCESS,
  SEAT_STATUSES,
  SECTION_KINDS,
  TICKET_STATUSES,
} from './lifecycle.ts'

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' })
const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date', precision: 3 })
const createdAt = () => at('created_at').notNull().defaultNow()
/** Money in minor units of the event's currency. */
const minor = (name: string) => bigint(name, { mode: 'number' })

export const seatStatus = pgEnum('seat_status', SEAT_STATUSES)
export const seatAccess = pgEnum('seat_access', SEAT_ACCESS)
export const bookingStatus = pgEnum('booking_status', BOOKING_STATUSES)
export const paymentStatus = pgEnum('payment_status', PAYMENT_STATUSES)
export const ticketStatus = pgEnum('ticket_status', TICKET_STATUSES)
export const eventStatus = pgEnum('event_status', EVENT_STATUSES)
export const roomControl = pgEnum('room_control', ROOM_CONTROLS)
export const roomChallenge = pgEnum('room_challenge', ROOM_CHALLENGES)
export const sectionKind = pgEnum('section_kind', SECTION_KINDS)

// ── People ───────────────────────────────────────────────────────────────────────────────────────────────────────

export const accounts = pgTable(
  'accounts',
  {
    id: uuid('id').primaryKey(),
    /** Always lower case. Null once the person is erased. */
    email: text('email'),
    /** Argon2id in PHC form. */
    passwordHash: text('password_hash'),
    fullName: text('full_name'),
    /** What mails are written in; null until the person said so. */
    language: text('language'),
    verifiedAt: at('verified_at'),
    disabledAt: at('disabled_at'),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('accounts_email_key').on(t.email),
    check('accounts_email_lower', sql`${t.email} = lower(${t.email})`),
    check('accounts_language', sql`${t.language} ~ '^[a-z]{2,3}$'`),
  ],
)

export const roles = pgTable('roles', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull().unique('roles_name_key'),
  description: text('description').notNull().default(''),
})

export const permissions = pgTable('permissions', {
  id: uuid('id').primaryKey(),
  /** `resource:action[:own|:all]` */
  name: text('name').notNull().unique('permissions_name_key'),
  description: text('description').notNull().default(''),
})

export const rolePermissions = pgTable(
  'role_permissions',
  {
    roleId: uuid('role_id')
      .notNull()
      .references(() => roles.id, { onDelete: 'cascade' }),
    permissionId: uuid('permission_id')
      .notNull()
      .references(() => permissions.id, { onDelete: 'cascade' }),
  },
  (t) => [primaryKey({ columns: [t.roleId, t.permissionId] })],
)

export const accountRoles = pgTable(
  'account_roles',
  {
    accountId: uuid('account_id')
      .notNull()
      .references(() => accounts.id, { onDelete: 'cascade' }),
    roleId: uuid('role_id')
      .notNull()
      .references(() => roles.id, { onDelete: 'cascade' }),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.roleId] })],
)

/** One row a login; it is the family of every refresh token that follows from that login. */
export const sessions = pgTable(
  'sessions',
  {
    id: uuid('id').primaryKey(),
    accountId: uuid('account_id')
      .notNull()
      .references(() => accounts.id, { onDelete: 'cascade' }),
    userAgent: text('user_agent').notNull().default(''),
    createdAt: createdAt(),
    lastUsedAt: at('last_used_at').notNull().defaultNow(),
    expiresAt: at('expires_at').notNull(),
    endedAt: at('ended_at'),
    endedBecause: text('ended_because'),
  },
  (t) => [index('sessions_account_idx').on(t.accountId)],
)

export const refreshTokens = pgTable(
  'refresh_tokens',
  {
    /** SHA-256 of the token; the token itself is never stored. */
    hash: bytea('hash').primaryKey(),
    sessionId: uuid('session_id')
      .notNull()
      .references(() => sessions.id, { onDelete: 'cascade' }),
    createdAt: createdAt(),
    /** Set when the token was exchanged; a second use after the grace ends the session. */
    rotatedAt: at('rotated_at'),
  },
  (t) => [index('refresh_tokens_session_idx').on(t.sessionId)],
)

/** Single-use secrets sent by mail: address verification and password reset. */
export const mailTokens = pgTable(
  'mail_tokens',
  {
    hash: bytea('hash').primaryKey(),
    accountId: uuid('account_id')
      .notNull()
      .references(() => accounts.id, { onDelete: 'cascade' }),
    purpose: text('purpose').notNull(),
    createdAt: createdAt(),
    expiresAt: at('expires_at').notNull(),
    usedAt: at('used_at'),
  },
  (t) => [
    index('mail_tokens_account_idx').on(t.accountId),
    check('mail_tokens_purpose', sql`${t.purpose} in ('verify_email', 'reset_password')`),
  ],
)

// ── Events, seats, rooms ─────────────────────────────────────────────────────────────────────────────────────────

export const events = pgTable(
  'events',
  {
    id: uuid('id').primaryKey(),
    ownerId: uuid('owner_id')
      .notNull()
      .references(() => accounts.id),
    name: text('name').notNull(),
    description: text('description').notNull().default(''),
    location: text('location').notNull(),
    startsAt: at('starts_at').notNull(),
    timeZone: text('time_zone').notNull(),
    /** ISO 4217. */
    currency: text('currency').notNull(),
    onSaleAt: at('on_sale_at'),
    holdSeconds: integer('hold_seconds').notNull().default(900),
    maxSeatsPerBooking: integer('max_seats_per_booking').notNull().default(6),
    maxSeatsPerBuyer: integer('max_seats_per_buyer').notNull().default(8),
    status: eventStatus('status').notNull().default('DRAFT'),
    /** A copy that a made-up crowd may sell out: on no list of buyers, and replaced by its owner's next one. */
    rehearsal: boolean('rehearsal').notNull().default(false),
    /** Raised by each change of geometry; a map is immutable per version. */
    mapVersion: integer('map_version').notNull().default(0),
    /** Seats ever created: the next seat's n. */
    seatCount: integer('seat_count').notNull().default(0),
    createdAt: createdAt(),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (t) => [
    index('events_published_idx')
      .on(t.startsAt)
      .where(sql`${t.status} = 'PUBLISHED'`),
    index('events_owner_idx').on(t.ownerId),
    check('events_hold_seconds', sql`${t.holdSeconds} between 5 and 3600`),
    check('events_limits', sql`${t.maxSeatsPerBooking} >= 1 and ${t.maxSeatsPerBuyer} >= 1`),
    check('events_seat_count', sql`${t.seatCount} between 0 and 200000`),
  ],
)

export const tiers = pgTable(
  'tiers',
  {
    eventId: uuid('event_id')
      .notNull()
      .references(() => events.id, { onDelete: 'cascade' }),
    /** 0-based, in order of creation. */
    id: smallint('id').notNull(),
    name: text('name').notNull(),
    price: minor('price').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.eventId, t.id] }),
    unique('tiers_name_key').on(t.eventId, t.name),
    check('tiers_price', sql`${t.price} >= 0`),
  ],
)

/** How a section is laid out; the map and every seat's label follow from it. */
export interface SectionLayout {
  rows: number
  seatsPerRow: number
  /** Labels of the rows, front first; as many as rows. */
  rowLabels: string[]
  /** How seats are numbered within a row, seen from the stage. */
  numbering: 'left-to-right' | 'right-to-left' | 'odd-even'
  shape: 'straight' | 'arc'
  /** As asked for when the section was made; what a seat is now stands in its own row. */
  access?: RowAccess[]
}

/** Seats of one row kept for whom, by their numbers as printed. */
export interface RowAccess {
  row: string
  accessible?: string[]
  companion?: string[]
}

export const sections = pgTable(
  'sections',
  {
    eventId: uuid('event_id').notNull(),
    /** 0-based, in order of creation. */
    id: smallint('id').notNull(),
    name: text('name').notNull(),
    kind: sectionKind('kind').notNull(),
    tierId: smallint('tier_id').notNull(),
    /** The section's seats are n in [firstN, firstN + seatCount). */
    firstN: integer('first_n').notNull(),
    seatCount: integer('seat_count').notNull(),
    /** Null for general admission. */
    layout: jsonb('layout').$type<SectionLayout>(),
  },
  (t) => [
    primaryKey({ columns: [t.eventId, t.id] }),
    unique('sections_name_key').on(t.eventId, t.name),
    foreignKey({
      name: 'sections_tier_fk',
      columns: [t.eventId, t.tierId],
      foreignColumns: [tiers.eventId, tiers.id],
    }),
    check('sections_layout', sql`(${t.kind} = 'seated') = (${t.layout} is not null)`),
  ],
)

export const seats = pgTable(
  'seats',
  {
    eventId: uuid('event_id').notNull(),
    /** Index 0…N−1 in map order. */
    n: integer('n').notNull(),
    sectionId: smallint('section_id').notNull(),
    /** Null for general admission. */
    rowLabel: text('row_label'),
    seatLabel: text('seat_label'),
    tierId: smallint('tier_id').notNull(),
    status: seatStatus('status').notNull().default('AVAILABLE'),
    /** Raised by every move; the fence of the reservation path. */
    version: integer('version').notNull().default(0),
    /** The live booking that keeps or bought the seat. */
    bookingId: uuid('booking_id'),
    blockedReason: text('blocked_reason'),
    access: seatAccess('access').notNull().default('standard'),
  },
  (t) => [
    primaryKey({ columns: [t.eventId, t.n] }),
    unique('seats_label_key').on(t.eventId, t.sectionId, t.rowLabel, t.seatLabel),
    // A map names some dozens among a hundred thousand.
    index('seats_access_idx')
      .on(t.eventId, t.n)
      .where(sql`${t.access} <> 'standard'`),
    foreignKey({
      name: 'seats_section_fk',
      columns: [t.eventId, t.sectionId],
      foreignColumns: [sections.eventId, sections.id],
    }),
    // A seat may only point to a booking that lists it, and a listed seat may be live in one booking only (below).
    foreignKey({
      name: 'seats_booking_fk',
      columns: [t.eventId, t.bookingId, t.n],
      foreignColumns: [bookingSeats.eventId, bookingSeats.bookingId, bookingSeats.n],
    }),
    check('seats_status_booking', sql`(${t.status} in ('RESERVED', 'SOLD')) = (${t.bookingId} is not null)`),
    check('seats_status_blocked', sql`(${t.status} = 'BLOCKED') = (${t.blockedReason} is not null)`),
  ],
)

/** The organiser's settings of the room of one event. */
export const rooms = pgTable(
  'rooms',
  {
    eventId: uuid('event_id')
      .primaryKey()
      .references(() => events.id, { onDelete: 'cascade' }),
    enabled: boolean('enabled').notNull().default(false),
    control: roomControl('control').notNull().default('auto'),
    lobbyAt: at('lobby_at'),
    /** Live passes at once. */
    activeMax: integer('active_max').notNull().default(100),
    /** Passes issued in any 60 s; null = unlimited. */
    admitPerMinute: integer('admit_per_minute'),
    /** Time to claim a turn; 0 = admitted without a claim. */
    doorSeconds: integer('door_seconds').notNull().default(60),
    passSeconds: integer('pass_seconds').notNull().default(600),
    /** A lost connection keeps its place this long. */
    graceSeconds: integer('grace_seconds').notNull().default(300),
    noticeId: integer('notice_id').notNull().default(0),
    noticeText: text('notice_text'),
    /** Of every hundred admissions, at most so many go to those with priority while they wait; stated publicly. */
    priorityShare: integer('priority_share').notNull().default(0),
    /** Whether entrants must solve a proof of work before they claim. */
    challenge: roomChallenge('challenge').notNull().default('off'),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (t) => [
    check('rooms_priority_share', sql`${t.priorityShare} between 0 and 100`),
    check('rooms_active_max', sql`${t.activeMax} between 1 and 100000`),
    check(
      'rooms_seconds',
      sql`${t.doorSeconds} >= 0 and ${t.passSeconds} >= 1 and ${t.graceSeconds} >= 0 and (${t.admitPerMinute} is null or ${t.admitPerMinute} >= 1)`,
    ),
  ],
)

/** How far the line had come, saved about once a second: what a wiped Redis starts from. */
export const roomProgress = pgTable('room_progress', {
  eventId: uuid('event_id')
    .primaryKey()
    .references(() => events.id, { onDelete: 'cascade' }),
  epoch: integer('epoch').notNull(),
  /** Numbers given out so far. */
  arrivals: integer('arrivals').notNull(),
  serving: integer('serving').notNull(),
  savedAt: at('saved_at').notNull().defaultNow(),
})

/** The draw of one event's lobby: the secret it is committed to, and, once the list is closed, everything to check it by. */
export const roomDraws = pgTable(
  'room_draws',
  {
    eventId: uuid('event_id')
      .primaryKey()
      .references(() => events.id, { onDelete: 'cascade' }),
    /** 32 random bytes, published with the draw and never before. */
    secret: bytea('secret').notNull(),
    createdAt: createdAt(),
    /** When the list was closed; numbers below `entrants` are drawn, all others line up behind them. */
    closedAt: at('closed_at'),
    entrants: integer('entrants'),
    /** 32 bytes a number, in order of number: the leaves under `root`. */
    leaves: bytea('leaves'),
    root: bytea('root'),
    /** What the public beacon said, or why it was not heard; null when none is configured. */
    beacon: jsonb('beacon'),
    seed: bytea('seed'),
    drawnAt: at('drawn_at'),
  },
  (t) => [
    check('room_draws_secret', sql`octet_length(${t.secret}) = 32`),
    check(
      'room_draws_closed',
      sql`(${t.closedAt} is null) = (${t.entrants} is null) and (${t.closedAt} is not null or ${t.root} is null)`,
    ),
    check(
      'room_draws_drawn',
      sql`(${t.drawnAt} is null) = (${t.seed} is null) and (${t.seed} is null or ${t.root} is not null)`,
    ),
  ],
)

/** Why the line flowed as it did: each step of the watermark, and each change of what limits it. */
export const roomSteps = pgTable(
  'room_steps',
  {
    eventId: uuid('event_id')
      .notNull()
      .references(() => events.id, { onDelete: 'cascade' }),
    epoch: integer('epoch').notNull(),
    /** Counts from 1 in each epoch. */
    seq: integer('seq').notNull(),
    at: at('at').notNull(),
    kind: text('kind').notNull(),
    serving: integer('serving').notNull(),
    /** People called in this step, and of those before it: claims and no-shows since the last one. */
    called: integer('called').notNull().default(0),
    claimed: integer('claimed').notNull().default(0),
    noShows: integer('no_shows').notNull().default(0),
    active: integer('active').notNull().default(0),
    /** What limits or changes the flow, and its figures. */
    detail: jsonb('detail'),
  },
  (t) => [primaryKey({ columns: [t.eventId, t.epoch, t.seq] })],
)

/** Who may enter ahead: an address on the organiser's list, or a signed invitation once somebody has used it. */
export const roomPriority = pgTable(
  'room_priority',
  {
    eventId: uuid('event_id')
      .notNull()
      .references(() => events.id, { onDelete: 'cascade' }),
    /** `email:<lower case address>` or `invitation:<its id>`. */
    subject: text('subject').notNull(),
    /** Who used the invitation; null on the list. */
    accountId: uuid('account_id').references(() => accounts.id, { onDelete: 'cascade' }),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.eventId, t.subject] }),
    index('room_priority_account').on(t.eventId, t.accountId),
  ],
)

/** An invitation that was made: what it opens is signed, and what is kept of it here lets its organiser take it back. */
export const roomInvitations = pgTable(
  'room_invitations',
  {
    /** The token's own id. */
    id: uuid('id').notNull(),
    eventId: uuid('event_id')
      .notNull()
      .references(() => events.id, { onDelete: 'cascade' }),
    /** Those made in one go; made in order of time. */
    batch: uuid('batch').notNull(),
    createdAt: createdAt(),
    expiresAt: at('expires_at').notNull(),
    withdrawnAt: at('withdrawn_at'),
  },
  (t) => [primaryKey({ columns: [t.eventId, t.id] }), index('room_invitations_batch').on(t.eventId, t.batch)],
)

// ── Bookings, payments, tickets ──────────────────────────────────────────────────────────────────────────────────

export const bookings = pgTable(
  'bookings',
  {
    eventId: uuid('event_id')
      .notNull()
      .references(() => events.id),
    id: uuid('id').notNull(),
    accountId: uuid('account_id')
      .notNull()
      .references(() => accounts.id),
    status: bookingStatus('status').notNull().default('PENDING'),
    seatCount: integer('seat_count').notNull(),
    total: minor('total').notNull(),
    currency: text('currency').notNull(),
    expiresAt: at('expires_at').notNull(),
    createdAt: createdAt(),
    confirmedAt: at('confirmed_at'),
    endedAt: at('ended_at'),
    /** When its buyer was given more time; once is all. */
    extendedAt: at('extended_at'),
    /** Given back for outages of ours so far, ms (db/bookings/hold-clock.ts). */
    frozenMs: integer('frozen_ms').notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.eventId, t.id] }),
    index('bookings_id_idx').on(t.id),
    index('bookings_account_idx').on(t.accountId, t.id),
    index('bookings_event_account_idx')
      .on(t.eventId, t.accountId)
      .where(sql`${t.status} in ('PENDING', 'CONFIRMED')`),
    index('bookings_due_idx')
      .on(t.expiresAt)
      .where(sql`${t.status} = 'PENDING'`),
    check('bookings_total', sql`${t.total} >= 0 and ${t.seatCount} >= 1`),
    check(
      'bookings_confirmed',
      sql`(${t.status} in ('CONFIRMED', 'REFUNDED')) = (${t.confirmedAt} is not null)`,
    ),
  ],
)

export const bookingSeats = pgTable(
  'booking_seats',
  {
    eventId: uuid('event_id').notNull(),
    bookingId: uuid('booking_id').notNull(),
    n: integer('n').notNull(),
    /** The seat's price when it was held. */
    price: minor('price').notNull(),
    /** True while the booking is PENDING or CONFIRMED. */
    live: boolean('live').notNull().default(true),
  },
  (t) => [
    primaryKey({ columns: [t.eventId, t.bookingId, t.n] }),
    // The guarantee: whatever code does, a seat is in one live booking at the most.
    uniqueIndex('booking_seats_live_key')
      .on(t.eventId, t.n)
      .where(sql`${t.live}`),
    foreignKey({
      name: 'booking_seats_booking_fk',
      columns: [t.eventId, t.bookingId],
      foreignColumns: [bookings.eventId, bookings.id],
    }),
  ],
)

/** What happened to a booking, in words for its buyer and for support. */
export const bookingTimeline = pgTable(
  'booking_timeline',
  {
    eventId: uuid('event_id').notNull(),
    bookingId: uuid('booking_id').notNull(),
    id: bigint('id', { mode: 'number' }).generatedAlwaysAsIdentity(),
    at: at('at').notNull().defaultNow(),
    /** Past tense, snake_case: `seats_held`, `payment_declined`. */
    what: text('what').notNull(),
    detail: jsonb('detail').$type<Record<string, unknown>>(),
  },
  (t) => [
    primaryKey({ columns: [t.eventId, t.bookingId, t.id] }),
    foreignKey({
      name: 'booking_timeline_booking_fk',
      columns: [t.eventId, t.bookingId],
      foreignColumns: [bookings.eventId, bookings.id],
    }),
  ],
)

export const payments = pgTable(
  'payments',
  {
    eventId: uuid('event_id').notNull(),
    id: uuid('id').notNull(),
    bookingId: uuid('booking_id').notNull(),
    provider: text('provider').notNull(),
    /** The provider's own id of the charge. */
    providerRef: text('provider_ref').notNull(),
    method: text('method').notNull(),
    status: paymentStatus('status').notNull(),
    amount: minor('amount').notNull(),
    captured: minor('captured').notNull().default(0),
    refunded: minor('refunded').notNull().default(0),
    createdAt: createdAt(),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.eventId, t.id] }),
    unique('payments_provider_ref_key').on(t.eventId, t.provider, t.providerRef),
    index('payments_booking_idx').on(t.eventId, t.bookingId),
    index('payments_open_idx')
      .on(t.updatedAt)
      .where(sql`${t.status} in ('PROCESSING', 'REFUND_DUE')`),
    // One charge under way a booking: a double click cannot start a second.
    uniqueIndex('payments_one_open_key')
      .on(t.eventId, t.bookingId)
      .where(sql`${t.status} = 'PROCESSING'`),
    foreignKey({
      name: 'payments_booking_fk',
      columns: [t.eventId, t.bookingId],
      foreignColumns: [bookings.eventId, bookings.id],
    }),
    check(
      'payments_money',
      sql`${t.refunded} >= 0 and ${t.refunded} <= ${t.captured} and ${t.captured} <= ${t.amount}`,
    ),
  ],
)

/** One row: the clock that holds run by. It stands while nobody says that buyers can pay. */
export const holdClock = pgTable(
  'hold_clock',
  {
    id: smallint('id').primaryKey().default(1),
    /** When a server last said so. */
    beatAt: at('beat_at').notNull(),
  },
  (t) => [check('hold_clock_one', sql`${t.id} = 1`)],
)

/** Outages that holds were given back: when, why, and who noticed their end. */
export const holdFreezes = pgTable('hold_freezes', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  since: at('since').notNull(),
  until: at('until').notNull(),
  reason: text('reason').notNull(),
  /** The server process that gave the time back. */
  endedBy: text('ended_by').notNull(),
  /** Holds that got time. */
  holds: integer('holds').notNull(),
})

/** The sandbox provider's own book: the outside world of the demo, kept apart from the ledger's payments. */
export const sandboxCharges = pgTable(
  'sandbox_charges',
  {
    ref: text('ref').primaryKey(),
    amount: minor('amount').notNull(),
    refunded: minor('refunded').notNull().default(0),
    /** captured | declined */
    outcome: text('outcome').notNull(),
    createdAt: createdAt(),
    /** What whoever charges wants to be told with every word on it. */
    metadata: jsonb('metadata').$type<Record<string, string>>(),
    /** When to tell it next; null when nothing is left to be told. */
    webhookDueAt: at('webhook_due_at'),
    webhookAttempts: integer('webhook_attempts').notNull().default(0),
  },
  (t) => [
    index('sandbox_charges_webhook_idx')
      .on(t.webhookDueAt)
      .where(sql`${t.webhookDueAt} is not null`),
  ],
)

/** What the sandbox signs its webhooks with: one row, made when it is first needed. */
export const sandboxKeys = pgTable(
  'sandbox_keys',
  {
    id: smallint('id').primaryKey().default(1),
    /** 32 random bytes. */
    webhookSecret: bytea('webhook_secret').notNull(),
  },
  (t) => [check('sandbox_keys_one', sql`${t.id} = 1 and octet_length(${t.webhookSecret}) = 32`)],
)

export const tickets = pgTable(
  'tickets',
  {
    eventId: uuid('event_id').notNull(),
    id: uuid('id').notNull(),
    bookingId: uuid('booking_id').notNull(),
    n: integer('n').notNull(),
    /** 128 random bits, base64url: what the QR says. */
    code: text('code').notNull(),
    status: ticketStatus('status').notNull().default('VALID'),
    createdAt: createdAt(),
    /** When its holder was let in; a ticket opens the door once. */
    usedAt: at('used_at'),
    /** Which door that was, as the scanner names it. */
    usedGate: text('used_gate'),
  },
  (t) => [
    primaryKey({ columns: [t.eventId, t.id] }),
    index('tickets_booking_idx').on(t.eventId, t.bookingId),
    // The address of a ticket names its id alone.
    index('tickets_id_idx').on(t.id),
    // The door knows a code and not yet the event.
    index('tickets_code').on(t.code),
    // The door counts whom it let in since this morning.
    index('tickets_used_at')
      .on(t.eventId, t.usedAt)
      .where(sql`${t.usedAt} is not null`),
    check('tickets_used', sql`${t.usedAt} is not null or ${t.usedGate} is null`),
    uniqueIndex('tickets_valid_seat_key')
      .on(t.eventId, t.n)
      .where(sql`${t.status} = 'VALID'`),
    unique('tickets_code_key').on(t.eventId, t.code),
    foreignKey({
      name: 'tickets_booking_seat_fk',
      columns: [t.eventId, t.bookingId, t.n],
      foreignColumns: [bookingSeats.eventId, bookingSeats.bookingId, bookingSeats.n],
    }),
  ],
)

// ── What must not be lost, and what must not happen twice ────────────────────────────────────────────────────────

/** Staged in the transaction that made it true; relayed to BullMQ at least once. */
export const outbox = pgTable(
  'outbox',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    kind: text('kind').notNull(),
    payload: jsonb('payload').$type<Record<string, unknown>>().notNull(),
    createdAt: createdAt(),
    attempts: integer('attempts').notNull().default(0),
    lastError: text('last_error'),
    /** When the job was done. */
    settledAt: at('settled_at'),
    /** Gave up after the last attempt; listed for the operator. */
    deadAt: at('dead_at'),
    /** When the row was last handed to the queue. */
    relayedAt: at('relayed_at'),
  },
  (t) => [
    index('outbox_open_idx')
      .on(t.id)
      .where(sql`${t.settledAt} is null and ${t.deadAt} is null`),
    index('outbox_dead_idx')
      .on(t.id)
      .where(sql`${t.settledAt} is null and ${t.deadAt} is not null`),
  ],
)

/** What operators did by hand: who, when, what. */
export const operatorLog = pgTable(
  'operator_log',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    at: at('at').notNull().defaultNow(),
    accountId: uuid('account_id').references(() => accounts.id, { onDelete: 'set null' }),
    /** Past tense, snake_case: `dead_letter_retried`. */
    what: text('what').notNull(),
    detail: jsonb('detail').$type<Record<string, unknown>>().notNull(),
  },
  (t) => [index('operator_log_account_idx').on(t.accountId)],
)

/** What each audit found, for a week. */
export const audits = pgTable('audits', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  at: at('at').notNull().defaultNow(),
  tookMs: integer('took_ms').notNull(),
  violations: integer('violations').notNull(),
  /** A line an invariant. */
  lines: jsonb('lines').$type<AuditLine[]>().notNull(),
})

export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    accountId: uuid('account_id')
      .notNull()
      .references(() => accounts.id, { onDelete: 'cascade' }),
    key: text('key').notNull(),
    /** SHA-256 of method, path and body. */
    requestHash: bytea('request_hash').notNull(),
    statusCode: smallint('status_code').notNull(),
    response: jsonb('response').$type<unknown>().notNull(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.key] }), index('idempotency_keys_age_idx').on(t.createdAt)],
)
