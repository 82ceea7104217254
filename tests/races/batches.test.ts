// Races for what shares a round trip: every request is answered for itself and truthfully, whatever its batch meets.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { and, eq, inArray, sql } from 'drizzle-orm'
import { runAudit } from '../../db/audit.ts'
import { confirmBooking } from '../../db/bookings/confirm-booking.ts'
import { expireDueBookings } from '../../db/bookings/expire-bookings.ts'
import { extendBooking } from '../../db/bookings/extend-booking.ts'
import type { Gate } from '../../db/bookings/gate.ts'
import { holdSeats } from '../../db/bookings/hold-seats.ts'
import { findBooking } from '../../db/bookings/read-bookings.ts'
import { releaseBooking } from '../../db/bookings/release-booking.ts'
import { connectLedger, type Ledger } from '../../db/client.ts'
import { findAnswer } from '../../db/idempotency.ts'
import { connectRedis, type RedisClient } from '../../db/redis.ts'
import { bookings, bookingSeats, payments, seats } from '../../db/schema.ts'
import { reconcileSeats } from '../../db/seat-gate/reconcile.ts'
import {
  aBuyer,
  aCapture,
  aHold,
  anEvent,
  buyers,
  openTestLedger,
  refusalOf,
  STORES_WITHIN_MS,
  type TestLedger,
} from '../support/a-ledger.ts'
import { randomOf } from '../support/sale.ts'
import { NO_NEW_BOOKINGS, standstill, untilWaiting } from '../support/standstill.ts'

const RACE_TIMEOUT_MS = 60_000
const CONNECTIONS = 6

let t: TestLedger
let gone: RedisClient
/** Two server processes without Redis, as far as batches and connections go. */
let servers: (Gate & { ledger: Ledger })[]
beforeAll(async () => {
  t = await openTestLedger()
  // Nothing listens on the discard port.
  gone = connectRedis('redis://127.0.0.1:9', { role: 'commands', name: 'gone' })
  servers = ['one', 'two'].map((name) => {
    const ledger = connectLedger(t.stores.databaseUrl, { max: CONNECTIONS, name })
    return { db: ledger.db, redis: gone, ledger }
  })
}, STORES_WITHIN_MS)
afterAll(async () => {
  for (const { id } of await t.db.query.events.findMany({ columns: { id: true } }))
    await reconcileSeats(t, id)
  expect((await runAudit(t)).filter(({ ok }) => !ok)).toEqual([])
  await Promise.all(servers.map(({ ledger }) => ledger.close()))
  gone.disconnect()
  await t.close()
}, STORES_WITHIN_MS)

const moveOf = ({ id, accountId }: { id: string; accountId: string }) => ({ bookingId: id, accountId })
const serverOf = (i: number) => servers[i % servers.length]!

/** Lets the holds end at moments spread over the next `seconds`; answers when, in ms since 1970. */
async function endWithin(held: { id: string }[], seconds: number): Promise<Map<string, number>> {
  const rows = await t.db
    .update(bookings)
    .set({ expiresAt: sql`now() + make_interval(secs => 0.1 + random() * ${seconds})` })
    .where(
      inArray(
        bookings.id,
        held.map(({ id }) => id),
      ),
    )
    .returning({ id: bookings.id, expiresAt: bookings.expiresAt })
  return new Map(rows.map(({ id, expiresAt }) => [id, expiresAt.getTime()]))
}

