// Shows that the signing secret can be changed under load, server by server, with nobody signed out and no place lost.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readConfig } from '../../server/config.ts'
import { createTokens } from '../../server/tokens.ts'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'
import { PASSWORD } from '../support/auth-app.ts'
import { hashPassword } from '../../server/auth/passwords.ts'
import { accounts } from '../../db/schema.ts'
import { eq } from 'drizzle-orm'

const OLD = 'the secret before, at least thirty-two bytes long'
const NEW = 'the secret to come, at least thirty-two bytes long'
/** How a running installation gets from one secret to the next: each line is one more server started anew. */
const STEPS = [
  { first: [OLD], second: [OLD] },
  { first: [OLD, NEW], second: [OLD] },
  { first: [OLD, NEW], second: [OLD, NEW] },
  { first: [NEW, OLD], second: [OLD, NEW] },
  { first: [NEW, OLD], second: [NEW, OLD] },
] as const
const ROOM = { enabled: true, activeMax: 1, doorSeconds: 60, passSeconds: 600, graceSeconds: 60 }

const ofSecrets = ([jwtSecret = '', ...jwtSecretsAccepted]: readonly string[]) => ({
  jwtSecret,
  jwtSecretsAccepted,
})

let base: AppHarness
let person: Person
let eventId: string
beforeAll(async () => {
  base = await startApp({ ...ofSecrets([OLD]), rateLimit: false })
  person = await base.person()
  const passwordHash = await hashPassword(PASSWORD)
  await base.context.ledger.db.update(accounts).set({ passwordHash }).where(eq(accounts.id, person.accountId))
  ;({ eventId } = await base.event({ room: ROOM }))
}, START_WITHIN_MS)
afterAll(() => base.close(), START_WITHIN_MS)

describe('a secret that is changed in two steps', () => {
  test(
    'signs nobody out: tokens, places and refresh tokens of every step work on every server of the next',
    async () => {
      const signedIn = await base.call('POST', '/auth/login', {
        body: { email: person.email, password: PASSWORD },
        headers: { 'x-client': 'api' },
      })
      expect(signedIn.status).toBe(200)
      let refresh: string = signedIn.body.data.refreshToken
      const held: string[] = [signedIn.body.data.accessToken]
      const joined = await base.call('POST', `/event/${eventId}/room/join`, { token: held[0], body: {} })
      const place = joined.body.data
      let asked = 0
      for (const { first, second } of STEPS) {
        const one = await startApp({ ...ofSecrets(first), rateLimit: false }, base)
        const two = await startApp({ ...ofSecrets(second), rateLimit: false }, base)
        for (const server of [one, two]) {
          for (const token of held) {
            const me = await server.call('GET', '/auth/me', { token })
            expect([asked++, me.status]).toEqual([asked - 1, 200])
          }
          const again = await server.call('POST', `/event/${eventId}/room/join`, {
            token: held[0],
            body: { ticket: place.ticket },
          })
          expect(again.body.data).toMatchObject({ number: place.number, epoch: place.epoch })
          const refreshed = await server.call('POST', '/auth/refresh', { body: { refreshToken: refresh } })
          expect(refreshed.status).toBe(200)
          refresh = refreshed.body.data.refreshToken
          held.push(refreshed.body.data.accessToken)
        }
        await two.close()
        await one.close()
      }
      expect(held).toHaveLength(1 + 2 * STEPS.length)
    },
    START_WITHIN_MS,
  )

  test('two tabs that refresh at once over two servers of different secrets get one answer', async () => {
    const one = await startApp({ ...ofSecrets([NEW, OLD]), rateLimit: false }, base)
    const two = await startApp({ ...ofSecrets([OLD, NEW]), rateLimit: false }, base)
    const cookies = await one.call('POST', '/auth/login', {
      body: { email: person.email, password: PASSWORD },
    })
    const refresh = /refreshToken=([^;]+)/.exec(cookies.headers.getSetCookie().join('\n'))?.[1] ?? ''
    const ask = (server: AppHarness) =>
      server.call('POST', '/auth/refresh', {
        headers: { cookie: `refreshToken=${refresh}`, origin: server.context.config.publicUrl },
        body: {},
      })
    const answers = [await ask(one), await ask(two), await ask(one)]
    const given = answers.map(
      ({ headers }) => /refreshToken=([^;]+)/.exec(headers.getSetCookie().join('\n'))?.[1],
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(new Set(given).size).toBe(1)
    expect(given[0]).not.toBe(refresh)
    await two.close()
    await one.close()
  })
})

const of = ([secret = '', ...accepted]: string[]) => createTokens({ secret, accepted })

describe('the tokens themselves', () => {
  const claims = { accountId: 'a', sessionId: 's', email: 'a@onsale.test' }

  test('are signed by the first secret alone', async () => {
    const signed = await of([NEW, OLD]).signAccess(claims)
    expect(of([NEW]).verifyAccess(signed)).toMatchObject(claims)
    expect(of([OLD]).verifyAccess(signed)).toBeNull()
  })

  test('of a secret no longer listed are nobody’s, and an old one of a listed secret is merely expired', async () => {
    const expiresAt = new Date(Date.now() - 5_000)
    const stale = await of([OLD]).signAccess({ ...claims, expiresAt })
    expect(of([NEW, OLD]).verifyAccess(stale)).toBe('expired')
    expect(of([NEW]).verifyAccess(stale)).toBeNull()
    const pass = of([OLD]).signPass({
      accountId: 'a',
      eventId: 'e',
      epoch: 1,
      expiresAt: new Date(Date.now() + 9e5),
    })
    expect(of([NEW, OLD]).verifyPass(pass)).toMatchObject({ accountId: 'a' })
    expect(of([NEW]).verifyPass(pass)).toBeNull()
  })
})

describe('the environment', () => {
  const env = { DATABASE_URL: 'postgres://x', REDIS_URL: 'redis://x', JWT_SECRET: NEW }
  const problemsOf = (JWT_SECRETS_ACCEPTED: string) => {
    const read = readConfig({ ...env, JWT_SECRETS_ACCEPTED })
    return 'problems' in read ? read.problems : []
  }

  test('takes up to three further secrets, and says what is wrong with others without repeating them', () => {
    const secret = 'x'.repeat(32)
    const read = readConfig({ ...env, JWT_SECRETS_ACCEPTED: `${secret},${secret}` })
    expect('config' in read && read.config.jwtSecretsAccepted).toEqual([secret, secret])
    expect(problemsOf('')).toEqual([])
    for (const wrong of ['short', `${secret},`, `${secret}, ${secret}`, Array(4).fill(secret).join(',')]) {
      const problems = problemsOf(wrong)
      expect([wrong, problems.length]).toEqual([wrong, 1])
      expect(problems[0]).toStartWith('JWT_SECRETS_ACCEPTED')
      expect(problems[0]).not.toContain(wrong)
    }
  })
})
