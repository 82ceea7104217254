// Holds the hottest queries to their indexes, on a ledger that has grown: none reads a large table from end to end, and
// none reads more of it than it answers, with plans made for its values and with plans made for any.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import postgres from 'postgres'
import { growthEvent, loadGrowth } from '../../dev/bench/growth-load.ts'
import { runAudit } from '../../db/audit.ts'
import { expireDueBookings } from '../../db/bookings/expire-bookings.ts'
import { extendBooking } from '../../db/bookings/extend-booking.ts'
import { beatHoldClock } from '../../db/bookings/hold-clock.ts'
import { holdSeats } from '../../db/bookings/hold-seats.ts'
import { findBooking, listBookings, listBookingsOf } from '../../db/bookings/read-bookings.ts'
import { refundBooking } from '../../db/bookings/refund-booking.ts'
import { releaseBooking } from '../../db/bookings/release-booking.ts'
import type { Gate } from '../../db/bookings/gate.ts'
import { connectLedger } from '../../db/client.ts'
import { claimOutbox, listDeadLetters, settleOutbox } from '../../db/outbox.ts'
import { listOpenPayments, payBooking } from '../../db/payments.ts'
import { claimSandboxWebhooks } from '../../db/sandbox-webhooks.ts'
import { findTicket, listTicketsOf } from '../../db/tickets.ts'
import { aBuyer, openTestLedger, STORES_WITHIN_MS, until, type TestLedger } from '../support/a-ledger.ts'

const GROWTH = { events: 10, seats: 3_000, bookings: 30_000 }
/** Every table whose rows grow with the sales. */
const LARGE = [
  'accounts',
  'seats',
  'bookings',
  'booking_seats',
  'booking_timeline',
  'payments',
  'tickets',
  'outbox',
  'sandbox_charges',
]
/** Rows read in a large table by one of the moves below, with its checks of references: it moves one to three seats. */
const ROWS_MAX = 400
const LOAD_WITHIN_MS = 120_000

let t: TestLedger
let admin: postgres.Sql
let eventId: string
let sold: { id: string; accountId: string }
let ticketId: string
let nextSeat = GROWTH.seats * 0.8
const told: string[] = []

beforeAll(async () => {
  t = await openTestLedger()
  admin = postgres(t.stores.databaseUrl, { max: 1, onnotice: () => {} })
  await loadGrowth(admin, GROWTH)
  eventId = await growthEvent(admin, 3)
  const [row] = await admin<{ id: string; accountId: string }[]>`
    select id, account_id as "accountId" from bookings where event_id = ${eventId} and status = 'CONFIRMED' limit 1`
  sold = row!
  const [ticket] = await admin<{ id: string }[]>`select id from tickets where booking_id = ${sold.id}`
  ticketId = ticket!.id
  // What was read so far is counted when its connection ends.
  await admin.end()
  admin = postgres(t.stores.databaseUrl, { max: 1, onnotice: () => {} })
}, STORES_WITHIN_MS + LOAD_WITHIN_MS)
afterAll(async () => {
  console.log(`\nRows read of ${GROWTH.bookings} bookings' tables\n${told.join('\n')}`)
  await admin.end()
  await t.close()
}, STORES_WITHIN_MS)

const hold = async (gate: Gate, seats = 2) => {
  const accountId = await aBuyer(gate.db)
  const wanted = Array.from({ length: seats }, () => nextSeat++)
  const held = await holdSeats(gate, { accountId, eventId, seats: wanted })
  if (!held.ok) throw new Error(held.refusal)
  return { bookingId: held.booking.id, accountId }
}
const pay = async (gate: Gate) => {
  const request = await hold(gate)
  const paid = await payBooking(gate, { ...request, method: 'sandbox_ok' })
  if (!paid.ok) throw new Error(paid.refusal)
  return request
}

/** Made ready on one connection; what it answers is measured on others. */
type Move = (making: Gate) => Promise<(measured: Gate) => Promise<unknown>>

