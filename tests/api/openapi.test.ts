// Holds the API's document to the contract: every route, answer and error code, in an OpenAPI that tools can read.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { ERROR_CODES, ERROR_STATUS, type ErrorCode } from '../../server/protocol/codes.ts'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'

/** Contract section 3, as it is served. */
const ROUTES = [
  'POST /auth/register',
  'POST /auth/verify',
  'POST /auth/verify/resend',
  'POST /auth/login',
  'POST /auth/refresh',
  'POST /auth/logout',
  'GET /auth/me',
  'PATCH /auth/me',
  'GET /auth/sessions',
  'DELETE /auth/sessions/{id}',
  'POST /auth/password/forgot',
  'POST /auth/password/reset',
  'GET /auth/admin/roles/{roleId}/permissions',
  'POST /auth/admin/roles/{roleId}/permissions',
  'DELETE /auth/admin/roles/{roleId}/permissions/{permissionId}',
  'GET /auth/admin/roles',
  'GET /auth/admin/permissions',
  'GET /auth/admin/users',
  'PUT /auth/admin/users/{id}/roles',
  'GET /auth/me/export',
  'DELETE /auth/me',
  'GET /event',
  'GET /event/{eventId}',
  'GET /event/{eventId}/seats',
  'GET /event/{eventId}/map',
  'GET /event/{eventId}/availability',
  'POST /event',
  'PATCH /event/{eventId}',
  'DELETE /event/{eventId}',
  'POST /event/{eventId}/publish',
  'POST /event/{eventId}/cancel',
  'POST /event/{eventId}/seats',
  'PATCH /event/{eventId}/seats',
  'PUT /event/{eventId}/sections',
  'DELETE /event/{eventId}/sections',
  'PATCH /event/{eventId}/tiers',
  'GET /event/{eventId}/stats',
  'GET /event/{eventId}/stats/history',
  'GET /event/{eventId}/sales.csv',
  'GET /event/{eventId}/room',
  'PUT /event/{eventId}/room',
  'POST /event/{eventId}/room/open',
  'POST /event/{eventId}/room/pause',
  'POST /event/{eventId}/room/resume',
  'POST /event/{eventId}/room/close',
  'POST /event/{eventId}/room/notice',
  'POST /event/{eventId}/room/join',
  'GET /event/{eventId}/room/me',
  'POST /event/{eventId}/room/claim',
  'POST /event/{eventId}/room/defer',
  'POST /event/{eventId}/room/leave',
  'GET /event/{eventId}/room/challenge',
  'POST /event/{eventId}/room/challenge',
  'GET /event/{eventId}/room/draw',
  'GET /event/{eventId}/room/draw/proof',
  'GET /event/{eventId}/room/stats',
  'GET /event/{eventId}/room/steps',
  'GET /event/{eventId}/room/line.csv',
  'GET /event/{eventId}/room/priority',
  'PUT /event/{eventId}/room/priority',
  'POST /event/{eventId}/room/priority/list',
  'DELETE /event/{eventId}/room/priority/list',
  'POST /event/{eventId}/room/priority/invitations',
  'GET /event/{eventId}/room/priority/invitations',
  'DELETE /event/{eventId}/room/priority/invitations',
  'POST /event/{eventId}/room/priority/redeem',
  'GET /booking',
  'POST /booking',
  'POST /booking/best',
  'POST /booking/{id}/extend',
  'GET /booking/mine',
  'GET /booking/{id}',
  'DELETE /booking/{id}',
  'POST /payment/{bookingId}/checkout',
  'POST /payment/{bookingId}/confirm',
  'POST /payment/webhook/{provider}',
  'POST /payment/{bookingId}/refund',
  'GET /ticket/mine',
  // <id>.pdf
  'GET /ticket/{id}.pdf',
  'POST /ticket/scan',
  'GET /ticket/admissions',
  'GET /booking/{id}/tickets.pdf',
  'GET /admin/dead-letters',
  'POST /admin/dead-letters/{id}/retry',
  'GET /admin/actions',
  'GET /admin/audit',
  'GET /admin/freezes',
  'GET /health/holds',
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
  'GET /dev/mailbox',
  'POST /dev/buyers',
  'GET /dev/rehearsal',
  'POST /dev/rehearsal',
  'DELETE /dev/rehearsal',
]

interface Schema {
  type?: string
  properties?: Record<string, Schema>
  enum?: string[]
}
interface Operation {
  operationId?: string
  summary?: string
  tags?: string[]
  security?: unknown[]
  parameters?: { name: string; in: string; required?: boolean; schema?: Schema }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, { description?: string; content?: Record<string, { schema?: Schema }> }>
}
interface Document {
  openapi: string
  info: { title: string; version: string }
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { securitySchemes: Record<string, unknown> }
}

let app: AppHarness
let document: Document
let operations: { route: string; path: string; operation: Operation }[]

beforeAll(async () => {
  app = await startApp({
    embedded: new Set(['postgres', 'redis', 'mail']),
    mailboxUrl: 'http://127.0.0.1:9',
    rehearsalUrl: 'http://127.0.0.1:9',
  })
  document = (await app.call('GET', '/api/docs/json')).body
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      route: `${method.toUpperCase()} ${path.replace(/^\/api\/v1/, '')}`,
      path,
      operation,
    })),
  )
}, START_WITHIN_MS)
afterAll(() => app.close())

