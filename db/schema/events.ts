// Owns the tables of what is on sale: events, their prices, and how their sections are laid out.
import { sql } from 'drizzle-orm'
import {
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
  uuid,
} from 'drizzle-orm/pg-core'
import { EVENT_STATUSES, SECTION_KINDS } from '../lifecycle.ts'
import { at, createdAt, minor } from './columns.ts'
import { accounts } from './people.ts'

export const eventStatus = pgEnum('event_status', EVENT_STATUSES)
export const sectionKind = pgEnum('section_kind', SECTION_KINDS)

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
