// Shows what each guard of a hold is worth: with it gone, and only then, a named scenario sells a seat twice, breaks a
// limit, or has somebody wait for nothing.
import { inTransaction } from '../../db/client.ts'
import type { Gate } from '../../db/bookings/gate.ts'
import type { HoldOutcome } from '../../db/bookings/hold-seats.ts'
import { seatLockKey, seatStatusKey } from '../../db/seat-gate/keys.ts'
import { aBuyer, anEvent, buyers } from '../support/a-ledger.ts'
import { describeGuards, harmOf, type Scenario, type Stage } from '../support/guards.ts'
import { NO_NEW_BOOKINGS, standstill } from '../support/standstill.ts'
import type { Cut } from '../support/unguarded-ledger.ts'

const HOLDS = 'bookings/commit-holds.ts'
const ROW_LOCK = 'for no key update of seat skip locked'
const rowLock: Cut = { file: HOLDS, text: `\n    ${ROW_LOCK}` }
const version: Cut = { file: HOLDS, text: 'and seat.version = fence.version' }
const statusInUpdate: Cut = {
  file: HOLDS,
  text: `\n      and seat.status = \${sql.raw(\`'\${SEAT_MOVES.hold.from}'\`)}`,
}
const uniqueIndex: Cut = { index: 'booking_seats_live_key' }
const movedCount: Cut = { file: HOLDS, text: 'moved.length !== taken.length', instead: 'false' }
const luaLock: Cut = {
  file: 'seat-gate/lua/lock-seats.lua',
  text: 'owner and owner ~= token',
  instead: 'false',
}
const luaStatus: Cut = {
  file: 'seat-gate/lua/lock-seats.lua',
  text: `known and GONE[string.match(known, '^%u+') or '']`,
  instead: 'false',
}
const inPostgres: [string, Cut][] = [
  ['row lock', rowLock],
  ['version', version],
  ['status in the UPDATE', statusInUpdate],
  ['unique index', uniqueIndex],
]
const allBut = (name: string) => inPostgres.filter(([other]) => other !== name)

interface Key {
  key: string
  hash: number
}
interface Asked {
  gate: Gate
  accountId: string
  seats: number[]
  key?: Key
}

const answerOf = ({ key, hash }: Key) => ({
  key,
  requestHash: new Uint8Array(32).fill(hash),
  answer: ({ id }: { id: string }) => ({ statusCode: 201, response: { id } }),
})

/** Everybody reads before anybody writes; then all go on at once. */
async function holdTogether({ ledger, t }: Stage, eventId: string, asked: Asked[]): Promise<HoldOutcome[]> {
  const still = await standstill(t, NO_NEW_BOOKINGS)
  try {
    const holds = asked.map(({ gate, accountId, seats, key }) =>
      ledger
        .holdSeats(gate, {
          eventId,
          accountId,
          seats,
          ...(key && { idempotency: answerOf(key) }),
        })
        .catch((fault: unknown): HoldOutcome => {
          if (fault instanceof Error && fault.message.includes('disagree under lock'))
            return { ok: false, refusal: 'seat_taken', seats, stage: 'version' }
          throw fault
        }),
    )
    // Whoever is refused at once does not come to wait.
    await still.waiting(asked.length, Promise.race(holds))
    await still.end()
    return await Promise.all(holds)
  } finally {
    await still.end()
  }
}

const winnersAmong = (outcomes: HoldOutcome[]) => outcomes.filter(({ ok }) => ok).length

/** Two processes, one seat, the same moment. */
const oneSeat =
  (among: 'servers' | 'alone'): Scenario =>
  async (stage) => {
    const eventId = await anEvent(stage.db)
    const people = await buyers(stage.db, 2)
    const asked = people.map((accountId, i) => ({ gate: stage[among][i]!, accountId, seats: [0] }))
    const won = winnersAmong(await holdTogether(stage, eventId, asked))
    const harm = await harmOf(stage.db)
    return won > 1 ? `sold to ${won}: ${harm}` : harm
  }

