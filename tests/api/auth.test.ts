// Holds registering, verifying and signing in to what the contract says, and to telling strangers nothing.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { accounts, mailTokens } from '../../db/schema.ts'
import {
  lastMailToken,
  makeAccount,
  ORIGIN,
  PASSWORD,
  signIn,
  stagedMails,
  startAuthApp,
  type AuthApp,
} from '../support/auth-app.ts'

/** Each sign-in hashes a password, and machines are busy. */
setDefaultTimeout(30_000)

let app: AuthApp
beforeAll(async () => {
  app = await startAuthApp()
})
afterAll(() => app.close())

const register = (email: string, password = PASSWORD) =>
  app.ask('POST', '/auth/register', { body: { email, password, fullName: 'Test Person' } })
const login = (email: string, password = PASSWORD) =>
  app.ask('POST', '/auth/login', { body: { email, password } })
const verify = (token: string, email: string) =>
  app.ask('POST', `/auth/verify?token=${token}&email=${encodeURIComponent(email)}`)
/** Milliseconds of one refused sign-in. */
async function timeLogin(email: string): Promise<number> {
  const start = performance.now()
  await login(email, 'wrong password')
  return performance.now() - start
}
const median = (times: number[]) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!
/** A write that finds nothing, when it is let through. */
const write = (cookie: string, headers: Record<string, string>, bearer?: string) =>
  app.ask('DELETE', `/auth/sessions/${Bun.randomUUIDv7()}`, {
    cookies: { accessToken: cookie },
    headers,
    ...(bearer ? { bearer } : {}),
  })

describe('registering', () => {
  test('answers the same for a new, an unverified and a verified address; only the mail differs', async () => {
    const answers = []
    answers.push(await register('same@onsale.test'))
    expect((await stagedMails(app))[0]?.kind).toBe('send_verification')
    answers.push(await register('Same@Onsale.test'))
    expect((await stagedMails(app))[0]?.kind).toBe('send_verification')
    await verify(await lastMailToken(app), 'same@onsale.test')
    answers.push(await register('same@onsale.test', 'quite another password'))
    expect((await stagedMails(app))[0]?.kind).toBe('send_account_exists')
    for (const answer of answers) {
      expect(answer.status).toBe(201)
      expect(answer.body).toEqual(answers[0]!.body)
    }
    expect((await login('same@onsale.test')).status).toBe(200)
    expect((await login('same@onsale.test', 'quite another password')).status).toBe(401)
  })

  test('gives the USER role, and keeps the password as argon2id only', async () => {
    await makeAccount(app, 'fresh@onsale.test')
    const { access } = await signIn(app, 'fresh@onsale.test')
    const me = await app.ask('GET', '/auth/me', { bearer: access })
    expect(me.body.data).toMatchObject({ email: 'fresh@onsale.test', roles: ['USER'], verified: true })
    expect(me.body.data.permissions).toContain('booking:create:own')
    const [row] = await app.db.select().from(accounts).where(eq(accounts.email, 'fresh@onsale.test'))
    expect(row!.passwordHash).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$')
  })

  test('of an unverified address the latest registration counts, and earlier links are dead', async () => {
    await register('early@onsale.test', 'the stranger’s password')
    const strangersLink = await lastMailToken(app)
    await register('early@onsale.test')
    const ownersLink = await lastMailToken(app)
    expect((await verify(strangersLink, 'early@onsale.test')).status).toBe(400)
    expect((await verify(ownersLink, 'early@onsale.test')).status).toBe(200)
    expect((await login('early@onsale.test', 'the stranger’s password')).status).toBe(401)
    expect((await login('early@onsale.test')).status).toBe(200)
  })

  test.each([
    ['an unknown field', { role: 'ADMIN' }],
    ['a short password', { password: 'short' }],
    ['a wrong address', { email: 'nobody' }],
    ['an empty name', { fullName: '  ' }],
  ])('%s is refused', async (_name, change) => {
    const body = { email: 'x@onsale.test', password: PASSWORD, fullName: 'X', ...change }
    const answer = await app.ask('POST', '/auth/register', { body })
    expect(answer.status).toBe(400)
    expect(answer.body.code).toBe('request_invalid')
  })

  test('twenty times at once makes one account', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => register('twenty@onsale.test')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    const rows = await app.db.select().from(accounts).where(eq(accounts.email, 'twenty@onsale.test'))
    expect(rows).toHaveLength(1)
  })
})

