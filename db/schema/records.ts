// Owns the tables of what must not be lost and of what must not happen twice.
import { sql } from 'drizzle-orm'
import { bigint, index, integer, jsonb, pgTable, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import type { AuditLine } from '../audit.ts'
import { at, bytea, createdAt } from './columns.ts'
import { accounts } from './people.ts'

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
