// Shows what each guard of a hold is worth: with it gone, and only then, a named scenario sells a seat twice, breaks a
// limit, or has somebody wait for nothing.
import { inTransaction, postgresCode } from '../../db/client.ts'
import type { Gate } from '../../db/bookings/gate.ts'
import type { HoldOutcome } from '../../db/bookings/hold-seats.ts'
import { seatLockKey, seatStatusKey } from '../../db/seat-gate/keys.ts'
import { aBuyer, anEvent, buyers } from '../support/a-ledger.ts'
import { describeGuards, harmOf, type GuardCase, type Scenario, type Stage } from '../support/guards.ts'
import { NO_NEW_BOOKINGS, standstill } from '../support/standstill.ts'
import type { Cut } from '../support/unguarded-ledger.ts'

const HOLDS = 'bookings/commit-holds.ts'
const TOGETHER = 'bookings/commit-together.ts'
const ROW_LOCK = 'for no key update of seat skip locked'

/** The same guards stand on both ways of a hold: in its one statement, and in the transaction of the long way. */
interface Way {
  /** Whether the statement or the transaction decides. */
  plain: boolean
  what: string
  reads: string
  writes: string
  rowLock: Cut
  version: Cut
  statusInUpdate: Cut
  movedCount: Cut
  buyerLock: Cut
}
const TAKE = 'bookings/take-free-seats.ts'
const plainWay: Way = {
  plain: true,
  what: '',
  reads: TAKE,
  writes: TAKE,
  rowLock: { file: TAKE, text: ` ${ROW_LOCK}` },
  version: { file: TAKE, text: ' and seat.version = won.version' },
  statusInUpdate: {
    file: TAKE,
    text: '\n        and seat.status = ${free}\n      returning',
    instead: '\n      returning',
  },
  movedCount: {
    file: TAKE,
    text: '1 / ((select count(*) from moved) = (select count(*) from won))::int',
    instead: '1 / (select count(*) + 1 from moved)',
  },
  buyerLock: { file: TAKE, text: 'pg_advisory_xact_lock(key) is not null', instead: 'true' },
}
const READS = 'bookings/lock-for-holds.ts'
const WRITES = 'bookings/write-holds.ts'
const longWay: Way = {
  plain: false,
  what: ', the long way',
  reads: READS,
  writes: WRITES,
  rowLock: { file: READS, text: `\n    ${ROW_LOCK}` },
  version: { file: WRITES, text: 'and seat.version = fence.version' },
  statusInUpdate: {
    file: WRITES,
    text: `\n      and seat.status = \${sql.raw(\`'\${SEAT_MOVES.hold.from}'\`)}`,
  },
  movedCount: { file: WRITES, text: 'moved.length !== taken.length', instead: 'false' },
  buyerLock: { file: READS, text: 'lockBuyers(tx, buyers),', instead: 'Promise.resolve(),' },
}
const uniqueIndex: Cut = { index: 'booking_seats_live_key' }
const luaLock: Cut = {
  file: 'seat-gate/lua/lock-seats.lua',
  text: 'owner and owner ~= token',
  instead: 'false',
}
const luaStatus: Cut = {
  file: 'seat-gate/lua/lock-seats.lua',
  text: `status and GONE[string.match(status, '^%u+') or '']`,
  instead: 'false',
}
const inPostgres = ({ rowLock, version, statusInUpdate }: Way): [string, Cut][] => [
  ['row lock', rowLock],
  ['version', version],
  ['status in the UPDATE', statusInUpdate],
  ['unique index', uniqueIndex],
]
const allBut = (way: Way, name: string) => inPostgres(way).filter(([other]) => other !== name)

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

/** Nobody who holds for these can end; all that comes before is done. */
const noEndFor = (accounts: string[]) =>
  `select 1 from accounts where id in (${accounts.map((id) => `'${id}'`).join(', ')}) for update`

const refusedAs = (refusal: 'seat_taken' | 'seat_locked', seats: number[]): HoldOutcome => ({
  ok: false,
  refusal,
  seats,
  stage: 'version',
})

