// Holds the audit to its purpose: each invariant finds the violation planted for it, and nothing else is blamed.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { sql, type SQL } from 'drizzle-orm'
import { auditedRoomKey, AUDITED_ROOM_KEYS, busiestMinute } from '../../db/audit/room-checks.ts'
import { createRoundAudit } from '../../db/audit/rounds.ts'
import { runAudit, type AuditLine } from '../../db/audit.ts'
import { confirmBooking } from '../../db/bookings/confirm-booking.ts'
import { rooms } from '../../db/schema.ts'
import { seatStatusKey } from '../../db/seat-gate/keys.ts'
import { reconcileSeats } from '../../db/seat-gate/reconcile.ts'
import { roomKeys } from '../../server/room/keys.ts'
import {
  aCapture,
  aHold,
  anEvent,
  openTestLedger,
  STORES_WITHIN_MS,
  type TestLedger,
} from '../support/a-ledger.ts'

const AUDITS_WITHIN_MS = 60_000
let t: TestLedger
let eventId: string
let paid: { id: string; accountId: string }

beforeAll(async () => {
  t = await openTestLedger()
  eventId = await anEvent(t.db, { seats: 20, maxSeatsPerBuyer: 4 })
  const booking = await aHold(t.gate, { eventId, seats: [0, 1] })
  await confirmBooking(t.gate, {
    bookingId: booking.id,
    accountId: booking.accountId,
    payment: aCapture(booking),
  })
  paid = booking
  await aHold(t.gate, { eventId, seats: [2] })
  await t.db.insert(rooms).values({ eventId, enabled: true })
  // Constraints that stand in the way of what is planted: the audit must not lean on them.
  for (const statement of [
    'drop index booking_seats_live_key',
    'drop index tickets_valid_seat_key',
    'alter table seats drop constraint seats_status_booking',
  ])
    await t.db.execute(sql.raw(statement))
}, STORES_WITHIN_MS)
afterAll(() => t.close(), STORES_WITHIN_MS)

const brokenIn = (lines: AuditLine[]) => lines.filter(({ ok }) => !ok).map(({ id }) => id)
/** By the audit of everything, and by the one that goes round, which has to find the same. */
async function broken(): Promise<string[]> {
  const found = brokenIn(await runAudit(t))
  expect(brokenIn(await createRoundAudit(t)())).toEqual(found)
  return found
}

/** Plants, looks, and takes it out again. */
async function planted(plant: SQL, undo: SQL): Promise<string[]> {
  await t.db.execute(plant)
  await reconcileSeats(t, eventId)
  const found = await broken()
  await t.db.execute(undo)
  await reconcileSeats(t, eventId)
  return found
}

test('finds nothing on good stores, and names twelve invariants in order', async () => {
  const lines = await runAudit(t)
  expect(lines.map(({ id }) => id)).toEqual(Array.from({ length: 12 }, (_, i) => `I${i + 1}`))
  expect(lines.filter(({ ok }) => !ok)).toEqual([])
})

const live = sql`(select id from bookings where status = 'PENDING' limit 1)`
const plants: [id: string, plant: () => SQL, undo: () => SQL][] = [
  [
    'I1',
    () => sql`insert into booking_seats values (${eventId}, ${live}, 0, 0, true)`,
    () => sql`delete from booking_seats where booking_id = ${live} and n = 0`,
  ],
  [
    'I2',
    () =>
      sql`update seats set status = 'AVAILABLE', booking_id = null, version = version + 1 where event_id = ${eventId} and n = 2`,
    () =>
      sql`update seats set status = 'RESERVED', booking_id = ${live}, version = version + 1 where event_id = ${eventId} and n = 2`,
  ],
  [
    'I3',
    () => sql`update bookings set expires_at = now() - interval '11 seconds' where status = 'PENDING'`,
    () => sql`update bookings set expires_at = now() + interval '5 minutes' where status = 'PENDING'`,
  ],
  [
    'I4',
    () => sql`update bookings set total = total + 1 where status = 'PENDING'`,
    () => sql`update bookings set total = total - 1 where status = 'PENDING'`,
  ],
  [
    'I5',
    () => sql`update payments set refunded = 1 where booking_id = ${paid.id}`,
    () => sql`update payments set refunded = 0 where booking_id = ${paid.id}`,
  ],
  [
    'I6',
    () => sql`update tickets set status = 'REFUNDED' where booking_id = ${paid.id} and n = 1`,
    () => sql`update tickets set status = 'VALID' where booking_id = ${paid.id} and n = 1`,
  ],
  [
    'I11',
    () => sql`update events set max_seats_per_buyer = 1 where id = ${eventId}`,
    () => sql`update events set max_seats_per_buyer = 4 where id = ${eventId}`,
  ],
  [
    'I12',
    () => sql`update outbox set created_at = now() - interval '61 seconds'`,
    () => sql`update outbox set created_at = now()`,
  ],
]

