// Holds sessions to their promises: rotation, reuse detection, tabs that agree, and an end that counts at once everywhere.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { rotateRefreshToken } from '../../db/sessions.ts'
import { accounts, outbox, refreshTokens, sessions } from '../../db/schema.ts'
import {
  lastMailToken,
  makeAccount,
  ORIGIN,
  PASSWORD,
  signIn,
  stagedMails,
  startAuthApp,
  withoutRedis,
  type AuthApp,
} from '../support/auth-app.ts'

/** Each sign-in hashes a password, and machines are busy. */
setDefaultTimeout(30_000)

let app: AuthApp
beforeAll(async () => {
  app = await startAuthApp()
})
afterAll(() => app.close())

let people = 0
async function somebody() {
  const email = `person-${++people}@onsale.test`
  const accountId = await makeAccount(app, email)
  return { email, accountId, ...(await signIn(app, email)) }
}
const refresh = (refreshToken: string) => app.ask('POST', '/auth/refresh', { body: { refreshToken } })
const refreshTab = (refreshToken: string, headers: Record<string, string> = { origin: ORIGIN }) =>
  app.ask('POST', '/auth/refresh', { cookies: { refreshToken }, headers })
const me = (bearer: string, ask = app.ask) => ask('GET', '/auth/me', { bearer })

describe('refreshing with a token of one’s own', () => {
  test('rotates, and the new tokens work', async () => {
    const person = await somebody()
    const answer = await refresh(person.refresh)
    expect(answer.status).toBe(200)
    expect(answer.body.data.refreshToken).not.toBe(person.refresh)
    expect((await me(answer.body.data.accessToken)).status).toBe(200)
    expect((await refresh(answer.body.data.refreshToken)).status).toBe(200)
    expect(answer.cookies.size).toBe(0)
  })

  test('an old token that comes back ends the whole family at once', async () => {
    const person = await somebody()
    const next = (await refresh(person.refresh)).body.data
    const reused = await refresh(person.refresh)
    expect([reused.status, reused.body.code]).toEqual([401, 'unauthenticated'])
    expect((await refresh(next.refreshToken)).status).toBe(401)
    expect((await me(next.accessToken)).status).toBe(401)
    expect((await me(person.access, app.second.ask)).status).toBe(401)
    const [session] = await app.db.select().from(sessions).where(eq(sessions.accountId, person.accountId))
    expect(session!.endedBecause).toBe('token_reused')
  })

  test('other sessions of the account go on', async () => {
    const person = await somebody()
    const other = await signIn(app, person.email)
    await refresh(person.refresh)
    await refresh(person.refresh)
    expect((await me(other.access)).status).toBe(200)
  })

  test('is never stored in clear, and a token of nobody is refused', async () => {
    const person = await somebody()
    const stored = await app.db.select({ hash: refreshTokens.hash }).from(refreshTokens)
    expect(stored.some(({ hash }) => Buffer.from(hash).toString('base64url') === person.refresh)).toBe(false)
    for (const token of ['', 'x', person.access])
      expect((await refresh(token.slice(0, 200))).status).toBe(401)
  })

  test('lasts seven days unused, thirty in all', async () => {
    const person = await somebody()
    const rotate = (refreshToken: string, days: number) =>
      rotateRefreshToken(app.db, {
        refreshToken,
        successorsOf: app.context.tokens.successorsOf,
        grace: false,
        now: new Date(Date.now() + days * 24 * 3600 * 1000),
      })
    const idle = await signIn(app, person.email)
    expect((await rotate(idle.refresh, 7.1)).ok).toBe(false)
    let token = person.refresh
    for (let days = 6; days < 30; days += 6) {
      const rotated = await rotate(token, days)
      if (!rotated.ok) throw new Error(`refused after ${days} days`)
      token = rotated.refreshToken
    }
    expect((await rotate(token, 30.1)).ok).toBe(false)
  })
})

