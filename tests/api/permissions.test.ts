// Holds every route of the document against who may use it, so that a route added tomorrow is covered by itself.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { PERMISSIONS, type Permission, type RoleName } from '../../server/protocol/codes.ts'
import { ROLE_CATALOGUE } from '../../db/seed.ts'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const
/** A well-formed id of nothing. */
const NOBODYS_ID = '0199d0c0-0000-7000-8000-000000000000'
/** Ends the caller's own session or account: these would turn every later answer into a 401. */
const ENDS_THE_CALLER = new Set(['POST /api/v1/auth/logout', 'DELETE /api/v1/auth/me'])

interface Route {
  method: string
  path: string
  access: 'anyone' | 'user' | Permission
}

let app: AppHarness
let routes: Route[]
const people = new Map<RoleName, Person>()

beforeAll(async () => {
  app = await startApp()
  routes = await documentedRoutes()
  for (const role of ['USER', 'ORGANIZER', 'ADMIN', 'STAFF'] as const)
    people.set(role, await app.person(role))
}, START_WITHIN_MS)
afterAll(() => app.close(), START_WITHIN_MS)

async function documentedRoutes(): Promise<Route[]> {
  const { body } = await app.call('GET', '/api/docs/json')
  return Object.entries(body.paths as Record<string, Record<string, { description?: string }>>).flatMap(
    ([path, operations]) =>
      METHODS.filter((method) => operations[method]).map((method) => ({
        method: method.toUpperCase(),
        path,
        access: accessIn(operations[method]?.description ?? ''),
      })),
  )
}

function accessIn(description: string): Route['access'] {
  if (description.endsWith('Anyone.')) return 'anyone'
  if (description.endsWith('Signed-in accounts.')) return 'user'
  const named = /Needs `([^`]+)`\.$/.exec(description)?.[1]
  const permission = PERMISSIONS.find((name) => name === named)
  if (!permission) throw new Error(`an operation does not say who may use it: ${description}`)
  return permission
}

const ask = ({ method, path }: Route, token?: string) =>
  app.call(method, path.replaceAll(/\{\w+\}/g, NOBODYS_ID), {
    token,
    ...(method === 'GET' ? {} : { body: {} }),
  })

const nameOf = ({ method, path }: Route) => `${method} ${path}`

describe('who may use a route', () => {
  test('nobody who is not signed in gets past a route that wants an account', async () => {
    const closed = routes.filter(({ access }) => access !== 'anyone')
    expect(closed.length).toBeGreaterThan(40)
    for (const route of closed) {
      const { status, body } = await ask(route)
      expect([nameOf(route), status, body.code]).toEqual([nameOf(route), 401, 'unauthenticated'])
    }
  })

  for (const role of ['USER', 'ORGANIZER', 'STAFF', 'ADMIN'] as const)
    test(`${role} is refused what its permissions do not hold, and nothing else`, async () => {
      // Every account is a USER as well.
      const held = new Set([...ROLE_CATALOGUE.USER!.permissions, ...ROLE_CATALOGUE[role]!.permissions])
      for (const route of routes) {
        if (route.access === 'anyone' || ENDS_THE_CALLER.has(nameOf(route))) continue
        const { status, body } = await ask(route, people.get(role)!.token)
        const open = route.access === 'user' || held.has(route.access)
        if (open) expect([nameOf(route), [401, 403, 500].includes(status)]).toEqual([nameOf(route), false])
        else expect([nameOf(route), status, body.code]).toEqual([nameOf(route), 403, 'permission_denied'])
      }
    })

  test('every permission is asked for by some route or waits for one, and is held by some role', () => {
    const asked = new Set(routes.map(({ access }) => access))
    const held = new Set(Object.values(ROLE_CATALOGUE).flatMap(({ permissions }) => permissions))
    expect(PERMISSIONS.filter((permission) => !held.has(permission))).toEqual([])
    // Widens GET /booking, which anyone may ask.
    expect(PERMISSIONS.filter((permission) => !asked.has(permission))).toEqual(['booking:read:all'])
  })

  test("an organiser's event is closed to another organiser, route by route", async () => {
    const { eventId } = await app.event({ published: false })
    const stranger = people.get('ORGANIZER')!
    const managing = routes.filter(
      ({ path, access }) => path.includes('{eventId}') && access.endsWith(':own'),
    )
    expect(managing.length).toBeGreaterThan(10)
    for (const route of managing) {
      const path = route.path.replace('{eventId}', eventId)
      const { status } = await app.call(route.method, path, {
        token: stranger.token,
        ...(route.method === 'GET' ? {} : { body: {} }),
      })
      // 400 where the body is looked at before the event: it tells nothing of the event.
      expect([nameOf(route), [400, 403, 404].includes(status)]).toEqual([nameOf(route), true])
    }
  })
})
