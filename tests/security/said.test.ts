// Listens to everything that the processes say and keep in Redis during a whole sale: nobody's address, name or secret.
import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test'
import { START_WITHIN_MS, startApp, type AppHarness } from '../support/app-harness.ts'
import { eventually } from '../worker/eventually.ts'
import { openStage, type SpawnedWorker, type Stage } from '../worker/stage.ts'

const SALE_MS = 60_000
const MAIL_WITHIN_MS = 15_000
const EMAIL = 'very.particular.person@onsale.test'
const PASSWORD = 'a very particular password'
const NEW_PASSWORD = 'another very particular password'
const NAME = 'Zebulon Quartermaine'
const JWT_SECRET = 'a very particular secret of this test alone'

let stage: Stage
let app: AppHarness
let worker: SpawnedWorker
const said: string[] = []
const spies = (['stdout', 'stderr'] as const).map((name) => {
  const { write } = process[name]
  return spyOn(process[name], 'write').mockImplementation((...args: unknown[]) => {
    said.push(String(args[0]))
    return (write as (...all: unknown[]) => boolean).apply(process[name], args)
  })
})

beforeAll(async () => {
  stage = await openStage()
  app = await startApp({ logLevel: 'debug', rateLimit: false, jwtSecret: JWT_SECRET }, stage)
  worker = await stage.spawnWorker()
}, START_WITHIN_MS)
afterAll(async () => {
  for (const spy of spies) spy.mockRestore()
  await app.close()
  await stage.close()
}, START_WITHIN_MS)

/** Of the first mail after so many that has a link: its token. A mail without one may arrive in between. */
async function mailedToken(after: number): Promise<string> {
  const find = () =>
    /token=([\w-]+)/.exec(
      stage.sink.mails
        .slice(after)
        .map(({ text }) => text ?? '')
        .join('\n'),
    )?.[1]
  await eventually(() => find() !== undefined, MAIL_WITHIN_MS)
  return find()!
}

/** From registering to the door; answers every secret that was about. */
async function wholeSale(): Promise<string[]> {
  const organizer = await app.person('ORGANIZER')
  const { eventId, seatId } = await app.event({ organizer, room: {} })
  await app.call('POST', '/auth/register', { body: { email: EMAIL, password: PASSWORD, fullName: NAME } })
  const verifyToken = await mailedToken(0)
  const email = encodeURIComponent(EMAIL)
  await app.call('POST', `/auth/verify?token=wrong&email=${email}`)
  expect((await app.call('POST', `/auth/verify?token=${verifyToken}&email=${email}`)).status).toBe(200)
  await app.call('POST', '/auth/login', { body: { email: EMAIL, password: `${PASSWORD} wrong` } })
  const signIn = (password: string) =>
    app.call('POST', '/auth/login', { body: { email: EMAIL, password }, headers: { 'x-client': 'api' } })
  const { accessToken: token, refreshToken } = (await signIn(PASSWORD)).body.data
  const me = (await app.call('GET', '/auth/me', { token })).body.data
  const buyer = { accountId: me.id, email: EMAIL, token }
  const pass = await app.admit(buyer, eventId)
  const withPass = { 'x-admission-pass': pass }
  const held = await app.hold(buyer, [seatId(0), seatId(1)], withPass)
  const { id } = held.body.data
  await app.call('POST', `/payment/${id}/confirm`, { token, body: { method: 'sandbox_declined' } })
  const paid = await app.call('POST', `/payment/${id}/confirm`, { token, body: { method: 'sandbox_ok' } })
  expect(paid.body.data.status).toBe('CONFIRMED')
  await eventually(() => stage.sink.mails.length > 1, MAIL_WITHIN_MS)
  const codes = (await app.call('GET', '/ticket/mine', { token })).body.data.items.map(
    (ticket: { code: string }) => ticket.code,
  )
  await app.call('POST', '/ticket/scan', { token: organizer.token, body: { code: codes[0] } })
  await app.call('POST', `/payment/${id}/refund`, { token: organizer.token, body: { reason: 'a wish' } })
  await app.call('POST', '/payment/webhook/sandbox', { body: { token } })
  const refreshed = await app.call('POST', '/auth/refresh', { body: { refreshToken } })
  await app.call('POST', '/auth/refresh', { body: { refreshToken } })
  const mails = stage.sink.mails.length
  await app.call('POST', '/auth/password/forgot', { body: { email: EMAIL } })
  const resetToken = await mailedToken(mails)
  await app.call('POST', '/auth/password/reset', { body: { token: resetToken, password: NEW_PASSWORD } })
  const again = await signIn(NEW_PASSWORD)
  expect(again.status).toBe(200)
  const { accessToken: last } = again.body.data
  await app.call('GET', '/auth/me/export', { token: last })
  await aFault(last)
  await app.call('DELETE', '/auth/me', { token: last })
  const tokens = [
    token,
    refreshToken,
    refreshed.body.data.accessToken,
    refreshed.body.data.refreshToken,
    last,
  ]
  return [EMAIL, NAME, PASSWORD, NEW_PASSWORD, JWT_SECRET, verifyToken, resetToken, pass, ...codes, ...tokens]
}

