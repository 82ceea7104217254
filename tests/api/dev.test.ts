// Holds what exists for development only: it works on embedded stores, and is nowhere else.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { accounts, events } from '../../db/schema.ts'
import { seedDemo } from '../../db/seed.ts'
import { startAuthApp, type AuthApp } from '../support/auth-app.ts'

const MAILS = [
  {
    to: 'a@onsale.test',
    from: 'x',
    subject: 'S',
    text: 'T',
    html: '',
    links: ['http://l/'],
    at: '2027-01-01T00:00:00.000Z',
  },
]
/** Each sign-in hashes a password, and machines are busy. */
setDefaultTimeout(30_000)

let app: AuthApp
let mailbox: Bun.Server<undefined>
beforeAll(async () => {
  mailbox = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      const { pathname, searchParams } = new URL(request.url)
      if (pathname === '/messages')
        return Response.json(searchParams.get('to') === 'b@onsale.test' ? [] : MAILS)
      return new Response('<h1>Mailbox</h1>', {
        headers: { 'content-type': 'text/html', 'content-security-policy': "default-src 'self'" },
      })
    },
  })
  app = await startAuthApp({ mailboxUrl: `http://127.0.0.1:${mailbox.port}` })
})
afterAll(async () => {
  await app.close()
  await mailbox.stop(true)
})

describe('POST /dev/buyers', () => {
  test('makes five thousand verified buyers in seconds, each signed in and none able to log in', async () => {
    const start = performance.now()
    const answer = await app.ask('POST', '/dev/buyers', { body: { count: 5_000 } })
    expect(performance.now() - start).toBeLessThan(10_000)
    const buyers = answer.body.data as unknown as { id: string; email: string; accessToken: string }[]
    expect(buyers).toHaveLength(5_000)
    expect(new Set(buyers.map(({ email }) => email)).size).toBe(5_000)
    for (const { id, email, accessToken } of [buyers[0]!, buyers[4_999]!]) {
      const me = await app.second.ask('GET', '/auth/me', { bearer: accessToken })
      expect(me.body.data).toMatchObject({ id, email, verified: true, roles: ['USER'] })
      const login = await app.ask('POST', '/auth/login', { body: { email, password: 'any password' } })
      expect(login.status).toBe(401)
    }
  })

  test('refuses more, and fewer than one', async () => {
    for (const count of [0, 5_001, 1.5, '3'])
      expect((await app.ask('POST', '/dev/buyers', { body: { count } })).status).toBe(400)
  })
})

describe('the mailbox', () => {
  test('is read through the server, narrowed to an address', async () => {
    expect((await app.ask('GET', '/dev/mailbox')).status).toBe(200)
    const page = await app.ask('GET', '/dev/mailbox')
    expect(page.headers.get('content-security-policy')).toBe("default-src 'self'")
  })

  test('answers over the API in the envelope', async () => {
    const all = await app.ask('GET', '/api/v1/dev/mailbox')
    expect(all.body).toMatchObject({ data: MAILS })
    expect((await app.ask('GET', '/api/v1/dev/mailbox?to=b@onsale.test')).body).toMatchObject({ data: [] })
  })
})

test('with external stores and mail none of it is there', async () => {
  const external = await startAuthApp({ embedded: new Set() })
  try {
    expect((await external.ask('POST', '/api/v1/dev/buyers', { body: { count: 1 } })).status).toBe(404)
    expect((await external.ask('GET', '/api/v1/dev/mailbox')).status).toBe(404)
    expect((await external.ask('GET', '/dev/mailbox')).status).toBe(404)
  } finally {
    await external.close()
  }
})

describe('the demo', () => {
  const passwords = { admin: 'admin password', organizer: 'organizer password', buyer: 'buyer password' }

  test('has three accounts and one event on sale, however often it is loaded', async () => {
    const first = await seedDemo(app.db, { passwords })
    expect(await seedDemo(app.db, { passwords })).toEqual(first)
    expect(await app.db.select().from(events)).toHaveLength(1)
    const [event] = await app.db.select().from(events).where(eq(events.id, first.eventId))
    expect(event).toMatchObject({ status: 'PUBLISHED', seatCount: 1_200 })
    for (const { email, role } of first.accounts) {
      const password = passwords[role === 'USER' ? 'buyer' : (role.toLowerCase() as 'admin' | 'organizer')]
      const login = await app.ask('POST', '/auth/login', { body: { email, password } })
      expect(login.body.data.user.roles).toEqual([role])
    }
  })

  test('finds a changed password again, keeps changed roles, and replaces an event that is over', async () => {
    const { eventId } = await seedDemo(app.db, { passwords })
    await app.db.update(events).set({ startsAt: new Date(Date.now() - 1_000) })
    await app.db.update(accounts).set({ passwordHash: null }).where(eq(accounts.email, 'buyer@onsale.test'))
    const again = await seedDemo(app.db, { passwords })
    expect(again.eventId).not.toBe(eventId)
    const body = { email: 'buyer@onsale.test', password: passwords.buyer }
    expect((await app.ask('POST', '/auth/login', { body })).status).toBe(200)
  })
})
