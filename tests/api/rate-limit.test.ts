// Holds rates to their numbers: exact over several processes, still there without Redis, and keyed by the right caller.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { addressKey, limit, RATES, type RateName } from '../../server/rate-limit.ts'
import {
  makeAccount,
  PASSWORD,
  signIn,
  startAuthApp,
  withoutRedis,
  type AuthApp,
} from '../support/auth-app.ts'

/** Each sign-in hashes a password, and machines are busy. */
setDefaultTimeout(30_000)

let app: AuthApp
beforeAll(async () => {
  app = await startAuthApp({ rateLimit: true, trustProxy: 1 })
})
afterAll(() => app.close())

const caller = () => crypto.randomUUID()
const admitted = (answers: { ok: boolean }[]) => answers.filter(({ ok }) => ok).length

describe('a rate', () => {
  test('lets exactly its burst pass at once, over two processes', async () => {
    const [key, now] = [caller(), Date.now()]
    const contexts = [app.context, app.second.context]
    const answers = await Promise.all(
      Array.from({ length: 400 }, (_, index) => limit(contexts[index % 2]!, { name: 'account', key, now })),
    )
    expect(admitted(answers)).toBe(RATES.account.burst)
  })

  test('lets its steady rate pass afterwards, and names the wait', async () => {
    const [key, now] = [caller(), Date.now()]
    const take = (at: number) => limit(app.context, { name: 'account', key, now: at })
    for (let taken = 0; taken < RATES.account.burst; taken++) await take(now)
    expect(await take(now)).toEqual({ ok: false, retryAfterSeconds: 1 })
    let passed = 0
    for (let ms = 0; ms <= 1_000; ms += 5) if ((await take(now + ms)).ok) passed++
    expect(passed).toBe(RATES.account.perSecond)
    expect((await take(now + 60_000)).ok).toBe(true)
  })

  test('of five a minute says to wait twelve seconds', async () => {
    const [key, now] = [caller(), Date.now()]
    const answers = []
    for (let taken = 0; taken < 6; taken++)
      answers.push(await limit(app.context, { name: 'login', key, now }))
    expect(answers.slice(0, 5).every(({ ok }) => ok)).toBe(true)
    expect(answers[5]).toEqual({ ok: false, retryAfterSeconds: 12 })
  })

  test('of one caller or kind says nothing of another', async () => {
    const now = Date.now()
    const drain = async (name: RateName, key: string) => {
      for (let taken = 0; taken <= RATES[name].burst; taken++) await limit(app.context, { name, key, now })
    }
    const key = caller()
    await drain('login', key)
    expect((await limit(app.context, { name: 'login', key: caller(), now })).ok).toBe(true)
    expect((await limit(app.context, { name: 'register', key, now })).ok).toBe(true)
  })

  test('leaves nothing behind in Redis once the burst is whole again', async () => {
    const key = caller()
    await limit(app.context, { name: 'address', key })
    const lifetime = await app.context.redis.pttl(`rate:address:${key}`)
    expect(lifetime).toBeLessThanOrEqual(1_000 / RATES.address.perSecond)
  })

  test('holds in each process while Redis is away', async () => {
    const { context } = app.second
    await withoutRedis(context, async () => {
      const [key, now] = [caller(), Date.now()]
      const answers = await Promise.all(
        Array.from({ length: 400 }, () => limit(context, { name: 'account', key, now })),
      )
      expect(admitted(answers)).toBe(RATES.account.burst)
      expect((await limit(context, { name: 'account', key, now: now + 1_000 })).ok).toBe(true)
    })
  })

  test('survives a Redis that forgot the script', async () => {
    await app.context.redis.script('FLUSH')
    expect(await limit(app.context, { name: 'account', key: caller() })).toEqual({ ok: true, recent: 1 })
  })

  test('is nothing at all when it is off', async () => {
    const off = { ...app.context, config: { ...app.context.config, rateLimit: false } }
    const now = Date.now()
    const key = caller()
    for (let taken = 0; taken < 20; taken++)
      expect((await limit(off, { name: 'login', key, now })).ok).toBe(true)
  })
})

const login = (email: string, forwarded: string) =>
  app.ask('POST', '/auth/login', {
    body: { email, password: 'wrong password' },
    headers: { 'x-forwarded-for': forwarded },
  })
const lookAround = (from: string) => app.ask('GET', '/nowhere', { headers: { 'x-forwarded-for': from } })

describe('over HTTP', () => {
  test('the sixth sign-in a minute is refused with Retry-After, whatever the spelling of the address', async () => {
    const spellings = ['Guess@Onsale.test', 'guess@onsale.test', 'GUESS@onsale.test']
    const answers = []
    for (let tries = 0; tries < 6; tries++) answers.push(await login(spellings[tries % 3]!, '198.51.100.1'))
    expect(answers.slice(0, 5).map(({ status }) => status)).toEqual([401, 401, 401, 401, 401])
    expect([answers[5]!.status, answers[5]!.body.code]).toEqual([429, 'rate_limited'])
    const wait = Number(answers[5]!.headers.get('retry-after'))
    expect(wait).toBeGreaterThan(0)
    expect(wait).toBeLessThanOrEqual(12)
    expect((await login('guess@onsale.test', '198.51.100.2')).status).toBe(401)
    expect((await login('another@onsale.test', '198.51.100.1')).status).toBe(401)
  })

  test('only the hop of the believed proxy decides the address', async () => {
    const statuses = []
    for (let tries = 0; tries < 6; tries++)
      statuses.push((await login('spoof@onsale.test', `10.9.8.${tries}, 198.51.100.7`)).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
  })

  test('the anonymous are counted by address, the signed-in by account', async () => {
    await makeAccount(app, 'busy@onsale.test')
    await makeAccount(app, 'calm@onsale.test')
    const busy = await signIn(app, 'busy@onsale.test')
    const calm = await signIn(app, 'calm@onsale.test')
    const me = (bearer: string) => app.ask('GET', '/auth/me', { bearer })
    const answers = await Promise.all(
      Array.from({ length: RATES.account.burst + 100 }, () => me(busy.access)),
    )
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]!.body.code).toBe('rate_limited')
    expect(refused[0]!.headers.get('retry-after')).toBe('1')
    expect((await me(calm.access)).status).toBe(200)
    expect((await app.ask('GET', '/health/live')).status).toBe(200)
    expect(
      (await app.ask('POST', '/auth/login', { body: { email: 'calm@onsale.test', password: PASSWORD } }))
        .status,
    ).toBe(200)
  })

  test('a path that leads nowhere counts too', async () => {
    const answers = await Promise.all(
      Array.from({ length: RATES.address.burst + 600 }, () => lookAround('203.0.113.9')),
    )
    const statuses = new Set(answers.map(({ status }) => status))
    expect(statuses).toEqual(new Set([404, 429]))
  })
})

describe('an address', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('%s is the caller %s', (address, key) => {
    expect(addressKey(address)).toBe(key)
  })
})
