// Shows that an organiser sees what became of the invitations, and takes unused ones back; a used one stays used.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { keepInvitations, useInvitation, withdrawInvitations } from '../../db/invitations.ts'
import { hasPriority } from '../../db/priority.ts'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'

const ROOM = { enabled: true, activeMax: 1, doorSeconds: 30, passSeconds: 600, graceSeconds: 60 }
const HOUR_MS = 3_600_000
/** Enough that unguarded some of them meet. */
const PAIRS = 100

let app: AppHarness
beforeAll(async () => {
  app = await startApp({ rateLimit: false })
}, START_WITHIN_MS)
afterAll(() => app.close(), START_WITHIN_MS)

const call = (method: string, eventId: string, path: string, who?: Person, body?: unknown) =>
  app.call(method, `/event/${eventId}/room/priority${path}`, {
    token: who?.token,
    ...(body === undefined ? {} : { body }),
  })
const invite = async (eventId: string, organizer: Person, count = 1) =>
  (await call('POST', eventId, '/invitations', organizer, { count })).body.data.links as string[]
const batches = async (eventId: string, organizer: Person, query = '') =>
  (await call('GET', eventId, `/invitations${query}`, organizer)).body.data
const redeem = (eventId: string, who: Person, link: string) =>
  call('POST', eventId, '/redeem', who, { invitation: link.split('#')[1] })
const withdraw = (eventId: string, who: Person, body: object) =>
  call('DELETE', eventId, '/invitations', who, body)

describe('what was made in one go', () => {
  test('is told with how many are used, withdrawn and unused, the newest first, page by page', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    const person = await app.person()
    const first = await invite(eventId, organizer, 3)
    await invite(eventId, organizer, 2)
    await redeem(eventId, person, first[0]!)
    await withdraw(eventId, organizer, { invitations: [first[1]!] })
    const { items, nextCursor } = await batches(eventId, organizer)
    expect(nextCursor).toBeNull()
    expect(items).toMatchObject([
      { made: 2, used: 0, withdrawn: 0, unused: 2 },
      { made: 3, used: 1, withdrawn: 1, unused: 1 },
    ])
    const page = await batches(eventId, organizer, '?limit=1')
    expect(page.items).toEqual([items[0]])
    const next = await batches(eventId, organizer, `?limit=1&cursor=${page.nextCursor}`)
    expect(next).toEqual({ items: [items[1]], nextCursor: null })
  })

  test('is withdrawn together, without what was used', async () => {
    const { eventId, organizer } = await app.event({ room: ROOM })
    const [first, second] = await app.people(2)
    const links = await invite(eventId, organizer, 3)
    await redeem(eventId, first!, links[0]!)
    const { batch } = (await batches(eventId, organizer)).items[0]
    expect((await withdraw(eventId, organizer, { batch })).body.data).toEqual({ withdrawn: 2 })
    expect((await withdraw(eventId, organizer, { batch })).body.data).toEqual({ withdrawn: 0 })
    // Whoever has used one may come back with it.
    expect((await redeem(eventId, first!, links[0]!)).status).toBe(200)
    const refused = await redeem(eventId, second!, links[1]!)
    expect([refused.status, refused.body.code]).toEqual([403, 'permission_denied'])
    expect(refused.body.message).toContain('withdrawn')
    const { db } = app.context.ledger
    expect(await hasPriority(db, eventId, first!.accountId)).toBe(true)
    expect(await hasPriority(db, eventId, second!.accountId)).toBe(false)
  })
})

test('an invitation used and withdrawn at the same moment is one of the two, never both', async () => {
  const { eventId } = await app.event({ room: ROOM })
  const { accountId } = await app.person()
  const { db } = app.context.ledger
  const ids = Array.from({ length: PAIRS }, () => Bun.randomUUIDv7())
  const batch = Bun.randomUUIDv7()
  await keepInvitations(db, { eventId, batch, ids, expiresAt: new Date(Date.now() + HOUR_MS) })
  // Past the routes, where the two would seldom meet.
  const ends = await Promise.all(
    ids.map(async (invitationId) => {
      const [used, withdrawn] = await Promise.all([
        useInvitation(db, { eventId, invitationId, accountId }),
        withdrawInvitations(db, { eventId, ids: [invitationId] }),
      ])
      return Number(used.ok) + withdrawn
    }),
  )
  expect(ends).toEqual(ids.map(() => 1))
})

test('nobody withdraws for another event, without saying what, or what is no invitation', async () => {
  const { eventId, organizer } = await app.event({ room: ROOM })
  const other = await app.event({ room: ROOM })
  const [link] = await invite(eventId, organizer)
  const { batch } = (await batches(eventId, organizer)).items[0]
  for (const body of [{}, { batch, invitations: [link] }, { invitations: [`${link}x`] }, { invitations: [] }])
    expect((await withdraw(eventId, organizer, body)).body.code).toBe('request_invalid')
  expect((await withdraw(eventId, other.organizer, { batch })).body.code).toBe('not_found')
  for (const body of [{ batch }, { invitations: [link] }])
    expect((await withdraw(other.eventId, other.organizer, body)).body.data).toEqual({ withdrawn: 0 })
  const buyer = await app.person()
  expect((await call('GET', eventId, '/invitations', buyer)).body.code).toBe('permission_denied')
  expect((await batches(eventId, organizer)).items).toMatchObject([{ made: 1, unused: 1 }])
})
