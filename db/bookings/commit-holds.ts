// Decides, under lock and for many requests in one transaction, which of them get their seats; each is all or none.
//
// Every statement works on the whole set, so that a transaction of a hundred holds takes as many round trips as one.
// Seats are locked without waiting: whoever has one of them locked is moving it at this moment.
import { sql } from 'drizzle-orm'
import type { Tx } from '../client.ts'
import { findAnswer, storeAnswers } from '../idempotency.ts'
import { BOOKING_MOVES, SEAT_MOVES, type SeatStatus } from '../lifecycle.ts'
import { bookings, bookingSeats, bookingTimeline, events, seats, sections, tiers } from '../schema.ts'
import { listOf, statement } from '../statement.ts'
import { takeOverdueSeats } from './expire-bookings.ts'
import type { MovedSeat } from './gate.ts'
import { isOver } from './hold-clock.ts'
import type { HoldOutcome, HoldRequest } from './hold-seats.ts'
import type { BookingRow } from './read-bookings.ts'
import { lockBuyers, type SeatLabel } from './rows.ts'

/** `seats` are distinct and ascending. */
export type Hold = HoldRequest & { bookingId: string }

export interface Committed {
  outcome: HoldOutcome
  /** What the cache may be told of the seats afterwards, whether held or refused. */
  known: MovedSeat[]
}

/** The key of a request had an answer already; the transaction must not stand. */
export class AnswerKept extends Error {
  constructor(readonly refusal: 'idempotency_in_progress' | 'idempotency_key_reused') {
    super('the key has an answer already')
  }
}

interface SeatRow extends SeatLabel {
  eventId: string
  status: SeatStatus
  version: number
  bookingId: string | null
  price: number
  expiresAt: Date | null
}
interface EventFacts {
  name: string
  onSale: boolean
  currency: string
  holdSeconds: number
  maxSeatsPerBooking: number
  maxSeatsPerBuyer: number
  seatCount: number
}
interface Read {
  events: Map<string, EventFacts>
  /** Those that could be locked, by `seatKey`. */
  seats: Map<string, SeatRow>
  /** Live seats by `buyerKey`; grows as requests of this transaction get theirs. */
  held: Map<string, number>
}
/** A request that gets its seats. */
interface Win {
  hold: Hold
  event: EventFacts
  rows: SeatRow[]
}

const seatKey = (eventId: string, n: number) => `${eventId}:${n}`
const buyerKey = (eventId: string, accountId: string) => `${eventId}/${accountId}`

/**
 * An answer each, in their order; an earlier request comes before a later one that wants the same seat. Throws when
 * anything is not as locked, and AnswerKept when a request's key has an answer: then nothing of it may stand.
 */
export async function commitHolds(tx: Tx, holds: Hold[]): Promise<Committed[]> {
  const read = await lockAndRead(tx, holds)
  await takeOverdue(tx, read)
  const wins: Win[] = []
  const decided = holds.map((hold) => {
    const refused = refuse(read, hold)
    if (refused) return refused
    wins.push(win(read, hold))
    return null
  })
  const won = await write(tx, wins)
  return holds.map((hold, i) => decided[i] ?? won.get(hold)!)
}

const readEvents = statement<'events', EventFacts & { id: string }>(
  (value) => sql`
    select id, name, status = 'PUBLISHED' and starts_at > now() and coalesce(on_sale_at <= now(), true) as "onSale",
      currency, hold_seconds as "holdSeconds", max_seats_per_booking as "maxSeatsPerBooking",
      max_seats_per_buyer as "maxSeatsPerBuyer", seat_count as "seatCount"
    from ${events} where id = any(${value('events')}::uuid[])`,
)

/** Subqueries a row, not a join: a table that was never analysed must not tempt the planner to read all of it. */
const countHeld = statement<'events' | 'accounts', { eventId: string; accountId: string; held: number }>(
  (value) => sql`
    select buyer.event_id as "eventId", buyer.account_id as "accountId", (
      select coalesce(sum((select count(*) from ${bookingSeats} bs
        where bs.event_id = b.event_id and bs.booking_id = b.id and bs.live)), 0)::int
      from ${bookings} b
      where b.event_id = buyer.event_id and b.account_id = buyer.account_id
        and b.status in ('PENDING', 'CONFIRMED')
        and (b.status = 'CONFIRMED' or not ${isOver(sql`b.expires_at`, sql`b.frozen_ms`)})) as held
    from unnest(${value('events')}::uuid[], ${value('accounts')}::uuid[]) as buyer (event_id, account_id)`,
)

