// Races for seats: shows each race without its guard, then that the ledger has one winner whatever Redis does.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { and, eq, sql } from 'drizzle-orm'
import { runAudit } from '../../db/audit.ts'
import { confirmBooking } from '../../db/bookings/confirm-booking.ts'
import { expireDueBookings } from '../../db/bookings/expire-bookings.ts'
import type { Gate } from '../../db/bookings/gate.ts'
import { holdSeats, type HoldOutcome } from '../../db/bookings/hold-seats.ts'
import { findBooking } from '../../db/bookings/read-bookings.ts'
import { releaseBooking } from '../../db/bookings/release-booking.ts'
import { connectRedis } from '../../db/redis.ts'
import { bookings, bookingSeats, seats, tickets } from '../../db/schema.ts'
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
import { dropSeatConstraints, expireUnguarded, holdUnguarded } from '../support/unguarded-twins.ts'

const RACE_TIMEOUT_MS = 60_000

let t: TestLedger
beforeAll(async () => {
  t = await openTestLedger()
}, STORES_WITHIN_MS)
afterAll(async () => {
  for (const { id } of await t.db.query.events.findMany({ columns: { id: true } }))
    await reconcileSeats(t, id)
  const lines = await runAudit(t)
  expect(lines.filter(({ ok }) => !ok)).toEqual([])
  await t.close()
}, STORES_WITHIN_MS)

/** A gate whose Redis is not there: nothing listens on the discard port. */
const withoutRedis = (): Gate & { close(): void } => {
  const redis = connectRedis('redis://127.0.0.1:9', { role: 'commands', name: 'gone' })
  return { db: t.db, redis, close: () => redis.disconnect() }
}
const liveOf = async (eventId: string, n: number) =>
  t.db
    .select()
    .from(bookingSeats)
    .where(and(eq(bookingSeats.eventId, eventId), eq(bookingSeats.n, n), eq(bookingSeats.live, true)))
const winners = (outcomes: HoldOutcome[]) => outcomes.filter(({ ok }) => ok).length
const makeOverdue = (id: string) =>
  t.db
    .update(bookings)
    .set({ expiresAt: sql`now() - interval '1 second'` })
    .where(eq(bookings.id, id))

