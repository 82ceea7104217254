// Asks every operation of the document for other people's things, as every role: a route added tomorrow is asked by itself.
import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test'
import { findBooking } from '../../db/bookings/read-bookings.ts'
import { ROLE_CATALOGUE } from '../../db/seed.ts'
import { openSession } from '../../db/sessions.ts'
import * as readable from '../../server/bookings/readable.ts'
import type { RoleName } from '../../server/protocol/codes.ts'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'
import {
  fillPath,
  fillQuery,
  readOperations,
  sampleOf,
  type Known,
  type Operation,
} from '../support/openapi.ts'

const SWEEP_MS = 120_000
const ROLES = ['visitor', 'USER', 'ORGANIZER', 'STAFF', 'ADMIN'] as const
type Role = (typeof ROLES)[number]
const REFUSED = new Set([401, 403, 404])
/** Path parameters that name one person's thing, whatever the permission is called. */
const PRIVATE = ['id', 'bookingId']
/** An administrator manages every event and reads every booking, and does nothing in a buyer's name. */
const ADMIN_READS = new Set(['GET /api/v1/booking/{id}'])
/** End the caller's own session or account, so each is asked by somebody who is needed no more. */
const ENDS_THE_CALLER = new Set(['POST /api/v1/auth/logout', 'DELETE /api/v1/auth/me'])
/** Change from moment to moment by themselves. */
const TICKING = ['room_progress', 'room_steps', 'hold_clock', 'audits', 'idempotency_keys']

let app: AppHarness
let operations: Operation[]
let owner: Person
let buyer: Person
let eventId: string
let bookingIds: string[]
/** What only the owner and the buyer may ever read. */
let secrets: string[]
const callers = new Map<Role, Person | undefined>()

beforeAll(async () => {
  app = await startApp({
    rateLimit: false,
    embedded: new Set(['postgres', 'redis', 'mail']),
    mailboxUrl: 'http://127.0.0.1:9',
    rehearsalUrl: 'http://127.0.0.1:9',
  })
  operations = await readOperations(app)
  owner = await app.person('ORGANIZER')
  buyer = await app.person()
  for (const role of ROLES) callers.set(role, role === 'visitor' ? undefined : await app.person(role))
  await app.event({ organizer: callers.get('ORGANIZER')! })
  await makeThings()
}, START_WITHIN_MS)
afterAll(() => app.close(), START_WITHIN_MS)

let things: Known
async function makeThings() {
  const event = await app.event({ organizer: owner })
  ;({ eventId } = event)
  const paid = await app.hold(buyer, [event.seatId(0)])
  await app.call('POST', `/payment/${paid.body.data.id}/confirm`, {
    token: buyer.token,
    body: { method: 'sandbox_ok' },
  })
  const held = await app.hold(buyer, [event.seatId(2)])
  bookingIds = [paid.body.data.id, held.body.data.id]
  const tickets = await app.call('GET', '/ticket/mine', { token: buyer.token })
  const [ticket] = tickets.body.data.items
  const session = await openSession(app.context.ledger.db, {
    accountId: buyer.accountId,
    userAgent: 'another',
  })
  const roles = await app.call('GET', '/auth/admin/roles', { token: callers.get('ADMIN')!.token })
  const permissions = await app.call('GET', '/auth/admin/permissions', { token: callers.get('ADMIN')!.token })
  const [role] = roles.body.data.items
  const [permission] = permissions.body.data.items
  secrets = [buyer.email, owner.email, ticket.code, ticket.id, session.sessionId, ...bookingIds]
  things = {
    eventId,
    seatId: event.seatId(2),
    seatIds: [event.seatId(2)],
    code: ticket.code,
    ticketId: ticket.id,
    bookingId: bookingIds[1],
    sessionId: session.sessionId,
    accountId: buyer.accountId,
    roleId: role.id,
    roleIds: [role.id],
    permissionId: permission.id,
    permissionIds: [permission.id],
    provider: 'sandbox',
    section: 'Stalls',
    tier: 'Standard',
    timeZone: 'Europe/Berlin',
    since: new Date(0).toISOString(),
    token: 'x',
    email: 'stranger@onsale.test',
    count: 1,
    // Labels have to fit the rows, which a sample cannot know.
    rowLabels: undefined,
    access: undefined,
  }
}

