// Decides who may do what: roles hold permissions, accounts hold roles, and somebody can always still hand them out.
import { and, eq, inArray, sql } from 'drizzle-orm'
import { inTransaction, type Db, type Reader, type Tx } from './client.ts'
import { accountRoles, accounts, permissions, rolePermissions, roles } from './schema.ts'

/** Without an account that holds all of these, nobody could ever grant anything again. */
const KEYS_TO_THE_HOUSE = ['user:manage', 'role:assign']

export interface RoleRow {
  id: string
  name: string
  description: string
}
export type PermissionRow = RoleRow
export type RoleChange =
  | { ok: true }
  | { ok: false; refusal: 'not_found' }
  | { ok: false; refusal: 'request_invalid'; message: string }

const LOCKED_OUT: RoleChange = {
  ok: false,
  refusal: 'request_invalid',
  message: 'Nobody would be left who can manage users and roles.',
}

/** The names of every permission each account holds through its roles; no entry for a disabled account. */
export async function listPermissionsOfMany(
  reader: Reader,
  accountIds: string[],
): Promise<Map<string, string[]>> {
  const rows = await reader
    .selectDistinct({ accountId: accountRoles.accountId, name: permissions.name })
    .from(accountRoles)
    .innerJoin(accounts, eq(accounts.id, accountRoles.accountId))
    .innerJoin(rolePermissions, eq(rolePermissions.roleId, accountRoles.roleId))
    .innerJoin(permissions, eq(permissions.id, rolePermissions.permissionId))
    .where(
      and(
        sql`${accountRoles.accountId} = any(${`{${accountIds.join(',')}}`}::uuid[])`,
        sql`${accounts.disabledAt} is null`,
      ),
    )
    .orderBy(permissions.name)
  const names = new Map<string, string[]>()
  for (const { accountId, name } of rows) names.set(accountId, [...(names.get(accountId) ?? []), name])
  return names
}

export async function listRoles(reader: Reader): Promise<RoleRow[]> {
  return reader.select().from(roles).orderBy(roles.name)
}

export async function listPermissions(reader: Reader): Promise<PermissionRow[]> {
  return reader.select().from(permissions).orderBy(permissions.name)
}

/** Null when there is no such role. */
export async function listPermissionsOfRole(reader: Reader, roleId: string): Promise<PermissionRow[] | null> {
  const [role] = await reader.select({ id: roles.id }).from(roles).where(eq(roles.id, roleId))
  if (!role) return null
  return reader
    .select({ id: permissions.id, name: permissions.name, description: permissions.description })
    .from(rolePermissions)
    .innerJoin(permissions, eq(permissions.id, rolePermissions.permissionId))
    .where(eq(rolePermissions.roleId, roleId))
    .orderBy(permissions.name)
}

/** Adds permissions to a role; those it has already change nothing. All or none. */
export async function grantPermissions(
  db: Db,
  { roleId, permissionIds }: { roleId: string; permissionIds: string[] },
): Promise<RoleChange> {
  return inTransaction<RoleChange>(db, async (tx) => {
    const wanted = [...new Set(permissionIds)]
    const known = await lockRoles(tx)
    const found = await tx
      .select({ id: permissions.id })
      .from(permissions)
      .where(inArray(permissions.id, wanted))
    if (!known.has(roleId) || found.length < wanted.length) return { ok: false, refusal: 'not_found' }
    await tx
      .insert(rolePermissions)
      .values(wanted.map((permissionId) => ({ roleId, permissionId })))
      .onConflictDoNothing()
    return { ok: true }
  })
}

/** Takes one permission from a role, unless nobody could manage roles afterwards. */
export async function revokePermission(
  db: Db,
  { roleId, permissionId }: { roleId: string; permissionId: string },
): Promise<RoleChange> {
  return inTransaction<RoleChange>(db, async (tx) => {
    await lockRoles(tx)
    const removed = await tx
      .delete(rolePermissions)
      .where(and(eq(rolePermissions.roleId, roleId), eq(rolePermissions.permissionId, permissionId)))
      .returning({ roleId: rolePermissions.roleId })
    if (removed.length === 0) return { ok: false, refusal: 'not_found' }
    return (await someoneManagesRoles(tx)) ? { ok: true } : LOCKED_OUT
  })
}

/** Replaces an account's roles, unless nobody could manage roles afterwards. */
export async function assignRoles(
  db: Db,
  { accountId, roleIds }: { accountId: string; roleIds: string[] },
): Promise<RoleChange> {
  return inTransaction<RoleChange>(db, async (tx) => {
    const known = await lockRoles(tx)
    const wanted = [...new Set(roleIds)]
    const [account] = await tx.select({ id: accounts.id }).from(accounts).where(eq(accounts.id, accountId))
    if (!account || wanted.some((id) => !known.has(id))) return { ok: false, refusal: 'not_found' }
    await tx.delete(accountRoles).where(eq(accountRoles.accountId, accountId))
    if (wanted.length > 0)
      await tx.insert(accountRoles).values(wanted.map((roleId) => ({ accountId, roleId })))
    return (await someoneManagesRoles(tx)) ? { ok: true } : LOCKED_OUT
  })
}

/** Role changes happen one after the other: two could each leave the other's last administrator. */
export async function lockRoles(tx: Tx): Promise<Set<string>> {
  const rows = await tx.select({ id: roles.id }).from(roles).orderBy(roles.id).for('update')
  return new Set(rows.map(({ id }) => id))
}

/** True while at least one account can hand out roles and permissions. */
export async function someoneManagesRoles(tx: Tx): Promise<boolean> {
  const rows = await tx
    .select({ id: accounts.id })
    .from(accounts)
    .innerJoin(accountRoles, eq(accountRoles.accountId, accounts.id))
    .innerJoin(rolePermissions, eq(rolePermissions.roleId, accountRoles.roleId))
    .innerJoin(permissions, eq(permissions.id, rolePermissions.permissionId))
    .where(
      and(
        inArray(permissions.name, KEYS_TO_THE_HOUSE),
        sql`${accounts.verifiedAt} is not null and ${accounts.disabledAt} is null and ${accounts.email} is not null`,
      ),
    )
    .groupBy(accounts.id)
    .having(sql`count(distinct ${permissions.name}) = ${KEYS_TO_THE_HOUSE.length}`)
    .limit(1)
  return rows.length > 0
}
