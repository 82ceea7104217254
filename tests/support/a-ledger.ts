// Owns what a test of the ledger stands on: fresh stores, and events, buyers and bookings made in one line each.
import { connectLedger, type Db, type Ledger } from '../../db/client.ts'
import type { Gate } from '../../db/bookings/gate.ts'
import { holdSeats, type HoldOutcome } from '../../db/bookings/hold-seats.ts'
import type { BookingRow } from '../../db/bookings/read-bookings.ts'
import { connectRedis, redisReady, type RedisClient } from '../../db/redis.ts'
import { accounts, events, seats, sections, tiers } from '../../db/schema.ts'
import { freshStores, type FreshStores } from './stores.ts'

const CONNECTIONS = 16
/** Starting the stores of a file may take this long on a busy machine. */
export const STORES_WITHIN_MS = 60_000
const CAPTURED_BY = 'sandbox'

export interface TestLedger {
  ledger: Ledger
  db: Db
  redis: RedisClient
  gate: Gate
  stores: FreshStores
  /** What the buyer must not notice, in the order it happened. */
  faults: string[]
  close(): Promise<void>
}

export async function openTestLedger(): Promise<TestLedger> {
  const stores = await freshStores()
  const ledger = connectLedger(stores.databaseUrl, { max: CONNECTIONS, name: 'test' })
  const redis = connectRedis(stores.redisUrl, { role: 'commands', name: 'test' })
  await redisReady(redis)
  const faults: string[] = []
  const gate: Gate = { db: ledger.db, redis, onFault: (what) => faults.push(what) }
  return {
    ledger,
    db: ledger.db,
    redis,
    gate,
    stores,
    faults,
    close: async () => {
      redis.disconnect()
      await ledger.close()
      await stores.close()
    },
  }
}

/** A verified account. */
export async function aBuyer(db: Db): Promise<string> {
  const [id] = await buyers(db, 1)
  return id!
}

export async function buyers(db: Db, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => Bun.randomUUIDv7())
  await db
    .insert(accounts)
    .values(ids.map((id) => ({ id, email: `${id}@test.example`, verifiedAt: new Date() })))
  return ids
}

export const SEAT_PRICE = 4_500

/** A published event on sale, of one seated section in rows of ten; every seat costs SEAT_PRICE. */
export async function anEvent(
  db: Db,
  { seats: count = 10, ...fields }: { seats?: number } & Partial<typeof events.$inferInsert> = {},
): Promise<string> {
  const id = Bun.randomUUIDv7()
  await db.insert(events).values({
    id,
    ownerId: fields.ownerId ?? (await aBuyer(db)),
    name: 'Night of the Test',
    location: 'Hall',
    startsAt: new Date(Date.now() + 30 * 24 * 3_600_000),
    timeZone: 'Europe/Berlin',
    currency: 'EUR',
    status: 'PUBLISHED',
    seatCount: count,
    ...fields,
  })
  await db.insert(tiers).values({ eventId: id, id: 0, name: 'Standard', price: SEAT_PRICE })
  const rows = Math.ceil(count / 10)
  await db.insert(sections).values({
    eventId: id,
    id: 0,
    name: 'Stalls',
    kind: 'seated',
    tierId: 0,
    firstN: 0,
    seatCount: count,
    layout: {
      rows,
      seatsPerRow: 10,
      rowLabels: Array.from({ length: rows }, (_, i) => String(i + 1)),
      numbering: 'left-to-right',
      shape: 'straight',
    },
  })
  const all = Array.from({ length: count }, (_, n) => ({
    eventId: id,
    n,
    sectionId: 0,
    rowLabel: String(Math.floor(n / 10) + 1),
    seatLabel: String((n % 10) + 1),
    tierId: 0,
  }))
  for (let from = 0; from < count; from += 5_000) await db.insert(seats).values(all.slice(from, from + 5_000))
  return id
}

/** Held seats; fails the test when they cannot be. */
export async function aHold(
  gate: Gate,
  request: { eventId: string; accountId?: string; seats?: number[] },
): Promise<BookingRow> {
  const accountId = request.accountId ?? (await aBuyer(gate.db))
  const outcome = await holdSeats(gate, { eventId: request.eventId, accountId, seats: request.seats ?? [0] })
  if (!outcome.ok) throw new Error(`not held: ${JSON.stringify(outcome)}`)
  return outcome.booking
}

/** What the provider would say of a booking paid in full. */
export function aCapture(booking: { id: string; total: number }) {
  return {
    provider: CAPTURED_BY,
    providerRef: `test_${booking.id}`,
    method: 'sandbox_ok',
    amount: booking.total,
  }
}

export const refusalOf = (outcome: HoldOutcome | { ok: boolean; refusal?: string }) =>
  'refusal' in outcome ? outcome.refusal : 'held'

/** Waits for a condition, at most `withinMs`; fails the test when it does not come true. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  withinMs = 5_000,
  what = String(condition),
): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await Bun.sleep(10)
  }
}