const lockSeats = statement<'events' | 'seats', Omit<SeatRow, 'expiresAt'> & { expiresAt: string | null }>(
  (value) => sql`
    select seat.n, section.name as section, seat.row_label as row, seat.seat_label as number, tier.name as tier,
      seat.event_id as "eventId", seat.status, seat.version, seat.booking_id as "bookingId",
      tier.price::float8 as price, (select b.expires_at from ${bookings} b
        where b.event_id = seat.event_id and b.id = seat.booking_id) as "expiresAt"
    from unnest(${value('events')}::uuid[], ${value('seats')}::int[]) as asked (event_id, n)
    join ${seats} seat on seat.event_id = asked.event_id and seat.n = asked.n
    join ${sections} section on section.event_id = seat.event_id and section.id = seat.section_id
    join ${tiers} tier on tier.event_id = seat.event_id and tier.id = seat.tier_id
    order by seat.event_id, seat.n
    for no key update of seat skip locked`,
)

/** One round trip: statements of a transaction follow one another on its connection, each with its own snapshot. */
async function lockAndRead(tx: Tx, holds: Hold[]): Promise<Read> {
  const buyers = distinct(holds, ({ eventId, accountId }) => buyerKey(eventId, accountId))
  const asked = distinct(
    holds.flatMap(({ eventId, seats: wanted }) => wanted.map((n) => ({ eventId, n }))),
    ({ eventId, n }) => seatKey(eventId, n),
  )
  const ofBuyers = {
    events: listOf(buyers.map((b) => b.eventId)),
    accounts: listOf(buyers.map((b) => b.accountId)),
  }
  const [, facts, counts, rows] = await Promise.all([
    lockBuyers(tx, buyers),
    readEvents(tx, { events: listOf([...new Set(holds.map(({ eventId }) => eventId))]) }),
    countHeld(tx, ofBuyers),
    lockSeats(tx, { events: listOf(asked.map((s) => s.eventId)), seats: listOf(asked.map((s) => s.n)) }),
  ])
  const dated = rows.map((row) => ({
    ...row,
    expiresAt: row.expiresAt === null ? null : new Date(row.expiresAt),
  }))
  return {
    events: new Map(facts.map(({ id, ...event }) => [id, event])),
    seats: new Map(dated.map((row) => [seatKey(row.eventId, row.n), row])),
    held: new Map(counts.map((row) => [buyerKey(row.eventId, row.accountId), row.held])),
  }
}

/** Holds that ended, their jobs lost or late, give their seats to whoever asks now. */
async function takeOverdue(tx: Tx, read: Read): Promise<void> {
  const kept = [...read.seats.values()].filter(({ expiresAt }) => expiresAt !== null)
  for (const [eventId, rows] of Map.groupBy(kept, (row) => row.eventId))
    for (const [n, now] of await takeOverdueSeats(tx, eventId, rows)) {
      const row = read.seats.get(seatKey(eventId, n))
      if (row) Object.assign(row, now, { expiresAt: null })
    }
}

const no = (outcome: HoldOutcome, known: MovedSeat[] = []): Committed => ({ outcome, known })

function refuse(read: Read, { eventId, accountId, seats: wanted }: Hold): Committed | null {
  const event = read.events.get(eventId)
  if (!event) return no({ ok: false, refusal: 'not_found' })
  if (!event.onSale) return no({ ok: false, refusal: 'event_not_on_sale' })
  if (wanted.length > event.maxSeatsPerBooking) return no({ ok: false, refusal: 'seats_too_many' })
  if (wanted.at(-1)! >= event.seatCount) return no({ ok: false, refusal: 'not_found' })
  const held = read.held.get(buyerKey(eventId, accountId)) ?? 0
  if (held + wanted.length > event.maxSeatsPerBuyer) return no({ ok: false, refusal: 'buyer_limit_reached' })

  const row = (n: number) => read.seats.get(seatKey(eventId, n))
  const gone = wanted.filter((n) => row(n) && row(n)!.status !== SEAT_MOVES.hold.from)
  if (gone.length > 0) {
    const known = gone.filter((n) => row(n)!.version > 0).map((n) => knownSeat(row(n)!))
    return no({ ok: false, refusal: 'seat_taken', seats: gone, stage: 'version' }, known)
  }
  const busy = wanted.filter((n) => !row(n))
  if (busy.length > 0) return no({ ok: false, refusal: 'seat_locked', seats: busy, stage: 'lock' })
  return null
}