describe('one seat, many buyers', () => {
  test(
    'without guards it is sold many times',
    async () => {
      const unguarded = await openTestLedger()
      await dropSeatConstraints(unguarded.db)
      const eventId = await anEvent(unguarded.db)
      const people = await buyers(unguarded.db, 12)
      const { promise: allHaveRead, resolve } = Promise.withResolvers<void>()
      let read = 0
      const beforeWriting = () => {
        if (++read === people.length) resolve()
        return allHaveRead
      }
      const got = await Promise.all(
        people.map((accountId) => holdUnguarded(unguarded.db, { eventId, accountId, n: 0, beforeWriting })),
      )
      expect(got.filter(Boolean)).toHaveLength(people.length)
      const audit = await runAudit(unguarded)
      expect(audit.find(({ id }) => id === 'I1')).toMatchObject({ ok: false, violations: 1 })
      await unguarded.close()
    },
    RACE_TIMEOUT_MS,
  )

  test(
    'with wrong code but our schema it is still sold once',
    async () => {
      const eventId = await anEvent(t.db)
      const people = await buyers(t.db, 12)
      const got = await Promise.allSettled(
        people.map((accountId) => holdUnguarded(t.db, { eventId, accountId, n: 0 })),
      )
      expect(got.filter((one) => one.status === 'fulfilled' && one.value)).toHaveLength(1)
      expect(await liveOf(eventId, 0)).toHaveLength(1)
    },
    RACE_TIMEOUT_MS,
  )

  test(
    'one of 300 gets it, 299 are refused with a reason',
    async () => {
      const eventId = await anEvent(t.db)
      const outcomes = await Promise.all(
        (await buyers(t.db, 300)).map((accountId) => holdSeats(t.gate, { eventId, accountId, seats: [0] })),
      )
      expect(winners(outcomes)).toBe(1)
      const reasons = new Set(outcomes.filter(({ ok }) => !ok).map(refusalOf))
      expect(reasons.difference(new Set(['seat_taken', 'seat_locked']))).toEqual(new Set())
      expect(await liveOf(eventId, 0)).toHaveLength(1)
    },
    RACE_TIMEOUT_MS,
  )

  test(
    'one of 100 gets it with Redis off altogether',
    async () => {
      const gate = withoutRedis()
      const eventId = await anEvent(t.db)
      const outcomes = await Promise.all(
        (await buyers(t.db, 100)).map((accountId) => holdSeats(gate, { eventId, accountId, seats: [0] })),
      )
      gate.close()
      expect(winners(outcomes)).toBe(1)
      expect(await liveOf(eventId, 0)).toHaveLength(1)
    },
    RACE_TIMEOUT_MS,
  )

  test(
    'one gets it each time while Redis is emptied again and again',
    async () => {
      const eventId = await anEvent(t.db, { seats: 20 })
      const people = await buyers(t.db, 100)
      const race = { on: true }
      const wiping = (async () => {
        while (race.on) {
          await t.redis.flushdb()
          await Bun.sleep(1)
        }
      })()
      const outcomes = await Promise.all(
        people.map((accountId, i) => holdSeats(t.gate, { eventId, accountId, seats: [i % 20] })),
      )
      race.on = false
      await wiping
      expect(winners(outcomes)).toBeLessThanOrEqual(20)
      for (let n = 0; n < 20; n++) expect((await liveOf(eventId, n)).length).toBeLessThanOrEqual(1)
      for (let n = 0; n < 20; n++)
        await holdSeats(t.gate, { eventId, accountId: await aBuyer(t.db), seats: [n] })
      await reconcileSeats(t, eventId)
      for (let n = 0; n < 20; n++) expect(await liveOf(eventId, n)).toHaveLength(1)
    },
    RACE_TIMEOUT_MS,
  )
})

describe('crossing sets of seats', () => {
  test(
    'nobody is shown a deadlock, and every set is whole or not at all',
    async () => {
      const gate = withoutRedis()
      const eventId = await anEvent(t.db, { seats: 6 })
      const sets = [
        [0, 1, 2],
        [2, 1, 0],
        [1, 3],
        [3, 0],
        [5, 0],
        [4, 2, 5],
      ]
      const people = await buyers(t.db, 60)
      const outcomes = await Promise.all(
        people.map((accountId, i) => holdSeats(gate, { eventId, accountId, seats: sets[i % sets.length]! })),
      )
      gate.close()
      for (const outcome of outcomes)
        if (!outcome.ok) expect(outcome.refusal).toBeOneOf(['seat_taken', 'seat_locked'])
      const held = await t.db.select().from(seats).where(eq(seats.eventId, eventId))
      for (const outcome of outcomes)
        if (outcome.ok)
          for (const { n } of outcome.booking.seats)
            expect(held.find((seat) => seat.n === n)?.bookingId).toBe(outcome.booking.id)
    },
    RACE_TIMEOUT_MS,
  )
})

describe("a buyer's limit", () => {
  test(
    'holds when one buyer asks from many tabs at once',
    async () => {
      const gate = withoutRedis()
      const eventId = await anEvent(t.db, { seats: 40, maxSeatsPerBuyer: 5 })
      const accountId = await aBuyer(t.db)
      const outcomes = await Promise.all(
        Array.from({ length: 40 }, (_, n) => holdSeats(gate, { eventId, accountId, seats: [n] })),
      )
      gate.close()
      expect(winners(outcomes)).toBe(5)
      expect(new Set(outcomes.filter(({ ok }) => !ok).map(refusalOf))).toEqual(
        new Set(['buyer_limit_reached']),
      )
    },
    RACE_TIMEOUT_MS,
  )
})

