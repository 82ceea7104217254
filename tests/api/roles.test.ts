// Holds roles to the contract: every permission is held by somebody, changes count at once, nobody is locked out.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { permissions, rolePermissions, roles } from '../../db/schema.ts'
import { PERMISSION_CATALOGUE, ROLE_CATALOGUE, seedRoles } from '../../db/seed.ts'
import { createApp } from '../../server/app.ts'
import { PERMISSIONS, ROLE_NAMES } from '../../server/protocol/codes.ts'
import { makeAccount, signIn, startAuthApp, withoutRedis, type AuthApp } from '../support/auth-app.ts'

/** Each sign-in hashes a password, and machines are busy. */
setDefaultTimeout(30_000)

let app: AuthApp
let admin: string
let adminId: string
beforeAll(async () => {
  app = await startAuthApp()
  adminId = await makeAccount(app, 'admin@onsale.test', 'ADMIN')
  admin = (await signIn(app, 'admin@onsale.test')).access
})
afterAll(() => app.close())

const idOfRole = async (name: string) =>
  (await app.db.select().from(roles).where(eq(roles.name, name)))[0]!.id
const idOfPermission = async (name: string) =>
  (await app.db.select().from(permissions).where(eq(permissions.name, name)))[0]!.id
const find = (query: string) => app.ask('GET', `/auth/admin/users?${query}`, { bearer: admin })

