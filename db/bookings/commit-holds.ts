// Decides, under lock and for many requests in one transaction, which of them get their seats; each is all or none.
//
// Every statement works on the whole set, so that a transaction of a hundred holds takes as many round trips as one.
// Seats are locked without waiting: whoever has one of them locked is moving it at this moment.
import { sql } from 'drizzle-orm'
import type { Tx } from '../client.ts'
import { findAnswer, storeAnswers } from '../idempotency.ts'
import { BOOKING_MOVES, SEAT_MOVES, type SeatStatus } from '../lifecycle.ts'
import { bookings, events, seats, sections, tiers } from '../schema.ts'
import { takeOverdueSeats } from './expire-bookings.ts'
import type { MovedSeat } from './gate.ts'
import type { HoldOutcome, HoldRequest } from './hold-seats.ts'
import type { BookingRow } from './read-bookings.ts'
import {
  bigIntegers,
  ids,
  integers,
  lockBuyers,
  seatLabelFields,
  sectionOfSeat,
  tierOfSeat,
  type SeatLabel,
} from './rows.ts'

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

/** One round trip: statements of a transaction follow one another on its connection, each with its own snapshot. */
async function lockAndRead(tx: Tx, holds: Hold[]): Promise<Read> {
  const buyers = distinct(holds, ({ eventId, accountId }) => buyerKey(eventId, accountId))
  const asked = distinct(
    holds.flatMap(({ eventId, seats: wanted }) => wanted.map((n) => ({ eventId, n }))),
    ({ eventId, n }) => seatKey(eventId, n),
  )
  const [, facts, counts, rows] = await Promise.all([
    lockBuyers(tx, buyers),
    tx
      .select({
        id: events.id,
        name: events.name,
        onSale: sql<boolean>`${events.status} = 'PUBLISHED' and ${events.startsAt} > now()
          and coalesce(${events.onSaleAt} <= now(), true)`,
        currency: events.currency,
        holdSeconds: events.holdSeconds,
        maxSeatsPerBooking: events.maxSeatsPerBooking,
        maxSeatsPerBuyer: events.maxSeatsPerBuyer,
        seatCount: events.seatCount,
      })
      .from(events)
      .where(sql`${events.id} = any(${ids([...new Set(holds.map(({ eventId }) => eventId))])})`),
    // Subqueries a row, not a join: a table that was never analysed must not tempt the planner to read all of it.
    tx.execute<{ eventId: string; accountId: string; held: number }>(sql`
      select buyer.event_id as "eventId", buyer.account_id as "accountId", (
        select coalesce(sum((select count(*) from booking_seats bs
          where bs.event_id = b.event_id and bs.booking_id = b.id and bs.live)), 0)::int
        from bookings b
        where b.event_id = buyer.event_id and b.account_id = buyer.account_id
          and b.status in ('PENDING', 'CONFIRMED')
          and (b.status = 'CONFIRMED' or b.expires_at > now())) as held
      from unnest(${ids(buyers.map((b) => b.eventId))}, ${ids(buyers.map((b) => b.accountId))})
        as buyer (event_id, account_id)`),
    tx
      .select({
        ...seatLabelFields,
        eventId: seats.eventId,
        status: seats.status,
        version: seats.version,
        bookingId: seats.bookingId,
        price: tiers.price,
        expiresAt: sql<Date | null>`(select b.expires_at from bookings b
          where b.event_id = ${seats.eventId} and b.id = ${seats.bookingId})`.mapWith(bookings.expiresAt),
      })
      .from(seats)
      .innerJoin(
        sql`unnest(${ids(asked.map((s) => s.eventId))}, ${integers(asked.map((s) => s.n))}) as asked (event_id, n)`,
        sql`asked.event_id = ${seats.eventId} and asked.n = ${seats.n}`,
      )
      .innerJoin(sections, sectionOfSeat)
      .innerJoin(tiers, tierOfSeat)
      .orderBy(seats.eventId, seats.n)
      .for('no key update', { of: seats, skipLocked: true }),
  ])
  return {
    events: new Map(facts.map(({ id, ...event }) => [id, event])),
    seats: new Map(rows.map((row) => [seatKey(row.eventId, row.n), row])),
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

async function write(tx: Tx, wins: Win[]): Promise<Map<Hold, Committed>> {
  if (wins.length === 0) return new Map()
  const taken = wins.flatMap(({ hold, rows }) => rows.map((row) => ({ ...row, bookingId: hold.bookingId })))
  const [made, , moved] = await Promise.all([
    insertBookings(tx, wins),
    tx.execute(sql`
      insert into booking_seats (event_id, booking_id, n, price)
      select * from unnest(${ids(taken.map((s) => s.eventId))}, ${ids(taken.map((s) => s.bookingId))},
        ${integers(taken.map((s) => s.n))}, ${bigIntegers(taken.map((s) => s.price))})`),
    tx
      .update(seats)
      .set({
        status: SEAT_MOVES.hold.to,
        bookingId: sql`fence.booking_id`,
        version: sql`${seats.version} + 1`,
      })
      .from(
        sql`unnest(${ids(taken.map((s) => s.eventId))}, ${integers(taken.map((s) => s.n))},
          ${integers(taken.map((s) => s.version))}, ${ids(taken.map((s) => s.bookingId))})
          as fence (event_id, n, version, booking_id)`,
      )
      .where(
        sql`${seats.eventId} = fence.event_id and ${seats.n} = fence.n and ${seats.version} = fence.version
          and ${seats.status} = ${SEAT_MOVES.hold.from}`,
      )
      .returning({ n: seats.n, eventId: seats.eventId, status: seats.status, version: seats.version }),
    tx.execute(sql`
      insert into booking_timeline (event_id, booking_id, what, detail)
      select * from jsonb_to_recordset(${JSON.stringify(wins.map(toldOf))}::text::jsonb)
        as told ("eventId" uuid, "bookingId" uuid, what text, detail jsonb)`),
  ])
  if (moved.length !== taken.length) throw new Error('seats and their versions disagree under lock')
  const versions = new Map(moved.map((seat) => [seatKey(seat.eventId, seat.n), seat]))
  const won = new Map(
    wins.map((each) => {
      const booking = bookingOf(each, made.get(each.hold.bookingId)!)
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

async function insertBookings(tx: Tx, wins: Win[]) {
  const totals = wins.map(({ rows }) => rows.reduce((sum, row) => sum + row.price, 0))
  const made = await tx
    .insert(bookings)
    .select(
      sql`select made.event_id, made.id, made.account_id, ${BOOKING_MOVES.confirm.from}::booking_status,
          made.seat_count, made.total, e.currency, now() + make_interval(secs => e.hold_seconds), now(), null, null, null
        from unnest(${ids(wins.map(({ hold }) => hold.eventId))}, ${ids(wins.map(({ hold }) => hold.bookingId))},
          ${ids(wins.map(({ hold }) => hold.accountId))}, ${integers(wins.map(({ rows }) => rows.length))},
          ${bigIntegers(totals)}) as made (event_id, id, account_id, seat_count, total)
        join events e on e.id = made.event_id`,
    )
    .returning({ id: bookings.id, createdAt: bookings.createdAt, expiresAt: bookings.expiresAt })
  return new Map(made.map((row) => [row.id, row]))
}

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
    total: rows.reduce((sum, row) => sum + row.price, 0),
    currency: event.currency,
    expiresAt,
    createdAt,
    confirmedAt: null,
    endedAt: null,
    extendedAt: null,
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
