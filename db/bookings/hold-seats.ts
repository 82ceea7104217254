// Decides who gets seats: the whole reservation path, from the gate to one transaction to the announcement.
import { and, eq, sql } from 'drizzle-orm'
import { inTransaction, postgresCode, type Tx } from '../client.ts'
import { BOOKING_MOVES, SEAT_MOVES, type SeatStatus } from '../lifecycle.ts'
import { bookings, bookingSeats, bookingTimeline, events, seats, sections, tiers } from '../schema.ts'
import { stageAnswer, type StagedAnswer } from '../idempotency.ts'
import { lockSeats } from '../seat-gate/seat-gate.ts'
import { takeOverdueSeats } from './expire-bookings.ts'
import {
  scheduleExpiry,
  settleAfterCommit,
  tryRedis,
  unlockAfterRefusal,
  type Gate,
  type MovedSeat,
} from './gate.ts'
import {
  integers,
  isId,
  liveSeatsOfBuyer,
  lockBuyer,
  seatLabelFields,
  sectionOfSeat,
  tierOfSeat,
  type SeatLabel,
} from './rows.ts'
import type { BookingRow } from './read-bookings.ts'

export interface HoldRequest {
  accountId: string
  eventId: string
  /** Seat numbers n; the same number twice counts once. */
  seats: number[]
  bookingId?: string
  /** Stored in the same transaction: a retry finds the answer whatever happened after the commit. */
  idempotency?: StagedAnswer<BookingRow>
}

export type HoldRefusal =
  | {
      ok: false
      refusal: 'seat_taken' | 'seat_locked'
      seats: number[]
      stage: 'status' | 'lock' | 'version'
    }
  | {
      ok: false
      refusal:
        | 'request_invalid'
        | 'seats_too_many'
        | 'buyer_limit_reached'
        | 'event_not_on_sale'
        | 'not_found'
        | 'idempotency_in_progress'
        | 'idempotency_key_reused'
    }
export type HoldOutcome = { ok: true; booking: BookingRow } | HoldRefusal

const LOCK_NOT_AVAILABLE = '55P03'
const UNIQUE_VIOLATION = '23505'
/** No request may name more, whatever the event allows; the edge has a limit of its own. */
const SEATS_PER_REQUEST_MAX = 1_000

/**
 * Holds all the seats or none, AVAILABLE → RESERVED, in a new PENDING booking that ends `holdSeconds` later.
 * Redis only refuses early; without it the path is longer, never wrong.
 */
export async function holdSeats(gate: Gate, request: HoldRequest): Promise<HoldOutcome> {
  const { eventId } = request
  const wanted = [...new Set(request.seats)].toSorted((a, b) => a - b)
  if (wanted.length === 0 || !wanted.every(isSeatNumber)) return { ok: false, refusal: 'request_invalid' }
  if (wanted.length > SEATS_PER_REQUEST_MAX) return { ok: false, refusal: 'seats_too_many' }
  if (!isId(eventId)) return { ok: false, refusal: 'not_found' }

  const id = request.bookingId ?? Bun.randomUUIDv7()
  const lock = { eventId, seats: wanted, token: id }
  const answer = await tryRedis(gate, 'lock_failed', (redis) => lockSeats(redis, lock))
  if (answer && !answer.locked)
    return answer.why === 'taken'
      ? { ok: false, refusal: 'seat_taken', seats: answer.seats, stage: 'status' }
      : { ok: false, refusal: 'seat_locked', seats: answer.seats, stage: 'lock' }

  const known: MovedSeat[] = []
  try {
    const outcome = await decide(gate, { ...request, bookingId: id, seats: wanted }, known)
    if (outcome.ok) {
      await Promise.all([settleAfterCommit(gate, known, id), scheduleExpiry(gate, outcome.booking)])
      return outcome
    }
    // What Postgres said of the seats spares the next buyer the way here.
    await settleAfterCommit(gate, known)
    await unlockAfterRefusal(gate, lock)
    return outcome
  } catch (fault) {
    await unlockAfterRefusal(gate, lock)
    throw fault
  }
}

const isSeatNumber = (n: number) => Number.isInteger(n) && n >= 0 && n < 2 ** 31

type Hold = HoldRequest & { bookingId: string }

/** Runs the transaction; `known` is what the cache may be told afterwards, whether held or refused. */
async function decide(gate: Gate, hold: Hold, known: MovedSeat[]): Promise<HoldOutcome> {
  try {
    return await inTransaction(gate.db, async (tx) => {
      known.length = 0
      const read = await lockAndRead(tx, hold)
      const refusal = refuse(read, hold)
      if (refusal) return refusal
      const overdue = await takeOverdueSeats(tx, hold.eventId, read.rows)
      const rows = read.rows.map((row) => ({ ...row, ...overdue.get(row.n) }))
      const gone = rows.filter((row) => row.status !== SEAT_MOVES.hold.from)
      if (gone.length > 0) {
        known.push(...gone.map((row) => knownSeat(hold.eventId, row)))
        return {
          ok: false,
          refusal: 'seat_taken',
          seats: gone.map((row) => row.n),
          stage: 'version',
        } as const
      }
      return writeHold(tx, hold, read.event!, rows, known)
    })
  } catch (fault) {
    const code = postgresCode(fault)
    if (code === LOCK_NOT_AVAILABLE)
      return { ok: false, refusal: 'seat_locked', seats: hold.seats, stage: 'lock' }
    if (code === UNIQUE_VIOLATION && constraintOf(fault) === 'booking_seats_live_key')
      return { ok: false, refusal: 'seat_taken', seats: hold.seats, stage: 'version' }
    throw fault
  }
}