describe('verifying', () => {
  test('works once, only with the address it was sent to, and only within the hour', async () => {
    await register('once@onsale.test')
    const token = await lastMailToken(app)
    expect((await verify(token, 'other@onsale.test')).status).toBe(400)
    expect((await verify(token, 'ONCE@onsale.test')).status).toBe(200)
    expect((await verify(token, 'once@onsale.test')).status).toBe(400)
    await register('late@onsale.test')
    const late = await lastMailToken(app)
    await app.db.update(mailTokens).set({ expiresAt: new Date(Date.now() - 1) })
    expect((await verify(late, 'late@onsale.test')).status).toBe(400)
  })

  test('a token of 256 bits is kept as a hash only', async () => {
    await register('hash@onsale.test')
    const token = await lastMailToken(app)
    expect(Buffer.from(token, 'base64url')).toHaveLength(32)
    const rows = await app.db.select({ hash: mailTokens.hash }).from(mailTokens)
    expect(rows.some(({ hash }) => Buffer.from(hash).toString('base64url') === token)).toBe(false)
  })

  test('raced twenty times succeeds once', async () => {
    await register('raced@onsale.test')
    const token = await lastMailToken(app)
    const answers = await Promise.all(Array.from({ length: 20 }, () => verify(token, 'raced@onsale.test')))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test('a new link is sent to the unverified, nothing to anybody else, and the answer is one', async () => {
    await register('again@onsale.test')
    const first = await lastMailToken(app)
    const resend = (email: string) => app.ask('POST', '/auth/verify/resend', { body: { email } })
    const unverified = await resend('again@onsale.test')
    const second = await lastMailToken(app)
    expect(second).not.toBe(first)
    expect((await verify(second, 'again@onsale.test')).status).toBe(200)
    const count = (await stagedMails(app)).length
    const verified = await resend('again@onsale.test')
    const unknown = await resend('nobody@onsale.test')
    expect((await stagedMails(app)).length).toBe(count)
    for (const answer of [unverified, verified, unknown]) {
      expect(answer.status).toBe(202)
      expect(answer.body).toEqual(unknown.body)
    }
  })
})

describe('signing in', () => {
  test('sets both cookies, and keeps the refresh token out of the body', async () => {
    await makeAccount(app, 'cookie@onsale.test')
    const answer = await login('Cookie@Onsale.test')
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.body.data).toSorted()).toEqual(['accessToken', 'user'])
    const access = answer.cookies.get('accessToken')!
    expect(access).toMatchObject({ httpOnly: true, sameSite: 'lax', secure: false, path: '/', maxAge: 900 })
    const refresh = answer.cookies.get('refreshToken')!
    expect(refresh).toMatchObject({ httpOnly: true, sameSite: 'lax', secure: false, path: '/api/v1/auth' })
    expect(refresh.maxAge).toBe(7 * 24 * 3600)
    const me = await app.ask('GET', '/auth/me', { cookies: { accessToken: access.value } })
    expect(me.body.data.email).toBe('cookie@onsale.test')
  })

  test('hands the refresh token to a client that says it is one, and no cookies', async () => {
    await makeAccount(app, 'api@onsale.test')
    const answer = await app.ask('POST', '/auth/login', {
      body: { email: 'api@onsale.test', password: PASSWORD },
      headers: { 'x-client': 'api' },
    })
    expect(Buffer.from(answer.body.data.refreshToken, 'base64url')).toHaveLength(32)
    expect(answer.cookies.size).toBe(0)
  })

  test('refuses an unverified address only after the right password', async () => {
    await register('unverified@onsale.test')
    const right = await login('unverified@onsale.test')
    expect([right.status, right.body.code]).toEqual([403, 'email_not_verified'])
    const wrong = await login('unverified@onsale.test', 'wrong password')
    expect([wrong.status, wrong.body.code]).toEqual([401, 'unauthenticated'])
  })

  test('says the same of a wrong password, an unknown address and a disabled account', async () => {
    await makeAccount(app, 'known@onsale.test')
    await makeAccount(app, 'disabled@onsale.test')
    await app.db
      .update(accounts)
      .set({ disabledAt: new Date() })
      .where(eq(accounts.email, 'disabled@onsale.test'))
    const answers = await Promise.all([
      login('known@onsale.test', 'wrong password'),
      login('unknown@onsale.test'),
      login('disabled@onsale.test'),
    ])
    for (const { status, body } of answers)
      expect([status, body.code, body.message]).toEqual([401, 'unauthenticated', answers[0].body.message])
  })

  test('takes as long for an unknown address as for a wrong password', async () => {
    await makeAccount(app, 'timed@onsale.test')
    const known: number[] = []
    const unknown: number[] = []
    for (let round = 0; round < 8; round++) {
      known.push(await timeLogin('timed@onsale.test'))
      unknown.push(await timeLogin('never-seen@onsale.test'))
    }
    // A skipped hash would make one of them several times faster than the other.
    expect(median(unknown) / median(known)).toBeGreaterThan(0.5)
    expect(median(unknown) / median(known)).toBeLessThan(2)
  })

  test('answers overloaded, and soon, to more sign-ins at once than can be hashed', async () => {
    const answers = await Promise.all(
      Array.from({ length: 90 }, (_, index) => login(`crowd-${index}@onsale.test`)),
    )
    const overloaded = answers.filter(({ status }) => status === 503)
    expect(overloaded.length).toBeGreaterThan(0)
    expect(overloaded[0]!.body.code).toBe('overloaded')
    expect(overloaded[0]!.headers.get('retry-after')).toBe('1')
    expect(answers.every(({ status }) => status === 503 || status === 401)).toBe(true)
  })
})