/** What `{id}` is, which only the rest of the path says. */
function thingsFor({ path }: Operation): Known {
  if (path.includes('/auth/sessions/')) return { ...things, id: things['sessionId'] }
  if (path.includes('/auth/admin/users/')) return { ...things, id: things['accountId'] }
  if (path.endsWith('/ticket/{id}.pdf')) return { ...things, id: things['ticketId'] }
  if (path.includes('/tickets.pdf')) return { ...things, id: bookingIds[0] }
  if (path.includes('/refund')) return { ...things, bookingId: bookingIds[0] }
  return { ...things, id: path.includes('/admin/') ? Bun.randomUUIDv7() : bookingIds[1] }
}

/** Whether it is about one owner's things, so that nobody else may use it. */
function isBound({ access, parameters, body }: Operation): boolean {
  const names = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
  const isPrivate = names.some((name) => PRIVATE.includes(name))
  if (access === 'user') return isPrivate
  if (!access.endsWith(':own')) return false
  const isManaging = !ROLE_CATALOGUE['USER']!.permissions.includes(access)
  return (
    isPrivate || (isManaging && (names.includes('eventId') || body?.properties?.['eventId'] !== undefined))
  )
}

/** Every account is a USER as well. */
const permissionsOf = (role: RoleName) =>
  new Set([...ROLE_CATALOGUE['USER']!.permissions, ...ROLE_CATALOGUE[role]!.permissions])

type Expected = 'refused' | 'open' | 'entitled'
function expectedOf(operation: Operation, role: Role): Expected {
  const { access, name } = operation
  if (access === 'anyone') return 'open'
  if (role === 'visitor') return 'refused'
  if (access !== 'user' && !permissionsOf(role).has(access)) return 'refused'
  if (role === 'ADMIN') {
    const isOfEvent = isBound(operation) && !operation.parameters.some(({ name: of }) => PRIVATE.includes(of))
    if (isOfEvent || ADMIN_READS.has(name) || !/:own$|^user$/.test(access)) return 'entitled'
  }
  // The door is the whole house's: whoever may scan may scan what is shown to them (docs/security.md).
  if (access === 'ticket:scan') return 'entitled'
  return isBound(operation) ? 'refused' : 'open'
}

function request(operation: Operation, token: string | undefined) {
  const known = thingsFor(operation)
  const path = fillPath(operation, known) + fillQuery(operation, known)
  const body = operation.body ? { body: sampleOf(operation.body, known) } : {}
  return app.call(operation.method, path, { token, ...body })
}

/** By table, of every row of the owner, the buyer and their bookings (`theirs`), and of the event (`event`). */
interface Digest {
  theirs: Map<string, string>
  event: Map<string, string>
}

let question: string | undefined
async function digest(): Promise<Digest> {
  const { sql } = app.context.ledger
  question ??= await digestQuestion()
  const rows = await sql.unsafe<{ of: keyof Digest; name: string; digest: string }[]>(question)
  const mapOf = (of: keyof Digest) =>
    new Map(rows.filter((row) => row.of === of).map((row) => [row.name, row.digest]))
  return { theirs: mapOf('theirs'), event: mapOf('event') }
}

/** From the schema, so that a table added tomorrow is watched by itself. */
async function digestQuestion(): Promise<string> {
  const people = [owner.accountId, buyer.accountId]
  const tables = await app.context.ledger.sql<{ name: string; columns: string[] }[]>`
    select table_name as name, array_agg(column_name::text) as columns from information_schema.columns
    where table_schema = 'public' and table_name <> all(${TICKING}) group by 1 order by 1`
  const belongs = {
    theirs: { account_id: people, owner_id: people, booking_id: bookingIds, 'accounts.id': people },
    event: { event_id: [eventId], 'events.id': [eventId] },
  }
  return tables
    .flatMap(({ name, columns }) =>
      Object.entries(belongs).flatMap(([of, by]) => {
        const where = Object.entries(by).flatMap(([column, ids]) => {
          const own = column.startsWith(`${name}.`) ? column.slice(name.length + 1) : column
          return columns.includes(own) ? [`t.${own} in (${ids.map((id) => `'${id}'`).join(',')})`] : []
        })
        if (where.length === 0) return []
        return [
          `select '${of}' as of, '${name}' as name, coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as digest ` +
            `from "${name}" t where ${where.join(' or ')}`,
        ]
      }),
    )
    .join(' union all ')
}

