// Owns the API of an auth test: the whole application without a listener, on stores of its own, and a client to ask it.
import { desc, eq } from 'drizzle-orm'
import { connectLedger } from '../../db/client.ts'
import { redisReady } from '../../db/redis.ts'
import { accountRoles, accounts, outbox, roles } from '../../db/schema.ts'
import { seedRoles } from '../../db/seed.ts'
import { createApp } from '../../server/app.ts'
import type { Config } from '../../server/config.ts'
import { createContext, type Context } from '../../server/context.ts'
import { freshStores } from './stores.ts'

export const ORIGIN = 'http://localhost:3000'
export const PASSWORD = 'correct horse battery'

/** Everything an answer of these routes may hold; a test reads what it asked for. */
export interface Data {
  accessToken: string
  refreshToken: string
  email: string
  fullName: string
  language: string | null
  permissions: string[]
  roles: string[]
  user: { roles: string[] }
  items: { id: string; name: string; email: string; current: boolean }[]
  nextCursor: string | null
  account: Record<string, unknown>
  sessions: unknown[]
}

export interface Answer {
  status: number
  headers: Headers
  /** The parsed envelope; `{}` when the answer is not JSON. */
  body: { message?: string; code?: string; data: Data }
  cookies: Map<string, Bun.Cookie>
}

export interface Ask {
  body?: unknown
  bearer?: string
  cookies?: Record<string, string>
  headers?: Record<string, string>
  /** The address the request comes from. */
  from?: string
}

export type AuthApp = Awaited<ReturnType<typeof startAuthApp>>

/** Rate limits are off unless asked for. */
export async function startAuthApp(changes: Partial<Config> = {}) {
  const stores = await freshStores()
  const ledger = connectLedger(stores.databaseUrl, { max: 4, name: 'test' })
  await seedRoles(ledger.db)
  const config: Config = {
    port: 3000,
    bind: '127.0.0.1',
    publicUrl: ORIGIN,
    servers: 1,
    serverIndex: 0,
    databaseUrl: stores.databaseUrl,
    databaseReplicaUrl: null,
    redisUrl: stores.redisUrl,
    jwtSecret: 'a secret of at least thirty-two bytes, for tests',
    jwtSecretsAccepted: [],
    embedded: new Set(['postgres', 'redis', 'mail']),
    mailboxUrl: null,
    rehearsalUrl: null,
    paymentProvider: 'sandbox',
    metricsToken: null,
    drawBeaconUrl: null,
    rateLimit: false,
    trustProxy: 0,
    logLevel: 'error',
    otlpEndpoint: null,
    ...changes,
  }
  const open = () => {
    const context = createContext(config)
    return { context, ask: client(context) }
  }
  const first = open()
  const second = open()
  await Promise.all([first, second].map(({ context }) => redisReady(context.redis)))
  return {
    ...first,
    /** Another server process on the same stores. */
    second,
    db: ledger.db,
    config,
    async close() {
      await Promise.all([first, second].map(({ context }) => context.close()))
      await ledger.close()
      await stores.close()
    },
  }
}

function client(context: Context) {
  const app = createApp(context)
  return async (method: string, path: string, asked: Ask = {}): Promise<Answer> => {
    const headers = new Headers(asked.headers)
    if (asked.bearer !== undefined) headers.set('authorization', `Bearer ${asked.bearer}`)
    if (asked.cookies)
      headers.set(
        'cookie',
        Object.entries(asked.cookies)
          .map(([name, value]) => `${name}=${value}`)
          .join('; '),
      )
    if (asked.body !== undefined) headers.set('content-type', 'application/json')
    const url = `${ORIGIN}${/^\/(auth|dev\/buyers)/.test(path) ? '/api/v1' : ''}${path}`
    const request = new Request(url, {
      method,
      headers,
      ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
    })
    context.came(request, asked.from ?? '127.0.0.1')
    const response = await app.handle(request)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson ? JSON.parse(text) : {}) as Answer['body'],
      cookies: new Map(
        response.headers.getSetCookie().map((line) => [line.split('=', 1)[0]!, Bun.Cookie.parse(line)]),
      ),
    }
  }
}

/** Registers and verifies an account as a person would, with the token of the mail that waits in the outbox. */
export async function makeAccount(app: AuthApp, email: string, roleName?: string): Promise<string> {
  await app.ask('POST', '/auth/register', { body: { email, password: PASSWORD, fullName: 'Test Person' } })
  const token = await lastMailToken(app)
  await app.ask('POST', `/auth/verify?token=${token}&email=${encodeURIComponent(email)}`)
  const [account] = await app.db.select().from(accounts).where(eq(accounts.email, email.toLowerCase()))
  if (roleName) {
    const [role] = await app.db.select().from(roles).where(eq(roles.name, roleName))
    await app.db.insert(accountRoles).values({ accountId: account!.id, roleId: role!.id })
  }
  return account!.id
}

/** Signs in as a client that keeps its tokens itself. */
export async function signIn(app: AuthApp, email: string): Promise<{ access: string; refresh: string }> {
  const answer = await app.ask('POST', '/auth/login', {
    body: { email, password: PASSWORD },
    headers: { 'x-client': 'api' },
  })
  return { access: answer.body.data.accessToken, refresh: answer.body.data.refreshToken }
}

/** The outbox's newest messages first. */
export async function stagedMails(app: AuthApp) {
  return app.db.select().from(outbox).orderBy(desc(outbox.id))
}

export async function lastMailToken(app: AuthApp): Promise<string> {
  const [mail] = await stagedMails(app)
  return String(mail?.payload.token)
}

/** Runs something while one process has lost Redis. */
export async function withoutRedis(context: Context, run: () => Promise<void>): Promise<void> {
  context.redis.disconnect()
  while (context.redis.status !== 'end') await Bun.sleep(1)
  try {
    await run()
  } finally {
    await context.redis.connect()
  }
}