describe('a cookie', () => {
  test('may write from our own pages only', async () => {
    await makeAccount(app, 'origin@onsale.test')
    const cookie = (await login('origin@onsale.test')).cookies.get('accessToken')!.value
    expect((await write(cookie, { origin: ORIGIN })).body.code).toBe('not_found')
    const loopback = { origin: 'http://127.0.0.1:3000', host: '127.0.0.1:3000' }
    expect((await write(cookie, loopback)).body.code).toBe('not_found')
    for (const headers of [
      {},
      { origin: 'null' },
      { origin: 'https://localhost:3000' },
      { origin: 'http://localhost:3001' },
      { origin: 'http://localhost.evil.example:3000' },
      { origin: 'http://evil.example', host: 'evil.example' },
      { origin: 'http://127.0.0.1.evil.example', host: '127.0.0.1.evil.example' },
    ] as Record<string, string>[]) {
      const answer = await write(cookie, headers)
      expect([headers.origin, answer.status, answer.body.code]).toEqual([
        headers.origin,
        403,
        'origin_refused',
      ])
    }
  })

  test('may read from anywhere, and is ignored when a bearer token is there', async () => {
    await makeAccount(app, 'bearer@onsale.test')
    await makeAccount(app, 'cookiemonster@onsale.test')
    const cookie = (await login('cookiemonster@onsale.test')).cookies.get('accessToken')!.value
    const { access } = await signIn(app, 'bearer@onsale.test')
    const both = { cookies: { accessToken: cookie }, bearer: access }
    expect((await app.ask('GET', '/auth/me', both)).body.data.email).toBe('bearer@onsale.test')
    expect((await write(cookie, {}, access)).body.code).toBe('not_found')
    const wrong = { cookies: { accessToken: cookie }, bearer: 'not-a-token' }
    expect((await app.ask('GET', '/auth/me', wrong)).status).toBe(401)
  })
})

describe('access', () => {
  test('is decided before the body is looked at', async () => {
    const answer = await app.ask('PUT', `/auth/admin/users/x/roles`, { body: { nonsense: true } })
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated'])
  })

  test('an old token is token_expired; a refresh token is no access token', async () => {
    const accountId = await makeAccount(app, 'old@onsale.test')
    const { refresh } = await signIn(app, 'old@onsale.test')
    const old = await app.context.tokens.signAccess({
      accountId,
      sessionId: Bun.randomUUIDv7(),
      email: 'old@onsale.test',
      expiresAt: new Date(Date.now() - 1_000),
    })
    const expired = await app.ask('GET', '/auth/me', { bearer: old })
    expect([expired.status, expired.body.code]).toEqual([401, 'token_expired'])
    const misused = await app.ask('GET', '/auth/me', { bearer: refresh })
    expect([misused.status, misused.body.code]).toEqual([401, 'unauthenticated'])
  })

  test('a genuine token of a session that never was is refused', async () => {
    const accountId = await makeAccount(app, 'ghost@onsale.test')
    const ghost = await app.context.tokens.signAccess({
      accountId,
      sessionId: Bun.randomUUIDv7(),
      email: 'ghost@onsale.test',
    })
    expect((await app.ask('GET', '/auth/me', { bearer: ghost })).status).toBe(401)
  })
})