describe('the seeded roles', () => {
  test('hold exactly the permissions of the protocol, each at least once', () => {
    expect(Object.keys(PERMISSION_CATALOGUE).toSorted()).toEqual([...PERMISSIONS].toSorted())
    expect(Object.keys(ROLE_CATALOGUE).toSorted()).toEqual([...ROLE_NAMES].toSorted())
    const held = new Set(Object.values(ROLE_CATALOGUE).flatMap((role) => role.permissions))
    expect([...held].toSorted()).toEqual([...PERMISSIONS].toSorted())
  })

  test('are enough for every route: what a route asks for exists', () => {
    const asked = new Set<string>()
    for (const { hooks } of createApp(app.context).routes) {
      const access: unknown = (hooks as { access?: unknown }).access
      if (typeof access === 'string' && access !== 'user') asked.add(access)
      const sentence = /Needs `([^`]+)`/.exec(String(hooks.detail?.description ?? ''))
      if (sentence) asked.add(sentence[1]!)
    }
    expect(asked.size).toBeGreaterThan(4)
    for (const permission of asked) expect(PERMISSIONS as readonly string[]).toContain(permission)
  })

  test('are seeded once by many at once, and what was taken stays taken', async () => {
    await Promise.all(Array.from({ length: 5 }, () => seedRoles(app.db)))
    const before = await app.db.select().from(rolePermissions)
    expect(await app.db.select().from(roles)).toHaveLength(ROLE_NAMES.length)
    const roleId = await idOfRole('STAFF')
    await app.db.delete(rolePermissions).where(eq(rolePermissions.roleId, roleId))
    await seedRoles(app.db)
    const after = await app.db.select().from(rolePermissions)
    expect(after).toHaveLength(before.length - 1)
    await app.db.insert(rolePermissions).values({ roleId, permissionId: await idOfPermission('ticket:scan') })
  })
})

describe('a permission', () => {
  const ADMIN_ROUTES = [
    ['GET', '/auth/admin/roles'],
    ['GET', '/auth/admin/permissions'],
    ['GET', '/auth/admin/users'],
    ['PUT', '/auth/admin/users/x/roles'],
    ['GET', '/auth/admin/roles/x/permissions'],
    ['POST', '/auth/admin/roles/x/permissions'],
    ['DELETE', '/auth/admin/roles/x/permissions/y'],
  ] as const

  test('is needed on every administrator’s route', async () => {
    for (const role of ['USER', 'ORGANIZER', 'STAFF']) {
      const email = `${role.toLowerCase()}-only@onsale.test`
      await makeAccount(app, email, role === 'USER' ? undefined : role)
      const { access } = await signIn(app, email)
      for (const [method, path] of ADMIN_ROUTES) {
        const answer = await app.ask(method, path, { bearer: access })
        expect([role, path, answer.status, answer.body.code]).toEqual([role, path, 403, 'permission_denied'])
        expect((await app.ask(method, path)).body.code).toBe('unauthenticated')
      }
    }
  })

  test('given and taken counts on the next request, in every process', async () => {
    await makeAccount(app, 'rising@onsale.test')
    const { access } = await signIn(app, 'rising@onsale.test')
    const [roleId, permissionId] = [await idOfRole('USER'), await idOfPermission('user:manage')]
    const processes = [app.ask, app.second.ask]
    const statuses = () =>
      Promise.all(
        processes.map(async (ask) => (await ask('GET', '/auth/admin/roles', { bearer: access })).status),
      )
    expect(await statuses()).toEqual([403, 403])
    for (let round = 0; round < 5; round++) {
      const given = await app.ask('POST', `/auth/admin/roles/${roleId}/permissions`, {
        bearer: admin,
        body: { permissionIds: [permissionId, permissionId] },
      })
      expect(given.status).toBe(201)
      expect(await statuses()).toEqual([200, 200])
      const path = `/auth/admin/roles/${roleId}/permissions/${permissionId}`
      const taken = await app.second.ask('DELETE', path, { bearer: admin })
      expect(taken.status).toBe(200)
      expect(taken.body.data.items.map(({ name }) => name)).not.toContain('user:manage')
      expect(await statuses()).toEqual([403, 403])
    }
  })

  test('is read from Postgres while Redis is away', async () => {
    await withoutRedis(app.second.context, async () => {
      expect((await app.second.ask('GET', '/auth/admin/roles', { bearer: admin })).status).toBe(200)
    })
  })
})

describe('administrators', () => {
  test('find accounts by any part of address or name, page by page', async () => {
    for (const name of ['a', 'b', 'c']) await makeAccount(app, `find-${name}@onsale.test`)
    const first = (await find('query=FIND-&limit=2')).body.data
    expect(first.items.map(({ email }) => email)).toEqual(['find-c@onsale.test', 'find-b@onsale.test'])
    const second = (await find(`query=find-&limit=2&cursor=${first.nextCursor}`)).body.data
    expect(second.items).toHaveLength(1)
    expect(second.items[0]).toMatchObject({ email: 'find-a@onsale.test', roles: ['USER'], verified: true })
    expect(second.nextCursor).toBeNull()
    expect((await find('query=%25')).body.data.items).toEqual([])
    expect((await find('limit=201')).status).toBe(400)
    expect((await find('cursor=nonsense')).status).toBe(400)
  })

  test('give and take roles, effective on the next request', async () => {
    const id = await makeAccount(app, 'promoted@onsale.test')
    const { access } = await signIn(app, 'promoted@onsale.test')
    const assign = (roleIds: string[]) =>
      app.ask('PUT', `/auth/admin/users/${id}/roles`, { bearer: admin, body: { roleIds } })
    const answer = await assign([await idOfRole('ADMIN'), await idOfRole('USER')])
    expect(answer.body.data.roles).toEqual(['ADMIN', 'USER'])
    expect((await app.second.ask('GET', '/auth/admin/roles', { bearer: access })).status).toBe(200)
    await assign([])
    expect((await app.second.ask('GET', '/auth/admin/roles', { bearer: access })).status).toBe(403)
  })

  test('get not found for ids of nothing', async () => {
    const nobody = Bun.randomUUIDv7()
    const body = { roleIds: [await idOfRole('USER')] }
    for (const id of [nobody, 'x']) {
      expect((await app.ask('PUT', `/auth/admin/users/${id}/roles`, { bearer: admin, body })).status).toBe(
        404,
      )
      const path = `/auth/admin/roles/${id}/permissions`
      expect((await app.ask('GET', path, { bearer: admin })).status).toBe(404)
      const permissionIds = [await idOfPermission('ticket:scan')]
      expect((await app.ask('POST', path, { bearer: admin, body: { permissionIds } })).status).toBe(404)
    }
    const roleId = await idOfRole('USER')
    const unheld = `/auth/admin/roles/${roleId}/permissions/${await idOfPermission('ticket:scan')}`
    expect((await app.ask('DELETE', unheld, { bearer: admin })).status).toBe(404)
  })

  test('the last one cannot be lost: by roles, by permissions or by leaving', async () => {
    const assign = await app.ask('PUT', `/auth/admin/users/${adminId}/roles`, {
      bearer: admin,
      body: { roleIds: [await idOfRole('USER')] },
    })
    expect([assign.status, assign.body.code]).toEqual([400, 'request_invalid'])
    for (const name of ['user:manage', 'role:assign']) {
      const path = `/auth/admin/roles/${await idOfRole('ADMIN')}/permissions/${await idOfPermission(name)}`
      const taken = await app.ask('DELETE', path, { bearer: admin })
      expect([name, taken.status, taken.body.code]).toEqual([name, 400, 'request_invalid'])
    }
    expect((await app.ask('DELETE', '/auth/me', { bearer: admin })).status).toBe(400)
    expect((await app.ask('GET', '/auth/admin/roles', { bearer: admin })).status).toBe(200)
  })

  test('two who demote each other at once leave one', async () => {
    const otherId = await makeAccount(app, 'other-admin@onsale.test', 'ADMIN')
    const other = (await signIn(app, 'other-admin@onsale.test')).access
    const demote = (bearer: string, id: string) =>
      app.ask('PUT', `/auth/admin/users/${id}/roles`, { bearer, body: { roleIds: [] } })
    const answers = await Promise.all([demote(admin, otherId), demote(other, adminId)])
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    const left = await Promise.all(
      [admin, other].map(async (bearer) => (await app.ask('GET', '/auth/admin/roles', { bearer })).status),
    )
    expect(left.toSorted()).toEqual([200, 403])
  })
})