describe('refreshing by cookie', () => {
  test('keeps the new refresh token in its cookie', async () => {
    const person = await somebody()
    const answer = await refreshTab(person.refresh)
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.body.data)).toEqual(['accessToken'])
    expect(answer.cookies.get('refreshToken')).toMatchObject({ httpOnly: true, path: '/api/v1/auth' })
    expect(answer.cookies.get('refreshToken')!.value).not.toBe(person.refresh)
  })

  test('twenty tabs at once get the same successor, and nobody is signed out', async () => {
    const person = await somebody()
    const answers = await Promise.all(Array.from({ length: 20 }, () => refreshTab(person.refresh)))
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    const successors = new Set(answers.map(({ cookies }) => cookies.get('refreshToken')!.value))
    expect(successors.size).toBe(1)
    expect((await refreshTab([...successors][0]!)).status).toBe(200)
  })

  test('a tab that is two steps behind gets the newest token', async () => {
    const person = await somebody()
    const second = (await refreshTab(person.refresh)).cookies.get('refreshToken')!.value
    const third = (await refreshTab(second)).cookies.get('refreshToken')!.value
    const late = await refreshTab(person.refresh)
    expect(late.cookies.get('refreshToken')!.value).toBe(third)
  })

  test('after the grace the old token ends the session and its cookies are cleared', async () => {
    const person = await somebody()
    const next = await refreshTab(person.refresh)
    await app.db.update(refreshTokens).set({ rotatedAt: new Date(Date.now() - 10_001) })
    const reused = await refreshTab(person.refresh)
    expect(reused.status).toBe(401)
    expect(reused.cookies.get('refreshToken')).toMatchObject({ value: '', maxAge: 0 })
    expect((await me(next.body.data.accessToken)).status).toBe(401)
  })

  test('is refused from another site', async () => {
    const person = await somebody()
    for (const headers of [{}, { origin: 'https://evil.example' }] as Record<string, string>[]) {
      const answer = await refreshTab(person.refresh, headers)
      expect([answer.status, answer.body.code]).toEqual([403, 'origin_refused'])
    }
    expect((await refreshTab(person.refresh)).status).toBe(200)
  })
})

describe('signing out', () => {
  test('ends this session at once, in every process, and no other', async () => {
    const person = await somebody()
    const other = await signIn(app, person.email)
    expect((await me(person.access, app.second.ask)).status).toBe(200)
    const answer = await app.ask('POST', '/auth/logout', { bearer: person.access })
    expect(answer.status).toBe(200)
    expect(answer.cookies.get('accessToken')).toMatchObject({ value: '', maxAge: 0 })
    expect((await me(person.access)).status).toBe(401)
    expect((await me(person.access, app.second.ask)).status).toBe(401)
    expect((await refresh(person.refresh)).status).toBe(401)
    expect((await me(other.access)).status).toBe(200)
  })

  test('holds when Redis forgets everything', async () => {
    const person = await somebody()
    await app.ask('POST', '/auth/logout', { bearer: person.access })
    await app.context.redis.flushdb()
    expect((await me(person.access)).status).toBe(401)
    const signedIn = await signIn(app, person.email)
    await app.context.redis.flushdb()
    expect((await me(signedIn.access)).status).toBe(200)
  })

  test('a request on its way cannot open the session again', async () => {
    const person = await somebody()
    for (let round = 0; round < 10; round++) {
      const { access } = await signIn(app, person.email)
      const [, ...reads] = await Promise.all([
        app.ask('POST', '/auth/logout', { bearer: access }),
        ...Array.from({ length: 6 }, () => me(access, app.second.ask)),
      ])
      expect(reads.every(({ status }) => status === 200 || status === 401)).toBe(true)
      expect((await me(access)).status).toBe(401)
    }
  })

  test('works while Redis is away', async () => {
    const person = await somebody()
    await withoutRedis(app.second.context, async () => {
      expect((await me(person.access, app.second.ask)).status).toBe(200)
      expect((await app.second.ask('POST', '/auth/logout', { bearer: person.access })).status).toBe(200)
      expect((await me(person.access, app.second.ask)).status).toBe(401)
    })
  })
})

describe('one’s sessions', () => {
  test('are listed, the current one marked, and ended one by one', async () => {
    const person = await somebody()
    const other = await signIn(app, person.email)
    const list = await app.ask('GET', '/auth/sessions', { bearer: person.access })
    expect(list.body.data.items).toHaveLength(2)
    expect(list.body.data.nextCursor).toBeNull()
    const [there] = list.body.data.items.filter((session) => !session.current)
    const end = (bearer: string, id: string) => app.ask('DELETE', `/auth/sessions/${id}`, { bearer })
    expect((await end(person.access, there!.id)).status).toBe(200)
    expect((await me(other.access, app.second.ask)).status).toBe(401)
    expect((await end(person.access, there!.id)).status).toBe(404)
    expect((await me(person.access)).status).toBe(200)
  })

  test('of somebody else are not found', async () => {
    const [mine, theirs] = [await somebody(), await somebody()]
    const [session] = await app.db.select().from(sessions).where(eq(sessions.accountId, theirs.accountId))
    for (const id of [session!.id, 'x', "' or 1=1"]) {
      const path = `/auth/sessions/${encodeURIComponent(id)}`
      expect((await app.ask('DELETE', path, { bearer: mine.access })).status).toBe(404)
    }
    expect((await me(theirs.access)).status).toBe(200)
  })
})