/** One request, on the way that is looked at. */
async function ask(
  { ledger }: Stage,
  { plain }: Way,
  eventId: string,
  { gate, accountId, seats, key }: Asked,
): Promise<HoldOutcome> {
  const request = { eventId, accountId, seats, ...(key && { idempotency: answerOf(key) }) }
  if (plain) return ledger.holdSeats(gate, request)
  const hold = { ...request, bookingId: Bun.randomUUIDv7() }
  try {
    const [decided] = await inTransaction(gate.db, (tx) => ledger.commitHolds(tx, [hold]))
    return decided!.outcome
  } catch (fault) {
    if (fault instanceof Error && fault.message.includes('disagree under lock'))
      return refusedAs('seat_taken', seats)
    if (postgresCode(fault) === '23505') return refusedAs('seat_taken', seats)
    throw fault
  }
}

/** Everybody reads before anybody can end; then all go on at once. */
async function holdTogether(stage: Stage, way: Way, eventId: string, asked: Asked[]): Promise<HoldOutcome[]> {
  const accounts = [...new Set(asked.map(({ accountId }) => accountId))]
  const still = await standstill(stage.t, way.plain ? noEndFor(accounts) : NO_NEW_BOOKINGS)
  try {
    const holds = asked.map((one) => ask(stage, way, eventId, one))
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
  (way: Way, among: 'servers' | 'alone'): Scenario =>
  async (stage) => {
    const eventId = await anEvent(stage.db)
    const people = await buyers(stage.db, 2)
    const asked = people.map((accountId, i) => ({ gate: stage[among][i]!, accountId, seats: [0] }))
    const won = winnersAmong(await holdTogether(stage, way, eventId, asked))
    const harm = await harmOf(stage.db)
    return won > 1 ? `sold to ${won}: ${harm}` : harm
  }

/** A batch, as one process makes it of what arrives while the last one is under way. */
async function batch(
  { ledger, db, alone }: Stage,
  eventId: string,
  asked: { accountId: string; seats: number[]; key?: Key }[],
  by: 'transaction' | 'statement' | 'both' = 'transaction',
): Promise<HoldOutcome[]> {
  const holds = asked.map(({ key, ...one }) => ({
    ...one,
    eventId,
    bookingId: Bun.randomUUIDv7(),
    ...(key && { idempotency: answerOf(key) }),
  }))
  if (by === 'statement') {
    const taken = await ledger.takeFreeSeats(db, holds)
    return taken.map((answer, i) => answer?.outcome ?? refusedAs('seat_locked', holds[i]!.seats))
  }
  const decided =
    by === 'both'
      ? await Promise.all(await ledger.commitTogether(alone[0], holds))
      : await inTransaction(db, (tx) => ledger.commitHolds(tx, holds))
  return decided.map(({ outcome }) => outcome)
}

const oneSeatInPostgres = new Map([plainWay, longWay].map((way) => [way, oneSeat(way, 'alone')] as const))
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

const limitInABatch =
  (by: 'transaction' | 'both'): Scenario =>
  async (stage) => {
    const eventId = await anEvent(stage.db, { maxSeatsPerBuyer: 2 })
    const accountId = await aBuyer(stage.db)
    const asked = [
      { accountId, seats: [0, 1] },
      { accountId, seats: [2, 3] },
    ]
    await batch(stage, eventId, asked, by)
    return harmOf(stage.db)
  }

const limitOfTwoTabs =
  (way: Way): Scenario =>
  async (stage) => {
    const eventId = await anEvent(stage.db, { maxSeatsPerBuyer: 2 })
    const accountId = await aBuyer(stage.db)
    await holdTogether(stage, way, eventId, [
      { gate: stage.servers[0], accountId, seats: [0, 1] },
      { gate: stage.servers[1], accountId, seats: [2, 3] },
    ])
    return harmOf(stage.db)
  }

/** Somebody has seat 0 locked and takes their time; a batch asks for seats 0 and 1. */
const hotSeat =
  (by: 'transaction' | 'statement'): Scenario =>
  async (stage) => {
    const eventId = await anEvent(stage.db)
    const people = await buyers(stage.db, 2)
    const still = await standstill(
      stage.t,
      `select 1 from seats where event_id = '${eventId}' and n = 0 for update`,
    )
    try {
      let answered = false
      const asked = people.map((accountId, n) => ({ accountId, seats: [n] }))
      const outcomes = batch(stage, eventId, asked, by).then((all) => ((answered = true), all))
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
      plainWay,
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
  await ledger.settleSeats(redis, seat.eventId, [], [{ n: 0, token: 'paused' }])
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

const guardsOf = (way: Way): GuardCase[] => {
  const one = { story: `${ONE_SEAT}${way.what}`, scenario: oneSeatInPostgres.get(way)!, harm: TWICE }
  return [
    {
      guard: `row lock (SKIP LOCKED)${way.what}`,
      at: way.reads,
      cut: way.rowLock,
      covers: allBut(way, 'row lock'),
      ...one,
    },
    {
      guard: `version in the UPDATE${way.what}`,
      at: way.writes,
      cut: way.version,
      covers: allBut(way, 'version'),
      ...one,
    },
    {
      guard: `status in the UPDATE${way.what}`,
      at: way.writes,
      cut: way.statusInUpdate,
      covers: allBut(way, 'status in the UPDATE'),
      ...one,
    },
    {
      guard: `count of the seats that moved${way.what}`,
      at: way.writes,
      cut: way.movedCount,
      covers: [
        ['row lock', way.rowLock],
        ['unique index', uniqueIndex],
      ],
      ...one,
    },
    {
      guard: `unique index of live seats${way.what}`,
      at: 'schema, booking_seats_live_key',
      cut: uniqueIndex,
      covers: allBut(way, 'unique index'),
      ...one,
    },
    {
      guard: `buyer's advisory lock${way.what}`,
      at: way.reads,
      cut: way.buyerLock,
      story: `one buyer asks in two processes, both count before either writes${way.what}`,
      scenario: limitOfTwoTabs(way),
      harm: /I11 broken/,
    },
    {
      guard: `SKIP LOCKED${way.what}`,
      at: way.reads,
      cut: { file: way.reads, text: ROW_LOCK, instead: 'for no key update of seat' },
      story: `a batch asks for a seat that somebody has locked, and for a free one${way.what}`,
      scenario: hotSeat(way.plain ? 'statement' : 'transaction'),
      harm: /waits for the hot one/,
    },
  ]
}

describeGuards('The guards of a hold', [
  ...guardsOf(plainWay),
  ...guardsOf(longWay),
  {
    guard: 'a count that sees what was committed meanwhile',
    at: 'schema, live_seats_of_buyer',
    cut: { function: 'live_seats_of_buyer(uuid, uuid)' },
    story: 'one buyer asks in two processes, the second counts when the first has its seats',
    scenario: limitOfTwoTabs(plainWay),
    harm: /I11 broken/,
  },
  {
    guard: 'one request a buyer in a statement',
    at: TOGETHER,
    cut: { file: TOGETHER, text: 'return !meets', instead: 'return true' },
    story: 'one buyer asks twice at the same moment',
    scenario: limitInABatch('both'),
    harm: /I11 broken/,
  },
  {
    guard: 'Lua lock',
    at: 'lua/lock-seats.lua',
    cut: luaLock,
    covers: inPostgres(plainWay),
    story: `${ONE_SEAT}, Redis there`,
    scenario: oneSeat(plainWay, 'servers'),
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
      text: `and known[KEYS[1 + count + i]] == token`,
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
    guard: "a buyer's seats counted within a batch",
    at: HOLDS,
    cut: { file: HOLDS, text: 'read.held.set(buyer, (read.held.get(buyer) ?? 0) + rows.length)' },
    story: 'one buyer asks twice in one batch',
    scenario: limitInABatch('transaction'),
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
      ['count of the seats that moved', longWay.movedCount],
    ],
    story: 'two requests of one batch want one seat',
    scenario: twoInABatch,
    harm: /one seat for both: .*I1 broken/,
  },
  {
    guard: 'AnswerKept (a retry)',
    at: WRITES,
    cut: {
      file: WRITES,
      text: "throw new AnswerKept(same ? 'idempotency_in_progress' : 'idempotency_key_reused')",
      instead: 'return void same',
    },
    story: 'one request comes to two processes at once, without Redis',
    scenario: oneKeyTwice([1, 1]),
    harm: /2 holds for one Idempotency-Key/,
  },
  {
    guard: 'AnswerKept (another body)',
    at: WRITES,
    cut: {
      file: WRITES,
      text: "throw new AnswerKept(same ? 'idempotency_in_progress' : 'idempotency_key_reused')",
      instead: 'return void same',
    },
    story: 'two requests with one key come to two processes at once, without Redis',
    scenario: oneKeyTwice([1, 2]),
    harm: /2 holds for one Idempotency-Key/,
  },
  {
    guard: 'one answer a key within a batch',
    at: WRITES,
    cut: { file: WRITES, text: '!kept.delete(', instead: '!kept.has(' },
    story: 'one request comes twice to one process, without Redis, and shares a batch with itself',
    scenario: oneKeyInABatch,
    harm: /2 holds for one Idempotency-Key/,
  },
])
