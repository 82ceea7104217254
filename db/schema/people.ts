// Owns the tables of people: accounts, what they may do, where they are signed in, and the secrets mailed to them.
import { sql } from 'drizzle-orm'
import { check, index, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { at, bytea, createdAt } from './columns.ts'

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