interface SeatRow extends SeatLabel {
  status: SeatStatus
  version: number
  bookingId: string | null
  price: number
  expiresAt: Date | null
}
interface Read {
  event:
    | {
        name: string
        onSale: boolean
        currency: string
        holdSeconds: number
        maxSeatsPerBooking: number
        maxSeatsPerBuyer: number
        heldByBuyer: number
      }
    | undefined
  rows: SeatRow[]
}

/** One round trip: statements of a transaction follow one another on its connection, each with its own snapshot. */
async function lockAndRead(tx: Tx, { eventId, accountId, seats: wanted }: Hold): Promise<Read> {
  const [, [event], rows] = await Promise.all([
    lockBuyer(tx, eventId, accountId),
    tx
      .select({
        name: events.name,
        onSale: sql<boolean>`${events.status} = 'PUBLISHED' and ${events.startsAt} > now()
          and coalesce(${events.onSaleAt} <= now(), true)`,
        currency: events.currency,
        holdSeconds: events.holdSeconds,
        maxSeatsPerBooking: events.maxSeatsPerBooking,
        maxSeatsPerBuyer: events.maxSeatsPerBuyer,
        heldByBuyer: liveSeatsOfBuyer(eventId, accountId),
      })
      .from(events)
      .where(eq(events.id, eventId)),
    tx
      .select({
        ...seatLabelFields,
        status: seats.status,
        version: seats.version,
        bookingId: seats.bookingId,
        price: tiers.price,
        expiresAt: sql<Date | null>`(select b.expires_at from bookings b
          where b.event_id = ${seats.eventId} and b.id = ${seats.bookingId})`.mapWith(bookings.expiresAt),
      })
      .from(seats)
      .innerJoin(sections, sectionOfSeat)
      .innerJoin(tiers, tierOfSeat)
      .where(and(eq(seats.eventId, eventId), sql`${seats.n} = any(${integers(wanted)})`))
      .orderBy(seats.n)
      .for('no key update', { of: seats }),
  ])
  return { event, rows }
}

function refuse({ event, rows }: Read, { seats: wanted }: Hold): HoldRefusal | null {
  if (!event) return { ok: false, refusal: 'not_found' }
  if (!event.onSale) return { ok: false, refusal: 'event_not_on_sale' }
  if (wanted.length > event.maxSeatsPerBooking) return { ok: false, refusal: 'seats_too_many' }
  if (rows.length < wanted.length) return { ok: false, refusal: 'not_found' }
  if (event.heldByBuyer + wanted.length > event.maxSeatsPerBuyer)
    return { ok: false, refusal: 'buyer_limit_reached' }
  return null
}

async function writeHold(
  tx: Tx,
  hold: Hold,
  event: NonNullable<Read['event']>,
  rows: SeatRow[],
  known: MovedSeat[],
): Promise<HoldOutcome> {
  const { eventId, accountId, bookingId } = hold
  const total = rows.reduce((sum, row) => sum + row.price, 0)
  const numbers = rows.map((row) => row.n)
  const told = { what: 'seats_held', detail: { seats: numbers } }
  const [[made], , moved] = await Promise.all([
    tx
      .insert(bookings)
      .values({
        eventId,
        id: bookingId,
        accountId,
        status: BOOKING_MOVES.confirm.from,
        seatCount: rows.length,
        total,
        currency: event.currency,
        expiresAt: sql`now() + make_interval(secs => ${event.holdSeconds})`,
      })
      .returning({ createdAt: bookings.createdAt, expiresAt: bookings.expiresAt }),
    tx.insert(bookingSeats).values(rows.map(({ n, price }) => ({ eventId, bookingId, n, price }))),
    tx
      .update(seats)
      .set({ status: SEAT_MOVES.hold.to, bookingId, version: sql`${seats.version} + 1` })
      .from(
        sql`unnest(${integers(numbers)}, ${integers(rows.map((row) => row.version))}) as fence (n, version)`,
      )
      .where(
        sql`${seats.eventId} = ${eventId} and ${seats.n} = fence.n and ${seats.version} = fence.version
          and ${seats.status} = ${SEAT_MOVES.hold.from}`,
      )
      .returning({ n: seats.n, status: seats.status, version: seats.version }),
    tx.insert(bookingTimeline).values({ eventId, bookingId, ...told }),
  ])
  if (moved.length !== rows.length)
    return { ok: false, refusal: 'seat_taken', seats: missing(numbers, moved), stage: 'version' }
  const booking: BookingRow = {
    id: bookingId,
    eventId,
    eventName: event.name,
    accountId,
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
    total,
    currency: event.currency,
    expiresAt: made!.expiresAt,
    createdAt: made!.createdAt,
    confirmedAt: null,
    endedAt: null,
    timeline: [{ at: made!.createdAt, ...told }],
  }
  if (hold.idempotency) {
    const staged = await stageAnswer(tx, accountId, hold.idempotency, booking)
    if (!staged.ok) return staged
  }
  known.push(...moved.map((seat) => ({ ...seat, eventId, expiresAtMs: booking.expiresAt.getTime() })))
  return { ok: true, booking }
}

const missing = (numbers: number[], moved: { n: number }[]) => {
  const found = new Set(moved.map(({ n }) => n))
  return numbers.filter((n) => !found.has(n))
}

function knownSeat(eventId: string, { n, status, version, expiresAt }: SeatRow): MovedSeat {
  return { eventId, n, status, version, ...(expiresAt && { expiresAtMs: expiresAt.getTime() }) }
}

function constraintOf(fault: unknown): string | null {
  for (let error = fault; error instanceof Error; error = error.cause)
    if ('constraint_name' in error && typeof error.constraint_name === 'string') return error.constraint_name
  return null
}