describe('a new password', () => {
  test('needs the mail, works once, and ends every session', async () => {
    const person = await somebody()
    const forgot = (email: string) => app.ask('POST', '/auth/password/forgot', { body: { email } })
    const known = await forgot(person.email)
    expect((await stagedMails(app))[0]?.kind).toBe('reset_password')
    const token = await lastMailToken(app)
    const unknown = await forgot('nobody@onsale.test')
    expect([known.status, known.body]).toEqual([202, unknown.body])
    const reset = () =>
      app.ask('POST', '/auth/password/reset', { body: { token, password: 'a brand new password' } })
    expect((await reset()).status).toBe(200)
    expect((await reset()).status).toBe(400)
    expect((await me(person.access, app.second.ask)).status).toBe(401)
    expect((await refresh(person.refresh)).status).toBe(401)
    const login = (password: string) =>
      app.ask('POST', '/auth/login', { body: { email: person.email, password } })
    expect((await login(PASSWORD)).status).toBe(401)
    expect((await login('a brand new password')).status).toBe(200)
  })

  test('a verification token resets no password, and a reset token verifies nobody', async () => {
    const email = 'mixed@onsale.test'
    await app.ask('POST', '/auth/register', { body: { email, password: PASSWORD, fullName: 'M' } })
    const verification = await lastMailToken(app)
    await app.ask('POST', '/auth/password/forgot', { body: { email } })
    const reset = await lastMailToken(app)
    const body = { token: verification, password: 'a brand new password' }
    expect((await app.ask('POST', '/auth/password/reset', { body })).status).toBe(400)
    expect((await app.ask('POST', `/auth/verify?token=${reset}&email=${email}`)).status).toBe(400)
  })
})

const change = (bearer: string, body: object) => app.ask('PATCH', '/auth/me', { bearer, body })

describe('one’s own profile', () => {
  test('name and language change, and what is left out stays', async () => {
    const person = await somebody()
    expect((await me(person.access)).body.data.language).toBeNull()
    const renamed = await change(person.access, { fullName: 'Sri Lestari' })
    expect([renamed.status, renamed.body.data.fullName]).toEqual([200, 'Sri Lestari'])
    await change(person.access, { language: 'id' })
    const { fullName, language } = (await me(person.access, app.second.ask)).body.data
    expect([fullName, language]).toEqual(['Sri Lestari', 'id'])
  })

  test('an address, an unknown language or an endless name is refused, and nothing changes', async () => {
    const person = await somebody()
    for (const body of [
      { email: 'x@y.test' },
      { language: 'xx' },
      { fullName: 'x'.repeat(201) },
      { fullName: '' },
    ])
      expect([body, (await change(person.access, body)).body.code]).toEqual([body, 'request_invalid'])
    expect((await me(person.access)).body.data).toMatchObject({ fullName: 'Test Person', language: null })
  })
})

describe('personal data', () => {
  test('is exported, then erased: the account cannot be used or found any more', async () => {
    const person = await somebody()
    const exported = await app.ask('GET', '/auth/me/export', { bearer: person.access })
    expect(exported.body.data.account).toMatchObject({ email: person.email, fullName: 'Test Person' })
    expect(exported.body.data.sessions).toHaveLength(1)
    expect((await app.ask('DELETE', '/auth/me', { bearer: person.access })).status).toBe(200)
    expect((await me(person.access, app.second.ask)).status).toBe(401)
    expect((await refresh(person.refresh)).status).toBe(401)
    const [row] = await app.db.select().from(accounts).where(eq(accounts.id, person.accountId))
    expect(row).toMatchObject({ email: null, fullName: null, passwordHash: null })
    const kept = JSON.stringify([
      await app.db.select().from(outbox),
      await app.db.select().from(sessions),
      await app.context.redis.keys('*'),
    ])
    expect(kept).not.toContain(person.email)
    expect((await makeAccount(app, person.email)) === person.accountId).toBe(false)
  })
})
