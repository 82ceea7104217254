/** Owns the real server of a test file: in this process, on a free port, with stores of its own, and ways to use it. */
import { giveRole } from '../../db/accounts.ts'
import { inTransaction } from '../../db/client.ts'
import { createCrowd } from '../../db/crowd.ts'
import { createEvent, publishEvent, type NewEvent } from '../../db/events.ts'
import { redisReady } from '../../db/redis.ts'
import { saveRoom, type RoomChoice } from '../../db/rooms.ts'
import { createSeats, type NewSection } from '../../db/seats.ts'
import { seedRoles } from '../../db/seed.ts'
import type { Config } from '../../server/config.ts'
import { createContext, type Context } from '../../server/context.ts'
import { listen } from '../../server/listen.ts'
import type { RoleName } from '../../server/protocol/codes.ts'
import { freshStores, type FreshStores } from './stores.ts'

/** For beforeAll: the first file of a run starts the stores too, on a machine that may be busy. */
export const START_WITHIN_MS = 60_000
const API = '/api/v1'
const SESSION_HOURS = 2
const DAY_MS = 86_400_000
const ADMITTED_WITHIN_MS = 10_000
const POLL_MS = 50

export interface Person {
  accountId: string
  email: string
  /** An access token. */
  token: string
}

export interface Call {
  token?: string | undefined
  /** Sent as JSON. */
  body?: unknown
  /** Sent as it is, with the content type of `headers`. */
  raw?: string | Uint8Array<ArrayBuffer>
  headers?: Record<string, string>
}

export interface Answer {
  status: number
  headers: Headers
  /** The parsed JSON, else the text. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads into answers of every shape
  body: any
}

export interface EventForSale {
  eventId: string
  organizer: Person
  seatId(n: number): string
}

export interface EventWishes extends Partial<Omit<NewEvent, 'ownerId'>> {
  sections?: NewSection[]
  room?: Partial<RoomChoice>
  organizer?: Person
  /** False leaves it a DRAFT. */
  published?: boolean
}

export interface AppHarness {
  url: string
  stores: FreshStores
  context: Context
  /** Paths are the API's; one that begins with `/api`, `/health`, `/metrics` or `/ws` is taken as it is. */
  call(method: string, path: string, call?: Call): Promise<Answer>
  person(role?: RoleName): Promise<Person>
  people(count: number): Promise<Person[]>
  /** A published event of 20 seats in two rows at 25.00 EUR, unless wished otherwise. */
  event(wishes?: EventWishes): Promise<EventForSale>
  /** Joins the room over HTTP and waits for the pass. */
  admit(person: Person, eventId: string): Promise<string>
  hold(person: Person, seatIds: string[], headers?: Record<string, string>): Promise<Answer>
  close(): Promise<void>
}

/** `beside` is a server to share the stores with; close it last. */
export async function startApp(
  config: Partial<Config> = {},
  beside?: Pick<AppHarness, 'stores'>,
): Promise<AppHarness> {
  const stores = beside?.stores ?? (await freshStores())
  const port = config.port ?? freePort()
  const context = createContext({
    port,
    bind: '127.0.0.1',
    publicUrl: `http://localhost:${port}`,
    servers: 1,
    serverIndex: 0,
    databaseUrl: stores.databaseUrl,
    databaseReplicaUrl: null,
    redisUrl: stores.redisUrl,
    jwtSecret: 'a secret of the tests, long enough for HS256',
    jwtSecretsAccepted: [],
    embedded: new Set(['postgres', 'redis']),
    mailboxUrl: null,
    rehearsalUrl: null,
    paymentProvider: 'sandbox',
    metricsToken: null,
    drawBeaconUrl: null,
    rateLimit: true,
    trustProxy: 0,
    logLevel: 'error',
    otlpEndpoint: null,
    ...config,
  })
  await seedRoles(context.ledger.db)
  // A test that names a Redis of its own wants one that is away.
  if (config.redisUrl === undefined) await redisReady(context.redis)
  const listener = await listen(context)
  const url = `http://127.0.0.1:${port}`
  const call = (method: string, path: string, options: Call = {}) => request(url, method, path, options)
  const people = (count: number) => makePeople(context, count)
  const person = async (role: RoleName = 'USER') => {
    const [made] = await people(1)
    if (role !== 'USER') await inTransaction(context.ledger.db, (tx) => giveRole(tx, made!.accountId, role))
    return made!
  }
  return {
    url,
    stores,
    context,
    call,
    people,
    person,
    event: async (wishes = {}) => makeEvent(context, wishes.organizer ?? (await person('ORGANIZER')), wishes),
    admit: (who, eventId) => waitForPass(call, who, eventId),
    hold: ({ token }, seatIds, headers = {}) =>
      call('POST', '/booking', { token, body: { seatIds }, headers }),
    async close() {
      await listener.stop()
      await context.close()
      if (!beside) await stores.close()
    },
  }
}