describe('the very end of a hold', () => {
  const ROUNDS = 40
  const BEFORE_MS = 110

  test(
    'more time, the money, the sweep and the next buyer at once: one of them has the seat, and nobody was told otherwise',
    async () => {
      const random = randomOf(7)
      const eventId = await anEvent(t.db, { seats: ROUNDS })
      const next = await buyers(t.db, ROUNDS)
      const held = await Promise.all(
        Array.from({ length: ROUNDS }, (_, n) => aHold(t.gate, { eventId, seats: [n] })),
      )
      const ends = await endWithin(held, 1.2)
      /** So many milliseconds after the hold's own end; before it, where negative. */
      const near = ({ id }: { id: string }, from: number, until: number) =>
        Bun.sleep(Math.max(0, ends.get(id)! - Date.now() + from + random() * (until - from)))
      const rounds = held.map(async (booking, n) => {
        const [more, paid, , taken] = await Promise.all([
          near(booking, -BEFORE_MS / 2, 20).then(() => extendBooking(serverOf(n), moveOf(booking))),
          near(booking, -BEFORE_MS, BEFORE_MS).then(() =>
            confirmBooking(serverOf(n + 1), { ...moveOf(booking), payment: aCapture(booking) }),
          ),
          near(booking, 0, 20).then(() => expireDueBookings(serverOf(n))),
          near(booking, 0, 20).then(() =>
            holdSeats(serverOf(n + 1), { eventId, accountId: next[n]!, seats: [n] }),
          ),
        ])
        return { booking, n, more, paid, taken }
      })
      const kinds = new Map<string, number>()
      for (const { booking, n, more, paid, taken } of await Promise.all(rounds)) {
        const row = (await findBooking(t.db, booking.id))!
        const [seat] = await t.db
          .select()
          .from(seats)
          .where(and(eq(seats.eventId, eventId), eq(seats.n, n)))
        // Extended means in time, and so the money was, whichever came first.
        if (more.ok) expect([paid.ok, taken.ok]).toEqual([true, false])
        expect(row.status).toBe(paid.ok ? 'CONFIRMED' : 'EXPIRED')
        if (taken.ok) expect(seat).toMatchObject({ status: 'RESERVED', bookingId: taken.booking.id })
        if (paid.ok) expect(seat).toMatchObject({ status: 'SOLD', bookingId: booking.id })
        expect(paid.ok && taken.ok).toBe(false)
        const [payment] = await t.db.select().from(payments).where(eq(payments.bookingId, booking.id))
        expect(payment!.status).toBe(paid.ok ? 'CAPTURED' : 'REFUND_DUE')
        const kind = `${more.ok ? 'extended, ' : ''}${paid.ok ? 'paid' : 'refunded'}${taken.ok ? ', the next buyer has it' : ''}`
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      }
      console.log(
        `The very end of ${ROUNDS} holds: ${[...kinds].map(([kind, n]) => `${n} ${kind}`).join('; ')}`,
      )
    },
    RACE_TIMEOUT_MS,
  )

  test(
    'more time and the sweep in the same moment: extended holds live, the others are ended, none is both',
    async () => {
      const random = randomOf(8)
      const eventId = await anEvent(t.db, { seats: ROUNDS })
      const held = await Promise.all(
        Array.from({ length: ROUNDS }, (_, n) => aHold(t.gate, { eventId, seats: [n] })),
      )
      const ends = await endWithin(held, 0.8)
      const sweeping = (async () => {
        for (let i = 0; i < 60; i++) {
          await expireDueBookings(serverOf(i))
          await Bun.sleep(10)
        }
      })()
      const asked = await Promise.all(
        held.map(async (booking, n) => {
          await Bun.sleep(Math.max(0, ends.get(booking.id)! - Date.now() - random() * BEFORE_MS))
          return { booking, more: await extendBooking(serverOf(n), moveOf(booking)) }
        }),
      )
      await sweeping
      await expireDueBookings(t.gate)
      for (const { booking, more } of asked) {
        expect((await findBooking(t.db, booking.id))!.status).toBe(more.ok ? 'PENDING' : 'EXPIRED')
        if (!more.ok) expect(more.refusal).toBe('booking_expired')
      }
    },
    RACE_TIMEOUT_MS,
  )
})

describe('one Idempotency-Key', () => {
  test(
    'from two processes at once, with the same and with different bodies: one hold a key, and the others are told why not',
    async () => {
      const KEYS = 20
      const eventId = await anEvent(t.db, { seats: KEYS * 6, maxSeatsPerBuyer: 50, maxSeatsPerBooking: 10 })
      const people = await buyers(t.db, KEYS)
      // For each key six requests in two processes, of two bodies: seats differ with the body.
      const asked = people.flatMap((accountId, k) =>
        [1, 1, 1, 2, 2, 2].map((body, i) => ({ accountId, body, server: serverOf(i), seat: k * 6 + body })),
      )
      const outcomes = await Promise.all(
        asked.map(({ accountId, body, server, seat }) =>
          holdSeats(server, {
            eventId,
            accountId,
            seats: [seat],
            idempotency: {
              key: 'pressed',
              requestHash: new Uint8Array(32).fill(body),
              answer: ({ id }) => ({ statusCode: 201, response: { id } }),
            },
          }),
        ),
      )
      for (const accountId of people) {
        const mine = asked.flatMap((one, i) =>
          one.accountId === accountId ? [{ ...one, outcome: outcomes[i]! }] : [],
        )
        const won = mine.filter(({ outcome }) => outcome.ok)
        expect(won).toHaveLength(1)
        const stored = (await findAnswer(t.db, { accountId, key: 'pressed' }))!
        expect(stored.requestHash[0]).toBe(won[0]!.body)
        for (const { outcome, body } of mine) {
          if (outcome.ok) {
            expect(stored.response).toEqual({ id: outcome.booking.id })
            continue
          }
          // Whoever came later may as well have been told first that the seat is gone.
          const why = body === won[0]!.body ? 'idempotency_in_progress' : 'idempotency_key_reused'
          expect([why, 'seat_taken', 'seat_locked']).toContain(refusalOf(outcome)!)
        }
        const live = await t.db.select().from(bookings).where(eq(bookings.accountId, accountId))
        expect(live).toHaveLength(1)
      }
    },
    RACE_TIMEOUT_MS,
  )
})

