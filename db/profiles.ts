// Owns what its owner and administrators see of an account: who it is and what it may do.
import { and, desc, eq, ilike, isNotNull, lt, or, sql } from 'drizzle-orm'
import type { Db, Reader } from './client.ts'
import { mailLanguage, type MailLanguage } from './languages.ts'
import { accounts } from './schema.ts'

/** An account as its owner and administrators see it. */
export interface Profile {
  id: string
  email: string
  fullName: string
  /** Null until the person said so. */
  language: MailLanguage | null
  verified: boolean
  roles: string[]
  permissions: string[]
  createdAt: Date
}

/** Null when there is no such account, or it was erased. */
export async function findProfile(reader: Reader, accountId: string): Promise<Profile | null> {
  const [profile] = await selectProfiles(reader).where(
    and(eq(accounts.id, accountId), isNotNull(accounts.email)),
  )
  return profile ? toProfile(profile) : null
}

/** Newest first; `query` is part of an address or a name, `before` the last id of the page before. */
export async function listProfiles(
  reader: Reader,
  { query, limit, before }: { query?: string; limit: number; before?: string },
): Promise<Profile[]> {
  const part = query ? `%${query.replace(/[\\%_]/g, '\\$&')}%` : undefined
  const rows = await selectProfiles(reader)
    .where(
      and(
        isNotNull(accounts.email),
        part ? or(ilike(accounts.email, part), ilike(accounts.fullName, part)) : undefined,
        before ? lt(accounts.id, before) : undefined,
      ),
    )
    .orderBy(desc(accounts.id))
    .limit(limit)
  return rows.map(toProfile)
}

/** What a person says of themselves; what is left out stays. Null when there is no such account. */
export async function changeProfile(
  db: Db,
  accountId: string,
  change: { fullName?: string; language?: MailLanguage },
): Promise<Profile | null> {
  if (Object.keys(change).length > 0)
    await db
      .update(accounts)
      .set(change)
      .where(and(eq(accounts.id, accountId), isNotNull(accounts.email)))
  return findProfile(db, accountId)
}

function selectProfiles(reader: Reader) {
  // Drizzle leaves the table's name out of a column in a select of one table, so the names are written out.
  const roleNames = sql<string[]>`array(
    select r.name from account_roles ar join roles r on r.id = ar.role_id
    where ar.account_id = accounts.id order by 1)`
  const permissionNames = sql<string[]>`array(
    select distinct p.name from account_roles ar
    join role_permissions rp on rp.role_id = ar.role_id
    join permissions p on p.id = rp.permission_id
    where ar.account_id = accounts.id order by 1)`
  return reader
    .select({
      id: accounts.id,
      email: accounts.email,
      fullName: accounts.fullName,
      language: accounts.language,
      verifiedAt: accounts.verifiedAt,
      createdAt: accounts.createdAt,
      roles: roleNames,
      permissions: permissionNames,
    })
    .from(accounts)
    .$dynamic()
}

function toProfile(row: {
  id: string
  email: string | null
  fullName: string | null
  language: string | null
  verifiedAt: Date | null
  createdAt: Date
  roles: string[]
  permissions: string[]
}): Profile {
  const { id, email, fullName, verifiedAt, createdAt } = row
  return {
    id,
    email: email ?? '',
    fullName: fullName ?? '',
    language: mailLanguage(row.language),
    verified: verifiedAt !== null,
    roles: row.roles,
    permissions: row.permissions,
    createdAt,
  }
}
