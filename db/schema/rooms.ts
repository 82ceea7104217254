// Owns the tables of waiting rooms: how one is set, how far its line had come, its draw, and who may enter ahead.
import { sql } from 'drizzle-orm'
import {
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgEnum,
  pgTable,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import { ROOM_CHALLENGES, ROOM_CONTROLS } from '../lifecycle.ts'
import { at, bytea, createdAt } from './columns.ts'
import { events } from './events.ts'
import { accounts } from './people.ts'

export const roomControl = pgEnum('room_control', ROOM_CONTROLS)
export const roomChallenge = pgEnum('room_challenge', ROOM_CHALLENGES)

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
