// Answers administrators: who may do what, effective on the next request of everybody.
import { Elysia } from 'elysia'
import { findProfile, listProfiles } from '../../db/profiles.ts'
import { isId } from '../../db/events.ts'
import {
  assignRoles,
  grantPermissions,
  listPermissions,
  listPermissionsOfRole,
  listRoles,
  revokePermission,
  type RoleChange,
} from '../../db/roles.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { describe } from '../http-docs.ts'
import { LIMITS } from '../protocol/codes.ts'
import {
  AssignPermissionsBody,
  AssignRolesBody,
  Page,
  PageOnlyQuery,
  PermissionView,
  RoleView,
  UsersQuery,
  UserView,
} from '../protocol/http.ts'
import { accessPlugin } from './access.ts'
import { pageOf } from './paging.ts'
import { announceRoleChange } from './permissions.ts'
import { userView } from './views.ts'

export const adminRoutes = (context: Context) =>
  new Elysia({ prefix: '/admin' }).use(catalogue(context)).use(rolePermissions(context)).use(users(context))

const catalogue = (context: Context) =>
  new Elysia()
    .use(accessPlugin(context))
    .get(
      '/roles',
      async ({ query }) => reply(200, 'Roles', pageOf(await listRoles(context.ledger.db), query)),
      {
        access: 'user:manage',
        query: PageOnlyQuery,
        detail: describe({
          summary: 'Every role',
          tag: 'Auth',
          access: 'user:manage',
          success: { status: 200, data: Page(RoleView), description: 'Roles by name.' },
          codes: ['request_invalid'],
        }),
      },
    )
    .get(
      '/permissions',
      async ({ query }) => reply(200, 'Permissions', pageOf(await listPermissions(context.ledger.db), query)),
      {
        access: 'user:manage',
        query: PageOnlyQuery,
        detail: describe({
          summary: 'Every permission',
          tag: 'Auth',
          access: 'user:manage',
          success: { status: 200, data: Page(PermissionView), description: 'Permissions by name.' },
          codes: ['request_invalid'],
        }),
      },
    )

const rolePermissions = (context: Context) =>
  new Elysia()
    .use(accessPlugin(context))
    .get(
      '/roles/:roleId/permissions',
      async ({ params, query }) =>
        reply(200, 'Permissions of the role', pageOf(await permissionsOfRole(context, params.roleId), query)),
      {
        access: 'role:permission:read:all',
        query: PageOnlyQuery,
        detail: describe({
          summary: 'What a role may do',
          tag: 'Auth',
          access: 'role:permission:read:all',
          success: { status: 200, data: Page(PermissionView), description: 'Permissions by name.' },
          codes: ['not_found', 'request_invalid'],
        }),
      },
    )
    .post(
      '/roles/:roleId/permissions',
      async ({ params: { roleId }, body: { permissionIds }, identity, set }) => {
        if (![roleId, ...permissionIds].every(isId)) throw new Refusal('not_found')
        settle(await grantPermissions(context.ledger.db, { roleId, permissionIds }))
        await changed(context, identity.accountId, 'role_permissions_granted')
        set.status = 201
        return reply(201, 'Permissions added', pageOf(await permissionsOfRole(context, roleId), {}))
      },
      {
        access: 'role:assign',
        body: AssignPermissionsBody,
        detail: describe({
          summary: 'Add permissions to a role',
          description: 'Effective on the next request of everybody who has the role.',
          tag: 'Auth',
          access: 'role:assign',
          body: true,
          success: { status: 201, data: Page(PermissionView), description: 'What the role may do now.' },
          codes: ['not_found'],
        }),
      },
    )
    .delete(
      '/roles/:roleId/permissions/:permissionId',
      async ({ params: { roleId, permissionId }, identity }) => {
        if (!isId(roleId) || !isId(permissionId)) throw new Refusal('not_found')
        settle(await revokePermission(context.ledger.db, { roleId, permissionId }))
        await changed(context, identity.accountId, 'role_permission_revoked')
        return reply(200, 'Permission removed', pageOf(await permissionsOfRole(context, roleId), {}))
      },
      {
        access: 'role:permission:remove',
        detail: describe({
          summary: 'Take a permission from a role',
          description: 'Effective on the next request. Refused when nobody could manage roles afterwards.',
          tag: 'Auth',
          access: 'role:permission:remove',
          success: { status: 200, data: Page(PermissionView), description: 'What the role may do now.' },
          codes: ['not_found', 'request_invalid', 'origin_refused'],
        }),
      },
    )

const users = (context: Context) =>
  new Elysia()
    .use(accessPlugin(context))
    .get(
      '/users',
      async ({ query: { query, limit = LIMITS.pageDefault, cursor } }) => {
        if (cursor !== undefined && !isId(cursor))
          throw new Refusal('request_invalid', { message: 'The cursor is not one of ours.' })
        const profiles = await listProfiles(context.ledger.db, {
          limit: limit + 1,
          ...(query ? { query } : {}),
          ...(cursor ? { before: cursor } : {}),
        })
        const items = profiles.slice(0, limit).map(userView)
        const nextCursor = profiles.length > limit ? (items.at(-1)?.id ?? null) : null
        return reply(200, 'Accounts', { items, nextCursor })
      },
      {
        access: 'user:manage',
        query: UsersQuery,
        detail: describe({
          summary: 'Find accounts',
          description: '`query` is any part of an address or a name; newest first.',
          tag: 'Auth',
          access: 'user:manage',
          success: { status: 200, data: Page(UserView), description: 'Accounts with their roles.' },
          codes: ['request_invalid'],
        }),
      },
    )
    .put(
      '/users/:id/roles',
      async ({ params: { id }, body: { roleIds }, identity }) => {
        if (![id, ...roleIds].every(isId)) throw new Refusal('not_found')
        settle(await assignRoles(context.ledger.db, { accountId: id, roleIds }))
        await changed(context, identity.accountId, 'account_roles_assigned')
        const profile = await findProfile(context.ledger.db, id)
        if (!profile) throw new Refusal('not_found')
        return reply(200, 'Roles assigned', userView(profile))
      },
      {
        access: 'user:manage',
        body: AssignRolesBody,
        detail: describe({
          summary: 'Replace an account’s roles',
          description: 'Effective on the next request. Refused when nobody could manage roles afterwards.',
          tag: 'Auth',
          access: 'user:manage',
          body: true,
          success: { status: 200, data: UserView, description: 'The account with its roles.' },
          codes: ['not_found'],
        }),
      },
    )

async function permissionsOfRole(context: Context, roleId: string) {
  const permissions = isId(roleId) ? await listPermissionsOfRole(context.ledger.db, roleId) : null
  if (!permissions) throw new Refusal('not_found')
  return permissions
}

function settle(change: RoleChange): void {
  if (change.ok) return
  throw new Refusal(change.refusal, 'message' in change ? { message: change.message } : {})
}

async function changed(context: Context, by: string, event: string): Promise<void> {
  await announceRoleChange(context)
  context.log.info(event, { by })
}