/** What a sale asks for all the time. */
const MOVES: Record<string, Move> = {
  'a hold': async () => (gate) => hold(gate),
  'a refused hold': async ({ db }) => {
    const accountId = await aBuyer(db)
    return (gate) => holdSeats(gate, { accountId, eventId, seats: [0, 1] })
  },
  'a charge and its confirmation': async (making) => {
    const request = await hold(making)
    return (gate) => payBooking(gate, { ...request, method: 'sandbox_ok' })
  },
  'a release': async (making) => {
    const request = await hold(making)
    return (gate) => releaseBooking(gate, request)
  },
  'an extension': async (making) => {
    const request = await hold(making)
    return (gate) => extendBooking(gate, request)
  },
  'the sweep, with nothing due': async () => (gate) => expireDueBookings(gate),
  'the sweep, with one hold due': async (making) => {
    const { bookingId } = await hold(making)
    await admin`update bookings set expires_at = now() where event_id = ${eventId} and id = ${bookingId}`
    return (gate) => expireDueBookings(gate)
  },
  'a refund': async (making) => {
    const { bookingId } = await pay(making)
    return (gate) => refundBooking(gate, { bookingId, reason: 'plans' })
  },
  'one booking': async () => (gate) => findBooking(gate.db, sold.id),
  'the bookings of a buyer': async () => (gate) =>
    listBookingsOf(gate.db, { accountId: sold.accountId, limit: 20 }),
  'the bookings of an event': async () => (gate) => listBookings(gate.db, { eventId, limit: 20 }),
  'the tickets of a buyer': async () => (gate) =>
    listTicketsOf(gate.db, { accountId: sold.accountId, limit: 20 }),
  'one ticket': async () => (gate) => findTicket(gate.db, ticketId),
  'the outbox': async () => async (gate) => {
    for (const { id } of await claimOutbox(gate.db, { limit: 10, relayAgainMs: 0 }))
      await settleOutbox(gate.db, id)
    await listDeadLetters(gate.db, { limit: 10 })
  },
  'open payments and webhooks': async () => async (gate) => {
    await listOpenPayments(gate.db, { limit: 50, olderThanMs: 1_000 })
    await claimSandboxWebhooks(gate.db, { limit: 20 })
  },
  'the first beat after an outage': async (making) => {
    await hold(making)
    await admin`insert into hold_clock (beat_at) values (now() - interval '1 minute')
      on conflict (id) do update set beat_at = excluded.beat_at`
    return (gate) => beatHoldClock(gate, { by: 'plans', reason: 'postgres' })
  },
}

interface Reads {
  table: string
  /** Scans from end to end. */
  whole: number
  rows: number
}

/** A backend tells what it has read when it ends, at the latest. */
async function counters(): Promise<Reads[]> {
  await until(async () => {
    const [{ left } = { left: 0 }] = await admin<{ left: number }[]>`
      select count(*)::int as left from pg_stat_activity where application_name in ('plans', 'making')`
    return left === 0
  })
  return admin<Reads[]>`
    select relname as table, seq_scan::int as whole, coalesce(seq_tup_read + idx_tup_fetch, 0)::int as rows
    from pg_stat_user_tables where relname = any(${LARGE}) order by relname`
}

/** What the move reads of the large tables. */
async function readsOf(move: Move): Promise<Reads[]> {
  const making = connectLedger(t.stores.databaseUrl, { max: 2, name: 'making' })
  const act = await move({ db: making.db, redis: t.redis })
  await making.close()
  const before = await counters()
  const measured = connectLedger(t.stores.databaseUrl, { max: 2, name: 'plans' })
  await act({ db: measured.db, redis: t.redis })
  await measured.close()
  const after = await counters()
  return after.map(({ table, whole, rows }, i) => ({
    table,
    whole: whole - before[i]!.whole,
    rows: rows - before[i]!.rows,
  }))
}

for (const planning of ['force_custom_plan', 'force_generic_plan'] as const)
  describe(`with ${planning}`, () => {
    beforeAll(async () => {
      const name = new URL(t.stores.databaseUrl).pathname.slice(1)
      await admin.unsafe(`alter database ${name} set plan_cache_mode = ${planning}`)
    })
    for (const [name, move] of Object.entries(MOVES))
      test(name, async () => {
        const reads = await readsOf(move)
        expect(reads.filter(({ whole, rows }) => whole > 0 || rows > ROWS_MAX)).toEqual([])
        if (planning === 'force_generic_plan') return
        told.push(
          `  ${name}: ${reads
            .filter(({ rows }) => rows > 0)
            .map(({ table, rows }) => `${table} ${rows}`)
            .join(', ')}`,
        )
      })
  })

test('no unique index of a table that belongs to events leaves out the event', async () => {
  const indexes = await admin<{ index: string }[]>`
    select i.indexrelid::regclass::text as index
    from pg_index i join pg_attribute event on event.attrelid = i.indrelid and event.attname = 'event_id'
    join pg_class c on c.oid = i.indrelid and c.relnamespace = 'public'::regnamespace
    where i.indisunique and not event.attnum = any(i.indkey)`
  expect(indexes.map(({ index }) => index)).toEqual([])
})

test('what was loaded and done is a ledger in which every promise holds', async () => {
  await admin`update outbox set settled_at = now() where settled_at is null`
  const broken = (await runAudit({ db: t.db, redis: t.redis })).filter(({ ok }) => !ok)
  expect(broken).toEqual([])
})