async function request(url: string, method: string, path: string, options: Call): Promise<Answer> {
  const { token, body, raw, headers = {} } = options
  const answer = await fetch(`${url}${/^\/(api|health|metrics|ws|dev)\b/.test(path) ? '' : API}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(raw === undefined ? {} : { body: raw }),
  })
  const text = await answer.text()
  const isJson = (answer.headers.get('content-type') ?? '').startsWith('application/json')
  return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text }
}

async function makePeople({ ledger, tokens }: Context, count: number): Promise<Person[]> {
  const until = new Date(Date.now() + SESSION_HOURS * 3_600_000)
  const crowd = await createCrowd(ledger.db, { count, sessionsUntil: until })
  return Promise.all(
    crowd.map(async ({ id, email, sessionId }) => ({
      accountId: id,
      email,
      token: await tokens.signAccess({ accountId: id, sessionId, email, expiresAt: until }),
    })),
  )
}

async function makeEvent(context: Context, organizer: Person, wishes: EventWishes): Promise<EventForSale> {
  const { db } = context.ledger
  const { sections, room, organizer: _, published, ...fields } = wishes
  const made = await createEvent(db, {
    ownerId: organizer.accountId,
    name: 'Night of strings',
    location: 'Old hall',
    startsAt: new Date(Date.now() + 30 * DAY_MS),
    currency: 'EUR',
    timeZone: 'Europe/Berlin',
    ...fields,
  })
  if (!made.ok) throw new Error(`the event was refused: ${made.refusal}`)
  const eventId = made.event.id
  const seated = await createSeats(
    db,
    eventId,
    sections ?? [{ name: 'Stalls', tier: { name: 'Standard', price: 2_500 }, rows: 2, seatsPerRow: 10 }],
  )
  if (!seated.ok) throw new Error(`the seats were refused: ${seated.refusal}`)
  if (published !== false) await publishEvent(db, eventId)
  if (room) await openRoom(context, eventId, room)
  return { eventId, organizer, seatId: (n) => `${eventId}:${n}` }
}

/** Admits at once unless told otherwise. */
async function openRoom(context: Context, eventId: string, wishes: Partial<RoomChoice>): Promise<void> {
  await saveRoom(context.ledger.db, eventId, {
    enabled: true,
    lobbyAt: null,
    activeMax: 100,
    admitPerMinute: null,
    doorSeconds: 0,
    passSeconds: 600,
    graceSeconds: 300,
    ...wishes,
  })
  await context.room.configure(eventId)
}

async function waitForPass(call: AppHarness['call'], { token }: Person, eventId: string): Promise<string> {
  const deadline = Date.now() + ADMITTED_WITHIN_MS
  const joined = await call('POST', `/event/${eventId}/room/join`, { token, body: {} })
  if (joined.status >= 300) throw new Error(`not let into the room: ${JSON.stringify(joined.body)}`)
  for (;;) {
    const { body } = await call('GET', `/event/${eventId}/room/me`, { token })
    if (body.data?.state === 'called') await call('POST', `/event/${eventId}/room/claim`, { token })
    else if (body.data?.pass) return body.data.pass
    if (Date.now() > deadline) throw new Error(`not admitted in time: ${JSON.stringify(body)}`)
    await Bun.sleep(POLL_MS)
  }
}

function freePort(): number {
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = probe
  probe.stop(true)
  return port
}