/** As a driver words it: with the statement and its values. */
async function aFault(token: string): Promise<void> {
  const fault = new Error(`Failed query: insert into accounts values ($1)\nparams: ${EMAIL},${token}`)
  const broken = spyOn(app.context.room, 'view').mockImplementation(() => {
    throw fault
  })
  await app.call('GET', `/event/${Bun.randomUUIDv7()}/room`, { token })
  broken.mockRestore()
}

const foundIn = (text: string, secrets: string[]) => secrets.filter((secret) => text.includes(secret))

describe('a whole sale', () => {
  let secrets: string[]

  test(
    'leaves nobody’s address, name, password, token or ticket code in any log',
    async () => {
      secrets = await wholeSale()
      expect(secrets.length).toBeGreaterThan(12)
      await eventually(() => worker.lines.length > 3, MAIL_WITHIN_MS)
      const lines = [...said, ...worker.lines].join('\n')
      console.info(
        `logs: ${lines.length} characters, ${lines.split('\n').length} lines, ${secrets.length} secrets looked for`,
      )
      expect(lines).toContain('seats_held')
      expect(foundIn(lines, secrets)).toEqual([])
      // Logs are not blind: what is said is heard here.
      app.context.log.info('planted', { email: EMAIL })
      await Bun.sleep(10)
      expect(foundIn(said.join(''), secrets)).toEqual([EMAIL])
    },
    SALE_MS,
  )

  test('says who came in, who was refused and what for, by their ids', async () => {
    await app.call('GET', '/admin/audit', { token: (await app.person()).token })
    await Bun.sleep(10)
    const lines = said
      .join('')
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []))
    const of = (event: string) => lines.find((line) => line['event'] === event)
    expect(of('signed_in')).toMatchObject({
      level: 'info',
      accountId: expect.any(String),
      sessionId: expect.any(String),
    })
    expect(of('sign_in_refused')).toMatchObject({ level: 'warn', code: 'unauthenticated' })
    expect(of('refresh_token_reused')).toMatchObject({ level: 'warn', sessionId: expect.any(String) })
    expect(of('access_refused')).toMatchObject({
      level: 'warn',
      code: 'permission_denied',
      path: '/api/v1/admin/audit',
      accountId: expect.any(String),
      requestId: expect.any(String),
    })
    for (const { time } of lines) expect(String(time)).toMatch(/Z$/)
  })

  test('leaves none of it in Redis, neither in names nor in values', async () => {
    const { redis } = stage
    const keys = await redis.keys('*')
    const dumps = await Promise.all(
      keys.map(async (key) => {
        const kind = await redis.type(key)
        if (kind === 'string') return `${key} ${await redis.get(key)}`
        if (kind === 'hash') return `${key} ${JSON.stringify(await redis.hgetall(key))}`
        if (kind === 'zset') return `${key} ${(await redis.zrange(key, '0', '-1')).join(' ')}`
        if (kind === 'stream') return `${key} ${JSON.stringify(await redis.xrange(key, '-', '+'))}`
        return key
      }),
    )
    expect(keys.length).toBeGreaterThan(5)
    // A pass is kept, so that a lost answer can be given again; it is bound to its account and ends by itself.
    const kept = secrets.filter((secret) => secret.split('.').length !== 3)
    expect(foundIn(dumps.join('\n'), kept)).toEqual([])
  })
})