describe('seats in hostile order, twice, and across batches', () => {
  test(
    'nobody is shown a deadlock, nor has Postgres to end one, while holds are paid, given back, extended and swept',
    async () => {
      const SEATS = 24
      const random = randomOf(11)
      const events = [
        await anEvent(t.db, { seats: SEATS, maxSeatsPerBuyer: 100, maxSeatsPerBooking: 12 }),
        await anEvent(t.db, { seats: SEATS, maxSeatsPerBuyer: 100, maxSeatsPerBooking: 12 }),
      ]
      const people = await buyers(t.db, 30)
      const wish = () => {
        const some = Array.from({ length: 1 + Math.floor(random() * 6) }, () => Math.floor(random() * SEATS))
        return [...some, ...some.toReversed()]
      }
      let held = 0
      await Promise.all(
        Array.from({ length: 300 }, async (_, i) => {
          const server = serverOf(i)
          const outcome = await holdSeats(server, {
            eventId: events[i % 3 === 0 ? 0 : 1]!,
            accountId: people[i % people.length]!,
            seats: wish(),
          })
          if (!outcome.ok) return expect(['seat_taken', 'seat_locked']).toContain(outcome.refusal)
          held += 1
          const { booking } = outcome
          const other = serverOf(i + 1)
          if (i % 4 === 0) return confirmBooking(other, { ...moveOf(booking), payment: aCapture(booking) })
          if (i % 4 === 1) return releaseBooking(other, moveOf(booking))
          if (i % 4 === 2) return extendBooking(other, moveOf(booking))
          await t.db
            .update(bookings)
            .set({ expiresAt: sql`now()` })
            .where(eq(bookings.id, booking.id))
          return expireDueBookings(other)
        }),
      )
      expect(held).toBeGreaterThan(10)
      await t.db.execute(sql`select pg_stat_force_next_flush()`).catch(() => {})
      const [row] = await t.db.execute<{ deadlocks: number }>(
        sql`select deadlocks::int from pg_stat_database where datname = current_database()`,
      )
      expect(row!.deadlocks).toBe(0)
    },
    RACE_TIMEOUT_MS,
  )
})