/** A batch, as one process makes it of what arrives while the last one is under way. */
async function batch(
  { ledger, db }: Stage,
  eventId: string,
  asked: { accountId: string; seats: number[]; key?: Key }[],
): Promise<HoldOutcome[]> {
  const holds = asked.map(({ key, ...one }) => ({
    ...one,
    eventId,
    bookingId: Bun.randomUUIDv7(),
    ...(key && { idempotency: answerOf(key) }),
  }))
  const decided = await inTransaction(db, (tx) => ledger.commitHolds(tx, holds))
  return decided.map(({ outcome }) => outcome)
}

const oneSeatInPostgres = oneSeat('alone')
const twoInABatch: Scenario = async (stage) => {
  const eventId = await anEvent(stage.db)
  const [a, b] = await buyers(stage.db, 2)
  const outcomes = await batch(stage, eventId, [
    { accountId: a!, seats: [0, 1] },
    { accountId: b!, seats: [1, 2] },
  ])
  const harm = await harmOf(stage.db)
  return winnersAmong(outcomes) > 1 ? `one seat for both: ${harm}` : harm
}

const limitInABatch: Scenario = async (stage) => {
  const eventId = await anEvent(stage.db, { maxSeatsPerBuyer: 2 })
  const accountId = await aBuyer(stage.db)
  await batch(stage, eventId, [
    { accountId, seats: [0, 1] },
    { accountId, seats: [2, 3] },
  ])
  return harmOf(stage.db)
}

const limitOfTwoTabs: Scenario = async (stage) => {
  const eventId = await anEvent(stage.db, { maxSeatsPerBuyer: 2 })
  const accountId = await aBuyer(stage.db)
  await holdTogether(stage, eventId, [
    { gate: stage.servers[0], accountId, seats: [0, 1] },
    { gate: stage.servers[1], accountId, seats: [2, 3] },
  ])
  return harmOf(stage.db)
}

/** Somebody has seat 0 locked and takes their time; a batch asks for seats 0 and 1. */
const hotSeat: Scenario = async (stage) => {
  const eventId = await anEvent(stage.db)
  const people = await buyers(stage.db, 2)
  const still = await standstill(
    stage.t,
    `select 1 from seats where event_id = '${eventId}' and n = 0 for update`,
  )
  try {
    let answered = false
    const asked = people.map((accountId, n) => ({ accountId, seats: [n] }))
    const outcomes = batch(stage, eventId, asked).then((all) => ((answered = true), all))
    await still.waiting(1, outcomes)
    const waited = !answered
    await still.end()
    const all = await outcomes
    if (waited) return 'the buyer of another seat waits for the hot one'
    return winnersAmong(all) === 1 ? null : 'the free seat was not held'
  } finally {
    await still.end()
  }
}

const oneKeyTwice =
  (hashes: [number, number]): Scenario =>
  async (stage) => {
    const eventId = await anEvent(stage.db)
    const accountId = await aBuyer(stage.db)
    const outcomes = await holdTogether(
      stage,
      eventId,
      hashes.map((hash, i) => ({
        gate: stage.alone[i]!,
        accountId,
        seats: [i],
        key: { key: 'once', hash },
      })),
    )
    const won = winnersAmong(outcomes)
    return won === 1 ? null : `${won} holds for one Idempotency-Key`
  }

const oneKeyInABatch: Scenario = async (stage) => {
  const eventId = await anEvent(stage.db)
  const accountId = await aBuyer(stage.db)
  const key = { key: 'once', hash: 1 }
  const asked = [
    { accountId, seats: [0], key },
    { accountId, seats: [0], key },
    { accountId, seats: [1], key },
  ]
  const outcomes = await batch(stage, eventId, asked).catch((fault: unknown) => {
    if (fault instanceof Error && fault.constructor.name === 'AnswerKept') return []
    throw fault
  })
  const won = winnersAmong(outcomes)
  return won > 1 ? `${won} holds for one Idempotency-Key` : null
}

