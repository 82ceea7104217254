// Owns the tables of who has which seat: seats, bookings, what happened to them, and the clock that holds run by.
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgEnum,
  pgTable,
  primaryKey,
  smallint,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { BOOKING_STATUSES, SEAT_ACCESS, SEAT_STATUSES } from '../lifecycle.ts'
import { at, createdAt, minor } from './columns.ts'
import { events, sections } from './events.ts'
import { accounts } from './people.ts'

export const seatStatus = pgEnum('seat_status', SEAT_STATUSES)
export const seatAccess = pgEnum('seat_access', SEAT_ACCESS)
export const bookingStatus = pgEnum('booking_status', BOOKING_STATUSES)

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
