// Owns the tables of money and of what was bought with it: payments, the sandbox provider's own book, tickets.
import { sql } from 'drizzle-orm'
import {
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
import { PAYMENT_STATUSES, TICKET_STATUSES } from '../lifecycle.ts'
import { at, bytea, createdAt, minor } from './columns.ts'
import { bookings, bookingSeats } from './bookings.ts'

export const paymentStatus = pgEnum('payment_status', PAYMENT_STATUSES)
export const ticketStatus = pgEnum('ticket_status', TICKET_STATUSES)

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