/** Postgres is not there: only what Redis knows can refuse. */
const refusedByRedis =
  (write: (stage: Stage, eventId: string) => Promise<unknown>): Scenario =>
  async (stage) => {
    const eventId = await anEvent(stage.db)
    await write(stage, eventId)
    const db = new Proxy(stage.db, {
      get: () => {
        throw new Error('Postgres was asked')
      },
    })
    const outcome = await stage.ledger
      .holdSeats({ ...stage.servers[0], db }, { eventId, accountId: Bun.randomUUIDv7(), seats: [0] })
      .catch((fault: Error) => fault.message)
    return outcome === 'Postgres was asked' ? 'Postgres is asked for a seat that is not to be had' : null
  }

const foreignUnlock: Scenario = async ({ ledger, t: { redis } }) => {
  const seat = { eventId: Bun.randomUUIDv7(), seats: [0] }
  await ledger.lockSeats(redis, { ...seat, token: 'paused' })
  // Five seconds later.
  await redis.del(seatLockKey(seat.eventId, 0))
  await ledger.lockSeats(redis, { ...seat, token: 'second' })
  await ledger.unlockSeats(redis, { ...seat, token: 'paused' })
  const { locked } = await ledger.lockSeats(redis, { ...seat, token: 'third' })
  return locked ? 'a third is let in while the second is at the seat' : null
}

const lateSettle: Scenario = async ({ ledger, t: { redis } }) => {
  const eventId = Bun.randomUUIDv7()
  await ledger.settleSeats(redis, eventId, [{ n: 0, status: 'SOLD', version: 2 }])
  await ledger.settleSeats(redis, eventId, [
    { n: 0, status: 'RESERVED', version: 1, expiresAtMs: Date.now() + 60_000 },
  ])
  const cached = await redis.get(seatStatusKey(eventId, 0))
  return cached === 'SOLD:2' ? null : `I7 broken: the cache says ${cached} of a seat that is SOLD:2`
}

const ONE_SEAT = 'two processes ask for one seat, both read before either writes'
const TWICE = /^sold to 2: .*I1 broken|^sold to 2/