/** Takes the seats in what was read, so that a later request of the same transaction finds them gone. */
function win(read: Read, hold: Hold): Win {
  const { eventId, accountId, bookingId } = hold
  const event = read.events.get(eventId)!
  const rows = hold.seats.map((n) => read.seats.get(seatKey(eventId, n))!)
  const buyer = buyerKey(eventId, accountId)
  read.held.set(buyer, (read.held.get(buyer) ?? 0) + rows.length)
  const before = rows.map((row) => ({ ...row }))
  const expiresAt = new Date(Date.now() + event.holdSeconds * 1_000)
  for (const row of rows)
    Object.assign(row, { status: SEAT_MOVES.hold.to, bookingId, version: row.version + 1, expiresAt })
  return { hold, event, rows: before }
}

const insertBookings = statement<
  'events' | 'bookings' | 'accounts' | 'counts' | 'totals',
  { id: string; createdAt: string; expiresAt: string }
>(
  (value) => sql`
    insert into ${bookings} (event_id, id, account_id, status, seat_count, total, currency, expires_at)
    select made.event_id, made.id, made.account_id, ${sql.raw(`'${BOOKING_MOVES.confirm.from}'`)}::booking_status,
      made.seat_count, made.total, e.currency, now() + make_interval(secs => e.hold_seconds)
    from unnest(${value('events')}::uuid[], ${value('bookings')}::uuid[], ${value('accounts')}::uuid[],
      ${value('counts')}::int[], ${value('totals')}::bigint[]) as made (event_id, id, account_id, seat_count, total)
    join ${events} e on e.id = made.event_id
    returning id, created_at as "createdAt", expires_at as "expiresAt"`,
)

const insertSeats = statement<'events' | 'bookings' | 'seats' | 'prices', never>(
  (value) => sql`
    insert into ${bookingSeats} (event_id, booking_id, n, price)
    select * from unnest(${value('events')}::uuid[], ${value('bookings')}::uuid[], ${value('seats')}::int[],
      ${value('prices')}::bigint[])`,
)

const moveSeats = statement<
  'events' | 'bookings' | 'seats' | 'versions',
  { n: number; eventId: string; status: SeatStatus; version: number }
>(
  (value) => sql`
    update ${seats} seat
    set status = ${sql.raw(`'${SEAT_MOVES.hold.to}'`)}, booking_id = fence.booking_id, version = seat.version + 1
    from unnest(${value('events')}::uuid[], ${value('seats')}::int[], ${value('versions')}::int[],
      ${value('bookings')}::uuid[]) as fence (event_id, n, version, booking_id)
    where seat.event_id = fence.event_id and seat.n = fence.n and seat.version = fence.version
      and seat.status = ${sql.raw(`'${SEAT_MOVES.hold.from}'`)}
    returning seat.n, seat.event_id as "eventId", seat.status, seat.version`,
)

const insertTold = statement<'told', never>(
  (value) => sql`
    insert into ${bookingTimeline} (event_id, booking_id, what, detail)
    select * from jsonb_to_recordset(${value('told')}::text::jsonb)
      as told ("eventId" uuid, "bookingId" uuid, what text, detail jsonb)`,
)