for (const [id, plant, undo] of plants)
  test(
    `finds a broken ${id}`,
    async () => {
      expect(await planted(plant(), undo())).toContain(id)
      expect(await broken()).toEqual([])
    },
    AUDITS_WITHIN_MS,
  )

test(
  'finds a broken I7, and waits for one that is being put right',
  async () => {
    await t.redis.set(seatStatusKey(eventId, 0), 'AVAILABLE:1')
    expect(await broken()).toEqual(['I7'])
    const looking = broken()
    await reconcileSeats(t, eventId)
    expect(await looking).toEqual([])
  },
  AUDITS_WITHIN_MS,
)

const key = (name: (typeof AUDITED_ROOM_KEYS)[number]) => auditedRoomKey(eventId, name)
const entrant = (number: number, place: number, flag: string) => `${number}:${place}:${flag}:0:0::`

test('finds a broken I8, I9 and I10 in the room', async () => {
  await t.redis.hset(key('meta'), { serving: 2, arrivals: 5 })
  await t.redis.hset(key('settings'), { activeMax: 1, admitPerMinute: '' })
  await t.redis.hset(key('entrants'), { a: entrant(0, 0, 'a'), b: entrant(1, 1, 'w'), c: entrant(2, 2, 'w') })
  expect(await broken()).toEqual([])

  const later = Date.now() + 60_000
  await t.redis.zadd(key('active'), later, 'a', later, 'b')
  expect(await broken()).toEqual(['I8'])
  await t.redis.zrem(key('active'), 'b')

  await t.redis.hset(key('settings'), { admitPerMinute: '3' })
  await t.redis.hset(key('admissions'), { '1000': 2, '1239': 2 })
  expect(await broken()).toEqual(['I8'])
  await t.redis.del(key('admissions'))

  await t.redis.hset(key('entrants'), { d: entrant(1, 1, 'w') })
  expect(await broken()).toEqual(['I9'])
  await t.redis.hdel(key('entrants'), 'd')

  await t.redis.hset(key('entrants'), { c: entrant(2, 2, 'a') })
  expect(await broken()).toEqual(['I10'])
  await t.redis.hdel(key('entrants'), 'c')
  expect(await broken()).toEqual([])
})

test('counts the busiest minute by quarter seconds', () => {
  expect(busiestMinute({})).toBe(0)
  expect(busiestMinute({ '0': '2', '239': '3', '240': '4' })).toBe(7)
})

test('reads the room by the names the room uses', () => {
  const known = roomKeys(eventId)
  for (const name of AUDITED_ROOM_KEYS) expect(known).toContain(auditedRoomKey(eventId, name))
})

test('an audit without time looks at one event a run, remembers what it found, and comes back to it first', async () => {
  const others = [await anEvent(t.db, { seats: 10 }), await anEvent(t.db, { seats: 10 })]
  const booking = await aHold(t.gate, { eventId: others[1]!, seats: [0] })
  await t.db.execute(sql`update bookings set total = total + 1 where id = ${booking.id}`)
  const run = createRoundAudit(t, { budgetMs: 0 })
  const runs = [await run(), await run(), await run(), await run()]
  const I4 = runs.map((lines) => lines.find(({ id }) => id === 'I4')!)
  // Found in one of the first three, since there are three events, and told from then on.
  expect(I4.at(2)!.violations).toBe(1)
  expect(I4.at(3)!.violations).toBe(1)
  expect(I4.map(({ since }) => since !== undefined)).toEqual([false, false, true, true])
  await t.db.execute(sql`update bookings set total = total - 1 where id = ${booking.id}`)
  expect(brokenIn(await run())).toEqual([])
})