describeGuards('The guards of a hold', [
  {
    guard: 'row lock (SKIP LOCKED)',
    at: HOLDS,
    cut: rowLock,
    covers: allBut('row lock'),
    story: ONE_SEAT,
    scenario: oneSeatInPostgres,
    harm: TWICE,
  },
  {
    guard: 'version in the UPDATE',
    at: HOLDS,
    cut: version,
    covers: allBut('version'),
    story: ONE_SEAT,
    scenario: oneSeatInPostgres,
    harm: TWICE,
  },
  {
    guard: 'status in the UPDATE',
    at: HOLDS,
    cut: statusInUpdate,
    covers: allBut('status in the UPDATE'),
    story: ONE_SEAT,
    scenario: oneSeatInPostgres,
    harm: TWICE,
  },
  {
    guard: 'count of the seats that moved',
    at: HOLDS,
    cut: movedCount,
    covers: [
      ['row lock', rowLock],
      ['unique index', uniqueIndex],
    ],
    story: ONE_SEAT,
    scenario: oneSeatInPostgres,
    harm: TWICE,
  },
  {
    guard: 'unique index of live seats',
    at: 'schema, booking_seats_live_key',
    cut: uniqueIndex,
    covers: allBut('unique index'),
    story: ONE_SEAT,
    scenario: oneSeatInPostgres,
    harm: TWICE,
  },
  {
    guard: 'Lua lock',
    at: 'lua/lock-seats.lua',
    cut: luaLock,
    covers: inPostgres,
    story: `${ONE_SEAT}, Redis there`,
    scenario: oneSeat('servers'),
    harm: TWICE,
  },
  {
    guard: 'Lua lock, as what spares Postgres',
    at: 'lua/lock-seats.lua',
    cut: luaLock,
    story: 'a seat that another request is at is asked for',
    scenario: refusedByRedis((stage, eventId) =>
      stage.t.redis.set(seatLockKey(eventId, 0), 'another', 'PX', 60_000),
    ),
    harm: /Postgres is asked/,
  },
  {
    guard: 'Lua status check',
    at: 'lua/lock-seats.lua',
    cut: luaStatus,
    story: 'a seat known to be sold is asked for',
    scenario: refusedByRedis((stage, eventId) => stage.t.redis.set(seatStatusKey(eventId, 0), 'SOLD:2')),
    harm: /Postgres is asked/,
  },
  {
    guard: 'owner of a Lua lock',
    at: 'lua/settle-seats.lua',
    cut: {
      file: 'seat-gate/lua/settle-seats.lua',
      text: `and redis.call('GET', KEYS[1 + count + i]) == token`,
    },
    story: 'a process that was paused past its lock unlocks, while the next one is at the seat',
    scenario: foreignUnlock,
    harm: /a third is let in/,
  },
  {
    guard: 'version in the cache',
    at: 'lua/settle-seats.lua',
    cut: { file: 'seat-gate/lua/settle-seats.lua', text: 'return version >= known', instead: 'return true' },
    story: 'what a hold tells the cache comes after what its sale told',
    scenario: lateSettle,
    harm: /I7 broken/,
  },
  {
    guard: "buyer's advisory lock",
    at: HOLDS,
    cut: { file: HOLDS, text: 'lockBuyers(tx, buyers),', instead: 'Promise.resolve(),' },
    story: 'one buyer asks in two processes, both count before either writes',
    scenario: limitOfTwoTabs,
    harm: /I11 broken/,
  },
  {
    guard: "a buyer's seats counted within a batch",
    at: HOLDS,
    cut: { file: HOLDS, text: 'read.held.set(buyer, (read.held.get(buyer) ?? 0) + rows.length)' },
    story: 'one buyer asks twice in one batch',
    scenario: limitInABatch,
    harm: /I11 broken/,
  },
  {
    guard: 'seats taken within a batch',
    at: HOLDS,
    cut: {
      file: HOLDS,
      text: 'Object.assign(row, { status: SEAT_MOVES.hold.to, bookingId, version: row.version + 1, expiresAt })',
      instead: 'void [row, expiresAt]',
    },
    covers: [
      ['unique index', uniqueIndex],
      ['count of the seats that moved', movedCount],
    ],
    story: 'two requests of one batch want one seat',
    scenario: twoInABatch,
    harm: /one seat for both: .*I1 broken/,
  },
  {
    guard: 'SKIP LOCKED',
    at: HOLDS,
    cut: { file: HOLDS, text: ROW_LOCK, instead: 'for no key update of seat' },
    story: 'a batch asks for a seat that somebody has locked, and for a free one',
    scenario: hotSeat,
    harm: /waits for the hot one/,
  },
  {
    guard: 'AnswerKept (a retry)',
    at: HOLDS,
    cut: {
      file: HOLDS,
      text: "throw new AnswerKept(same ? 'idempotency_in_progress' : 'idempotency_key_reused')",
      instead: 'return void same',
    },
    story: 'one request comes to two processes at once, without Redis',
    scenario: oneKeyTwice([1, 1]),
    harm: /2 holds for one Idempotency-Key/,
  },
  {
    guard: 'AnswerKept (another body)',
    at: HOLDS,
    cut: {
      file: HOLDS,
      text: "throw new AnswerKept(same ? 'idempotency_in_progress' : 'idempotency_key_reused')",
      instead: 'return void same',
    },
    story: 'two requests with one key come to two processes at once, without Redis',
    scenario: oneKeyTwice([1, 2]),
    harm: /2 holds for one Idempotency-Key/,
  },
  {
    guard: 'one answer a key within a batch',
    at: HOLDS,
    cut: { file: HOLDS, text: '!kept.delete(', instead: '!kept.has(' },
    story: 'one request comes twice to one process, without Redis, and shares a batch with itself',
    scenario: oneKeyInABatch,
    harm: /2 holds for one Idempotency-Key/,
  },
])