const codesOf = ({ responses }: Operation): string[] =>
  Object.values(responses).flatMap(({ content }) => {
    const code = content?.['application/json']?.schema?.properties?.['code']
    return code?.enum ?? []
  })

describe('what it contains', () => {
  test('exactly the routes of the contract that are served', () => {
    expect(operations.map(({ route }) => route).toSorted()).toEqual(ROUTES.toSorted())
  })

  test('every operation has a summary, a tag, a name of its own and a success', () => {
    const tags = new Set(document.tags.map(({ name }) => name))
    for (const { route, operation } of operations) {
      expect([route, operation.summary?.length ?? 0]).not.toEqual([route, 0])
      expect([route, operation.tags?.filter((tag) => tags.has(tag)).length]).toEqual([route, 1])
      const successes = Object.keys(operation.responses).filter((status) => status.startsWith('2'))
      expect([route, successes.length]).toEqual([route, 1])
    }
    const names = operations.map(({ operation }) => operation.operationId)
    expect(new Set(names).size).toBe(operations.length)
  })

  test('every error code is answered by some operation, under its status', () => {
    const documented = new Set(operations.flatMap(({ operation }) => codesOf(operation)))
    const missing = ERROR_CODES.filter((code) => !documented.has(code))
    expect(missing).toEqual([])
    for (const { route, operation } of operations)
      for (const [status, { content }] of Object.entries(operation.responses)) {
        const words = content?.['application/json']?.schema?.properties?.['code']?.enum ?? []
        for (const code of words)
          expect(`${route} ${code} ${ERROR_STATUS[code as ErrorCode]}`).toBe(`${route} ${code} ${status}`)
      }
  })

  test('every operation may answer 429, 500 and 503; a guarded one also 401', () => {
    for (const { route, operation } of operations) {
      const statuses = Object.keys(operation.responses)
      const missing = ['429', '500', '503'].filter((status) => !statuses.includes(status))
      expect({ route, missing }).toEqual({ route, missing: [] })
      if (operation.security) expect([route, statuses.includes('401')]).toEqual([route, true])
    }
  })

  test('a route that takes a body says which, as JSON and as nothing else', () => {
    const withBody = operations.filter(({ operation }) => operation.requestBody)
    expect(withBody.length).toBeGreaterThan(15)
    for (const { route, operation } of withBody)
      expect([route, Object.keys(operation.requestBody!.content)]).toEqual([route, ['application/json']])
  })
})

describe('as an OpenAPI 3.0 document', () => {
  test('has its head, and security schemes for every way to sign in', () => {
    expect(document.openapi).toMatch(/^3\.0\.\d$/)
    expect(document.info).toMatchObject({
      title: 'Onsale',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    })
    expect(Object.keys(document.components.securitySchemes).toSorted()).toEqual(['bearer', 'cookie'])
  })

  test('every path parameter is declared, required and in the path', () => {
    for (const { route, path, operation } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => String(match[1]))
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
      const names = declared.map(({ name }) => name).toSorted()
      expect({ route, names }).toEqual({ route, names: inPath.toSorted() })
      expect(declared.every(({ required }) => required === true)).toBe(true)
      const all = (operation.parameters ?? []).map((parameter) => `${parameter.in} ${parameter.name}`)
      expect(new Set(all).size).toBe(all.length)
    }
  })

  test('every schema uses only words that OpenAPI 3.0 knows', () => {
    const unknown = new Set<string>()
    const walk = (value: unknown, at: string): void => {
      if (Array.isArray(value)) return value.forEach((part, index) => walk(part, `${at}/${index}`))
      if (typeof value !== 'object' || value === null) return
      const { type, items, examples, const: only, $ref, patternProperties } = value as Record<string, unknown>
      if (typeof type === 'string' && !KNOWN_TYPES.has(type)) unknown.add(`${at}: type ${type}`)
      if (Array.isArray(type)) unknown.add(`${at}: a list of types`)
      if (Array.isArray(items)) unknown.add(`${at}: a tuple`)
      if (type === 'array' && items === undefined) unknown.add(`${at}: an array of nothing`)
      if (Array.isArray(examples)) unknown.add(`${at}: examples`)
      if (only !== undefined && typeof only !== 'object') unknown.add(`${at}: const`)
      if (typeof $ref === 'string') unknown.add(`${at}: $ref ${$ref}`)
      if (patternProperties !== undefined) unknown.add(`${at}: patternProperties`)
      for (const [name, part] of Object.entries(value)) walk(part, `${at}/${name}`)
    }
    walk(document.paths, '')
    expect([...unknown]).toEqual([])
  })
})
const KNOWN_TYPES = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object'])

describe('the page', () => {
  test('loads its own assets and nothing else, so that it works without internet', async () => {
    const page = await app.call('GET', '/api/docs')
    expect(page.status).toBe(200)
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'")
    const assets = [...String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')
    expect(assets.length).toBeGreaterThan(2)
    for (const asset of assets) {
      expect(asset).toStartWith('/api/docs/assets/')
      expect([asset, (await app.call('GET', asset)).status]).toEqual([asset, 200])
    }
    const start = await app.call('GET', '/api/docs/assets/start.js')
    expect(start.body).toContain("'/api/docs/json'")
  })

  test('hands out no other file', async () => {
    for (const path of ['package.json', '../package.json', '%2e%2e/package.json', 'swagger-ui.js.map']) {
      const answer = await app.call('GET', `/api/docs/assets/${path}`)
      expect([path, answer.status]).toEqual([path, 404])
    }
  })
})
