// Owns what `bench ledger` loads: a whole stack, halls of free seats, buyers with their tokens, and a worker that rests.
import { connectLedger, type Ledger } from '../../db/client.ts'
import { createCrowd } from '../../db/crowd.ts'
import { createEvent, publishEvent } from '../../db/events.ts'
import { createSeats, type NewSection } from '../../db/seats.ts'
import { createTokens } from '../../server/tokens.ts'
import { startWholeStack } from '../whole-stack.ts'
import type { RunFile } from '../up/run-file.ts'
import { measureCpu, treeOf } from './processes.ts'

/** Rows of a hall; each has so many seats. */
const SEATS_PER_ROW = 200
const HALL_SEATS_MAX = 100_000
const BUYERS = 2_000
const BUYER_SEATS_MAX = 100
const HOLD_SECONDS = 3_600
const DAY_MS = 86_400_000
const TOKEN_MS = 3_600_000
const CONNECTIONS = 8

export interface LedgerStack {
  run: RunFile
  port: number
  ledger: Ledger
  buyers: { accountId: string; token: string }[]
  /** The id of a new event of so many free seats in one section, on sale, without a room. */
  openHall(seats: number): Promise<string>
  /** The same of the given sections. */
  openHouse(sections: NewSection[]): Promise<string>
  /** Starts measuring; answers, in words, how much of a core each part took since. */
  cores(): () => string
  /** The same as figures, of one core each. */
  cpu(): () => { seconds: number; cores: Record<string, number> }
  /** Nothing but the servers and the stores works meanwhile. */
  withoutWorker<T>(work: () => Promise<T>): Promise<T>
  stop(): Promise<void>
}

export async function startLedgerStack(servers: number): Promise<LedgerStack> {
  const secret = Bun.randomUUIDv7() + Bun.randomUUIDv7()
  const stack = await startWholeStack({
    SERVERS: String(servers),
    JWT_SECRET: secret,
    RATE_LIMIT: 'off',
    LOG_LEVEL: 'info',
  })
  const { run } = stack
  const ledger = connectLedger(run.postgres.url, { max: CONNECTIONS, name: 'bench' })
  const stop = async () => {
    await ledger.close()
    await stack.stop()
  }
  try {
    await ageLog(ledger)
    const buyers = await makeBuyers(ledger, secret)
    return {
      run,
      port: Number(new URL(run.url).port),
      ledger,
      buyers,
      openHall: (seats) => openHouse(ledger, buyers[0]!.accountId, [oneSection(seats)]),
      openHouse: (sections) => openHouse(ledger, buyers[0]!.accountId, sections),
      cores: () => coresOf(run),
      cpu: () => cpuOf(run),
      withoutWorker: (work) => frozen(run.worker.pid, work),
      stop,
    }
  } catch (fault) {
    await stop()
    throw fault
  }
}

/** 16 MB each: more than the runs of the bench write. */
const LOG_SEGMENTS = 60

/**
 * Gives Postgres the log of a ledger that has been used: segments to be written again. A new one is filled with zeroes
 * while every commit waits, up to 300 ms for each 16 MB; one that is kept costs nothing (docker-compose.yml, min_wal_size).
 */
async function ageLog({ sql }: Ledger): Promise<void> {
  await sql.unsafe(`alter system set min_wal_size = '1GB'`)
  await sql.unsafe(`alter system set max_wal_size = '4GB'`)
  await sql`select pg_reload_conf()`
  for (let made = 0; made < LOG_SEGMENTS; made++) {
    await sql`select pg_logical_emit_message(false, 'bench', '')`
    await sql`select pg_switch_wal()`
  }
  await sql.unsafe('checkpoint')
}

async function makeBuyers(ledger: Ledger, secret: string) {
  const tokens = createTokens({ secret })
  const expiresAt = new Date(Date.now() + TOKEN_MS)
  const crowd = await createCrowd(ledger.db, { count: BUYERS, sessionsUntil: expiresAt })
  return Promise.all(
    crowd.map(async ({ id, email, sessionId }) => ({
      accountId: id,
      token: await tokens.signAccess({ accountId: id, sessionId, email, expiresAt }),
    })),
  )
}

function oneSection(seats: number): NewSection {
  const rows = Math.ceil(Math.min(seats, HALL_SEATS_MAX) / SEATS_PER_ROW)
  return { name: 'Stalls', tier: { name: 'Standard', price: 2_500 }, rows, seatsPerRow: SEATS_PER_ROW }
}

async function openHouse({ db }: Ledger, ownerId: string, sections: NewSection[]): Promise<string> {
  const made = await createEvent(db, {
    ownerId,
    name: 'Night of strings',
    location: 'Old hall',
    startsAt: new Date(Date.now() + 30 * DAY_MS),
    currency: 'EUR',
    timeZone: 'Europe/Berlin',
    maxSeatsPerBuyer: BUYER_SEATS_MAX,
    holdSeconds: HOLD_SECONDS,
  })
  if (!made.ok) throw new Error(`the event was refused: ${made.refusal}`)
  const seated = await createSeats(db, made.event.id, sections)
  if (!seated.ok) throw new Error(`the seats were refused: ${seated.refusal}`)
  await publishEvent(db, made.event.id)
  return made.event.id
}

const cpuOf = ({ servers, postgres, redis }: RunFile) =>
  measureCpu({
    generator: [process.pid],
    servers: servers.map(({ pid }) => pid),
    Postgres: treeOf(postgres.pid!),
    Redis: treeOf(redis.pid!),
  })

function coresOf(run: RunFile): () => string {
  const measured = cpuOf(run)
  return () =>
    `cores: ${Object.entries(measured().cores)
      .map(([name, used]) => `${name} ${used.toFixed(2)}`)
      .join(', ')}`
}

/** Stops the process where it stands while `work` is done, whatever becomes of it. */
export async function frozen<T>(pid: number, work: () => Promise<T>): Promise<T> {
  process.kill(pid, 'SIGSTOP')
  try {
    return await work()
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}