async function write(tx: Tx, wins: Win[]): Promise<Map<Hold, Committed>> {
  if (wins.length === 0) return new Map()
  const taken = wins.flatMap(({ hold, rows }) => rows.map((row) => ({ ...row, bookingId: hold.bookingId })))
  const ofTaken = {
    events: listOf(taken.map((s) => s.eventId)),
    bookings: listOf(taken.map((s) => s.bookingId)),
    seats: listOf(taken.map((s) => s.n)),
  }
  const [made, , moved] = await Promise.all([
    insertBookings(tx, {
      events: listOf(wins.map(({ hold }) => hold.eventId)),
      bookings: listOf(wins.map(({ hold }) => hold.bookingId)),
      accounts: listOf(wins.map(({ hold }) => hold.accountId)),
      counts: listOf(wins.map(({ rows }) => rows.length)),
      totals: listOf(wins.map(totalOf)),
    }),
    insertSeats(tx, { ...ofTaken, prices: listOf(taken.map((s) => s.price)) }),
    moveSeats(tx, { ...ofTaken, versions: listOf(taken.map((s) => s.version)) }),
    insertTold(tx, { told: JSON.stringify(wins.map(toldOf)) }),
  ])
  const bookedAt = new Map(made.map((row) => [row.id, row]))
  if (moved.length !== taken.length) throw new Error('seats and their versions disagree under lock')
  const versions = new Map(moved.map((seat) => [seatKey(seat.eventId, seat.n), seat]))
  const won = new Map(
    wins.map((each) => {
      const { createdAt, expiresAt } = bookedAt.get(each.hold.bookingId)!
      const booking = bookingOf(each, { createdAt: new Date(createdAt), expiresAt: new Date(expiresAt) })
      const expiresAtMs = booking.expiresAt.getTime()
      const known = each.hold.seats.map((n) => ({
        ...versions.get(seatKey(each.hold.eventId, n))!,
        expiresAtMs,
      }))
      return [each.hold, { outcome: { ok: true, booking } as const, known }]
    }),
  )
  await keepAnswers(
    tx,
    wins.map(({ hold }) => ({ hold, booking: won.get(hold)!.outcome.booking })),
  )
  return won
}

const totalOf = ({ rows }: Win) => rows.reduce((sum, row) => sum + row.price, 0)

const toldOf = ({ hold: { eventId, bookingId }, rows }: Win) => ({
  eventId,
  bookingId,
  what: 'seats_held',
  detail: { seats: rows.map(({ n }) => n) },
})

function bookingOf(won: Win, { createdAt, expiresAt }: { createdAt: Date; expiresAt: Date }): BookingRow {
  const { hold, event, rows } = won
  const { what, detail } = toldOf(won)
  return {
    id: hold.bookingId,
    eventId: hold.eventId,
    eventName: event.name,
    accountId: hold.accountId,
    status: 'PENDING',
    seats: rows.map(({ n, section, row, number, tier, price }) => ({
      n,
      section,
      row,
      number,
      tier,
      price,
      live: true,
    })),
    total: totalOf(won),
    currency: event.currency,
    expiresAt,
    createdAt,
    confirmedAt: null,
    endedAt: null,
    extendedAt: null,
    frozenSince: null,
    timeline: [{ at: createdAt, what, detail }],
  }
}

/** Answers belong to their moves: when one of them is another request's already, nothing may stand. */
async function keepAnswers(tx: Tx, made: { hold: Hold; booking: BookingRow }[]): Promise<void> {
  const staged = made.flatMap(({ hold: { accountId, idempotency }, booking }) =>
    idempotency ? [{ accountId, ...idempotency, ...idempotency.answer(booking) }] : [],
  )
  if (staged.length === 0) return
  const kept = await storeAnswers(tx, staged)
  // A row was stored once; whoever finds it used up shares the key with an earlier request of this very batch.
  const lost = staged.find(({ accountId, key }) => !kept.delete(`${accountId}/${key}`))
  if (!lost) return
  const known = await findAnswer(tx, lost)
  const same = known !== null && Buffer.compare(known.requestHash, lost.requestHash) === 0
  throw new AnswerKept(same ? 'idempotency_in_progress' : 'idempotency_key_reused')
}

function knownSeat({ eventId, n, status, version, expiresAt }: SeatRow): MovedSeat {
  return { eventId, n, status, version, ...(expiresAt && { expiresAtMs: expiresAt.getTime() }) }
}

function distinct<T>(list: T[], keyOf: (item: T) => string): T[] {
  return [...new Map(list.map((item) => [keyOf(item), item])).values()]
}