const differing = (before: Map<string, string>, after: Map<string, string>) =>
  [...after].filter(([table, of]) => before.get(table) !== of).map(([table]) => table)

interface Sweep {
  asked: number
  refused: number
  findings: string[]
}

/** Asks as one role all that is not theirs. */
async function sweep(role: Role, asked: Operation[]): Promise<Sweep> {
  const result: Sweep = { asked: 0, refused: 0, findings: [] }
  let before = await digest()
  for (const operation of asked) {
    const expected = expectedOf(operation, role)
    if (expected === 'entitled') continue
    const isLast = ENDS_THE_CALLER.has(operation.name) && role !== 'visitor'
    const caller = isLast ? await app.person(role) : callers.get(role)
    const answer = await request(operation, caller?.token)
    const after = await digest()
    const changed = differing(before.theirs, after.theirs)
    // Others book seats of the event too; what is refused changes nothing of it.
    if (expected === 'refused') changed.push(...differing(before.event, after.event))
    before = after
    const found = (what: string) => result.findings.push(`${role} ${operation.name}: ${what}`)
    result.asked++
    if (expected === 'refused') {
      result.refused++
      if (!REFUSED.has(answer.status)) found(`answers ${answer.status}`)
    }
    if (answer.status >= 500 && !operation.path.includes('/dev/')) found(`answers ${answer.status}`)
    if (changed.length > 0) found(`changed ${changed.join(', ')}`)
    const said = secretsIn(answer.body)
    if (said.length > 0) found(`tells ${said.join(', ')}`)
  }
  return result
}

/** An error names the path that was asked; that is the asker's own word. */
function secretsIn(body: unknown): string[] {
  const shown = typeof body === 'object' && body !== null ? { ...body, path: undefined } : body
  const text = JSON.stringify(shown) ?? ''
  return secrets.filter((secret) => text.includes(secret))
}

describe("other people's things", () => {
  for (const role of ROLES)
    test(
      `are closed to ${role}: refused, nothing told, nothing changed`,
      async () => {
        const { asked, refused, findings } = await sweep(role, operations)
        console.info(
          `IDOR ${role}: ${asked} of ${operations.length} operations asked, ${refused} must refuse`,
        )
        expect(findings).toEqual([])
        expect(asked).toBeGreaterThan(40)
        if (role !== 'ADMIN') expect(refused).toBeGreaterThan(25)
      },
      SWEEP_MS,
    )

  test('an ownership check that is missing is found', async () => {
    const hole = spyOn(readable, 'getOwn').mockImplementation(async (context, _identity, id) => {
      const booking = await findBooking(context.ledger.db, id)
      if (!booking) throw new Error('the hole has nothing to show')
      return booking
    })
    const { findings } = await sweep(
      'USER',
      operations.filter(({ path }) => path.includes('/booking/{id}')),
    )
    hole.mockRestore()
    expect(findings.join('\n')).toContain('/booking/{id}')
    expect(findings.length).toBeGreaterThanOrEqual(1)
  })

  test(
    'are open to whom they belong, by the very requests that the others were refused',
    async () => {
      // Reading first, ending last.
      const order = ['GET', 'PUT', 'PATCH', 'POST', 'DELETE']
      const bound = operations
        .filter(isBound)
        .toSorted((a, b) => order.indexOf(a.method) - order.indexOf(b.method))
      expect(bound.length).toBeGreaterThan(30)
      const refused: string[] = []
      for (const operation of bound) {
        const isBuyers = operation.parameters.some(({ name }) => PRIVATE.includes(name))
        const whose = isBuyers && operation.access !== 'payment:refund:own' ? buyer : owner
        const { status, body } = await request(operation, whose.token)
        if ([401, 403, 404].includes(status)) refused.push(`${operation.name}: ${status} ${body.code}`)
      }
      expect(refused).toEqual([])
    },
    SWEEP_MS,
  )
})