describe('confirm against expiry', () => {
  test(
    'without a repeated precondition a paid booking is undone',
    async () => {
      const unguarded = await openTestLedger()
      const eventId = await anEvent(unguarded.db)
      const booking = await aHold(unguarded.gate, { eventId })
      await expireUnguarded(unguarded.db, {
        eventId,
        bookingId: booking.id,
        beforeWriting: async () => {
          await confirmBooking(unguarded.gate, {
            bookingId: booking.id,
            accountId: booking.accountId,
            payment: aCapture(booking),
          })
        },
      })
      const broken = (await runAudit(unguarded)).filter(({ ok }) => !ok).map(({ id }) => id)
      expect(broken).toEqual(expect.arrayContaining(['I2', 'I5', 'I6']))
      await unguarded.close()
    },
    RACE_TIMEOUT_MS,
  )

  test(
    'ends in one state with the money accounted for, at the very edge of the hold',
    async () => {
      const eventId = await anEvent(t.db, { seats: 60 })
      const held = await Promise.all(
        Array.from({ length: 60 }, (_, n) => aHold(t.gate, { eventId, seats: [n] })),
      )
      await Promise.all(
        held.map(async (booking, i) => {
          if (i % 3 > 0) await makeOverdue(booking.id)
          const move = { bookingId: booking.id, accountId: booking.accountId }
          await Promise.all([
            confirmBooking(t.gate, { ...move, payment: aCapture(booking) }),
            expireDueBookings(t.gate),
            i % 2 ? expireDueBookings(t.gate, { limit: 5 }) : releaseBooking(t.gate, move),
            holdSeats(t.gate, { eventId, accountId: held[(i + 1) % 60]!.accountId, seats: [i] }),
          ])
        }),
      )
      await expireDueBookings(t.gate, { limit: 100 })
      for (const { id } of held) {
        const row = (await findBooking(t.db, id))!
        expect(['CONFIRMED', 'EXPIRED', 'CANCELLED']).toContain(row.status)
      }
      const lines = await runAudit(t)
      expect(lines.filter(({ ok }) => !ok)).toEqual([])
    },
    RACE_TIMEOUT_MS,
  )

  test(
    'in the very millisecond of expiry has one end, and the money is accounted for',
    async () => {
      const eventId = await anEvent(t.db, { seats: 40 })
      const held = await Promise.all(
        Array.from({ length: 40 }, (_, n) => aHold(t.gate, { eventId, seats: [n] })),
      )
      const end = new Date(Date.now() + 400)
      await t.db.update(bookings).set({ expiresAt: end }).where(eq(bookings.eventId, eventId))
      // From ten milliseconds before to ten after, two a millisecond, with the sweep and the next buyer at it.
      await Promise.all(
        held.map(async (booking, i) => {
          await Bun.sleep(Math.max(0, end.getTime() - 10 + i / 2 - Date.now()))
          const move = { bookingId: booking.id, accountId: booking.accountId }
          await Promise.all([
            confirmBooking(t.gate, { ...move, payment: aCapture(booking) }),
            expireDueBookings(t.gate),
            holdSeats(t.gate, { eventId, accountId: held[(i + 1) % 40]!.accountId, seats: [i] }),
          ])
        }),
      )
      await expireDueBookings(t.gate, { limit: 100 })
      for (const { id } of held)
        expect((await findBooking(t.db, id))!.status).toBeOneOf(['CONFIRMED', 'EXPIRED'])
      for (let n = 0; n < 40; n++) expect((await liveOf(eventId, n)).length).toBeLessThanOrEqual(1)
      expect((await runAudit(t)).filter(({ ok }) => !ok)).toEqual([])
    },
    RACE_TIMEOUT_MS,
  )

  test(
    'one charge told twenty times at once is booked once',
    async () => {
      const eventId = await anEvent(t.db)
      const booking = await aHold(t.gate, { eventId, seats: [0, 1] })
      const request = { bookingId: booking.id, accountId: booking.accountId, payment: aCapture(booking) }
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => confirmBooking(t.gate, request)))
      expect(outcomes.filter((one) => one.ok && !one.already)).toHaveLength(1)
      expect(outcomes.every(({ ok }) => ok)).toBe(true)
      const made = await t.db.select().from(tickets).where(eq(tickets.bookingId, booking.id))
      expect(made).toHaveLength(2)
    },
    RACE_TIMEOUT_MS,
  )
})