const ofServer = (name: string) => sql`datname = current_database() and application_name = ${name}`
const killWaiting = (name: string) =>
  t.db.execute(sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where ${ofServer(name)} and wait_event_type = 'Lock'`)
/** One that has a transaction open, if there is any at this moment. */
const killOne = async (name: string): Promise<number> => {
  const killed = await t.db.execute(sql`
    select pg_terminate_backend(pid) from (
      select pid from pg_stat_activity where ${ofServer(name)} and state <> 'idle'
      order by random() limit 1) as busy`)
  return killed.length
}

describe('a batch whose transaction is killed', () => {
  test(
    'before it has written: nobody hears of it, and everybody has what they asked for, once',
    async () => {
      const eventId = await anEvent(t.db, { seats: 20 })
      const people = await buyers(t.db, 20)
      const still = await standstill(t, NO_NEW_BOOKINGS)
      const asked = Promise.all(
        people.map((accountId, n) => holdSeats(servers[0]!, { eventId, accountId, seats: [n] })),
      )
      // The first and a batch that did not wait for it; the rest come after them.
      await untilWaiting(t.db, 2, asked)
      const killed = await killWaiting('one')
      await still.end()
      expect(killed.length).toBeGreaterThan(0)
      expect((await asked).every(({ ok }) => ok)).toBe(true)
      const rows = await t.db.select().from(bookingSeats).where(eq(bookingSeats.eventId, eventId))
      expect(rows).toHaveLength(20)
    },
    RACE_TIMEOUT_MS,
  )

  test(
    'at any moment: what was acknowledged is there, what was refused is not, and after a fault the key tells which',
    async () => {
      const SEATS = 240
      const eventId = await anEvent(t.db, { seats: SEATS, maxSeatsPerBuyer: 100 })
      const people = await buyers(t.db, 40)
      const storm = { on: true, kills: 0 }
      const killing = (async () => {
        while (storm.on) {
          await Bun.sleep(60)
          storm.kills += await killOne('two')
        }
      })()
      const random = randomOf(3)
      const answers = await Promise.all(
        Array.from({ length: SEATS }, async (_, i) => {
          await Bun.sleep(random() * 1_500)
          const accountId = people[i % people.length]!
          const key = `key-${i}`
          const bookingId = Bun.randomUUIDv7()
          const request = {
            eventId,
            accountId,
            bookingId,
            seats: [Math.floor(random() * SEATS)],
            idempotency: {
              key,
              requestHash: new Uint8Array(32).fill(1),
              answer: ({ id }: { id: string }) => ({ statusCode: 201, response: { id } }),
            },
          }
          const outcome = await holdSeats(servers[1]!, request).catch(() => 'fault' as const)
          return { accountId, key, bookingId, outcome }
        }),
      )
      storm.on = false
      await killing
      const seen = { held: 0, refused: 0, lost: 0, unknownButHeld: 0 }
      for (const { accountId, key, bookingId, outcome } of answers) {
        const row = await findBooking(t.db, bookingId)
        if (outcome === 'fault') {
          const stored = await findAnswer(t.db, { accountId, key })
          expect(stored?.response ?? null).toEqual(row ? { id: bookingId } : null)
          seen[row ? 'unknownButHeld' : 'lost'] += 1
        } else {
          expect(row?.status ?? null).toBe(outcome.ok ? 'PENDING' : null)
          seen[outcome.ok ? 'held' : 'refused'] += 1
        }
      }
      console.log(
        `A batch's back ends killed ${storm.kills} times: ${JSON.stringify(seen)} of ${SEATS} requests, each as it was told`,
      )
      expect(seen.held).toBeGreaterThan(0)
    },
    RACE_TIMEOUT_MS,
  )

  test(
    'while payments are booked: told again, each is booked once, and none is lost',
    async () => {
      const eventId = await anEvent(t.db, { seats: 40 })
      const held = await Promise.all(
        Array.from({ length: 40 }, (_, n) => aHold(t.gate, { eventId, seats: [n] })),
      )
      const storm = { on: true }
      const killing = (async () => {
        while (storm.on) {
          await Bun.sleep(10)
          await killOne('two')
        }
      })()
      const tell = (server: Gate) =>
        Promise.allSettled(
          held.map(async (booking) =>
            confirmBooking(server, { ...moveOf(booking), payment: aCapture(booking) }),
          ),
        )
      const first = await tell(servers[1]!)
      const second = await tell(servers[1]!)
      storm.on = false
      await killing
      for (const [i, booking] of held.entries()) {
        const acknowledged = [first[i]!, second[i]!].some((one) => one.status === 'fulfilled' && one.value.ok)
        if (acknowledged) expect((await findBooking(t.db, booking.id))!.status).toBe('CONFIRMED')
      }
      for (const one of await tell(t.gate)) expect(one.status === 'fulfilled' && one.value.ok).toBe(true)
      const booked = await t.db.select().from(payments).where(eq(payments.eventId, eventId))
      expect(booked).toHaveLength(40)
      expect(new Set(booked.map(({ status }) => status))).toEqual(new Set(['CAPTURED']))
    },
    RACE_TIMEOUT_MS,
  )
})

test('a stranger to a batch is not told of its faults: a malformed request fails alone', async () => {
  const eventId = await anEvent(t.db)
  const asked = [
    { eventId, accountId: await aBuyer(t.db), seats: [0] },
    // No such account: the insert of this one fails.
    { eventId, accountId: Bun.randomUUIDv7(), seats: [1] },
    { eventId, accountId: await aBuyer(t.db), seats: [2] },
    { eventId, accountId: await aBuyer(t.db), seats: [3] },
  ]
  const outcomes = await Promise.allSettled(asked.map((request) => holdSeats(servers[0]!, request)))
  expect(outcomes.map((one) => one.status === 'fulfilled' && one.value.ok)).toEqual([true, false, true, true])
})
