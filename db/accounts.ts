// Decides how an account comes to be, is verified and gets a new password, without ever telling who has one.
import { and, eq, sql } from 'drizzle-orm'
import { inTransaction, type Db, type Reader, type Tx } from './client.ts'
import type { MailLanguage } from './languages.ts'
import { issueMailToken, spendMailToken, type MailPurpose } from './mail-tokens.ts'
import { stageOutbox } from './outbox.ts'
import { accountRoles, accounts, roles } from './schema.ts'
import { endSessionsOf } from './sessions.ts'

/** What every registered account starts with. */
const FIRST_ROLE = 'USER'

/** OWASP's first choice for Argon2id: 19 MiB, two passes, one lane. */
export const PASSWORD_HASH = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const

export interface Account {
  id: string
  email: string
  fullName: string
  passwordHash: string | null
  verifiedAt: Date | null
  disabledAt: Date | null
  createdAt: Date
}

/** The one spelling of an address under which an account is kept. */
export const normalEmail = (email: string) => email.trim().toLowerCase()

/** `email` in any case. Erased accounts have no address and are never found. */
export async function findAccountByEmail(reader: Reader, email: string): Promise<Account | null> {
  const [row] = await reader
    .select()
    .from(accounts)
    .where(eq(accounts.email, normalEmail(email)))
  return row ? { ...row, email: row.email!, fullName: row.fullName ?? '' } : null
}

/**
 * Registers an address, and answers the same whatever was there before; only the mail differs: a link for a new or
 * unverified account, a word to the owner for a verified one.
 *
 * The latest registration of an unverified address counts, and kills earlier links: an address registered beforehand
 * by a stranger, with the stranger's password, cannot be verified by its owner's later click.
 */
export async function registerAccount(
  db: Db,
  input: { email: string; passwordHash: string; fullName: string; language?: MailLanguage; now?: Date },
): Promise<void> {
  const { passwordHash, fullName, language, now = new Date() } = input
  const email = normalEmail(input.email)
  await inTransaction(db, async (tx) => {
    const [row] = await tx
      .insert(accounts)
      .values({ id: Bun.randomUUIDv7(), email, passwordHash, fullName, language, createdAt: now })
      .onConflictDoUpdate({
        target: accounts.email,
        set: {
          passwordHash: sql`case when ${accounts.verifiedAt} is null then excluded.password_hash else ${accounts.passwordHash} end`,
          fullName: sql`case when ${accounts.verifiedAt} is null then excluded.full_name else ${accounts.fullName} end`,
          language: sql`case when ${accounts.verifiedAt} is null then excluded.language else ${accounts.language} end`,
        },
      })
      .returning({ id: accounts.id, verifiedAt: accounts.verifiedAt, disabledAt: accounts.disabledAt })
    if (!row || row.disabledAt) return
    if (row.verifiedAt)
      return stageOutbox(tx, { kind: 'send_account_exists', payload: { accountId: row.id } })
    await giveRole(tx, row.id, FIRST_ROLE)
    await stageMail(tx, { accountId: row.id, purpose: 'verify_email', now })
  })
}

/** Sends a fresh link to an unverified account; anybody else gets nothing, and the caller is told nothing. */
export async function requestVerification(
  db: Db,
  { email, now = new Date() }: { email: string; now?: Date },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    const account = await findAccountByEmail(tx, email)
    if (!account || account.verifiedAt || account.disabledAt) return
    await stageMail(tx, { accountId: account.id, purpose: 'verify_email', now })
  })
}

/** Sends a link for a new password to an account that may sign in; the caller is told nothing. */
export async function requestPasswordReset(
  db: Db,
  { email, now = new Date() }: { email: string; now?: Date },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    const account = await findAccountByEmail(tx, email)
    if (!account || account.disabledAt) return
    await stageMail(tx, { accountId: account.id, purpose: 'reset_password', now })
  })
}

export type Spent<T> = ({ ok: true } & T) | { ok: false; refusal: 'request_invalid' }

/** Spends a verification link; the address must be the one it was sent to. */
export async function verifyEmail(
  db: Db,
  { token, email, now = new Date() }: { token: string; email: string; now?: Date },
): Promise<Spent<{ accountId: string }>> {
  return inTransaction<Spent<{ accountId: string }>>(db, async (tx) => {
    const accountId = await spendMailToken(tx, { token, purpose: 'verify_email', now })
    if (!accountId) return { ok: false, refusal: 'request_invalid' }
    const verified = await tx
      .update(accounts)
      .set({ verifiedAt: now })
      .where(and(eq(accounts.id, accountId), eq(accounts.email, normalEmail(email))))
      .returning({ id: accounts.id })
    return verified.length > 0 ? { ok: true, accountId } : { ok: false, refusal: 'request_invalid' }
  })
}

/** Spends a reset link, replaces the password and ends every session, which it names. The link proves the address. */
export async function resetPassword(
  db: Db,
  { token, passwordHash, now = new Date() }: { token: string; passwordHash: string; now?: Date },
): Promise<Spent<{ endedSessionIds: string[] }>> {
  return inTransaction<Spent<{ endedSessionIds: string[] }>>(db, async (tx) => {
    const accountId = await spendMailToken(tx, { token, purpose: 'reset_password', now })
    if (!accountId) return { ok: false, refusal: 'request_invalid' }
    await tx
      .update(accounts)
      .set({
        passwordHash,
        verifiedAt: sql`coalesce(${accounts.verifiedAt}, ${now.toISOString()}::timestamptz)`,
      })
      .where(eq(accounts.id, accountId))
    const endedSessionIds = await endSessionsOf(tx, { accountId, because: 'password_reset', now })
    return { ok: true, endedSessionIds }
  })
}

/** Gives an account a role it may have already. */
export async function giveRole(tx: Tx, accountId: string, name: string): Promise<void> {
  const role = tx
    .select({ accountId: sql<string>`${accountId}::uuid`.as('account_id'), roleId: roles.id })
    .from(roles)
  await tx
    .insert(accountRoles)
    .select(role.where(eq(roles.name, name)))
    .onConflictDoNothing()
}

async function stageMail(
  tx: Tx,
  { accountId, purpose, now }: { accountId: string; purpose: MailPurpose; now: Date },
): Promise<void> {
  const token = await issueMailToken(tx, { accountId, purpose, now })
  const kind = purpose === 'verify_email' ? 'send_verification' : 'reset_password'
  await stageOutbox(tx, { kind, payload: { accountId, token } })
}
