// Decides when an unpaid hold ends: by its job, by the sweep, or by the next buyer who asks for its seats.
import { and, asc, eq, sql } from 'drizzle-orm'
import { inTransaction, type Tx } from '../client.ts'
import type { SeatStatus } from '../lifecycle.ts'
import { stageOutbox } from '../outbox.ts'
import { bookings, bookingSeats, seats } from '../schema.ts'
import { freeSeats, type Freed } from './free-seats.ts'
import { settleAfterCommit, type Gate, type MovedSeat } from './gate.ts'
import { isOver } from './hold-clock.ts'
import { ids } from './rows.ts'

/** A sweep's transaction: small enough not to hold locks for long. */
const SWEEP_BATCH = 200

/**
 * Ends up to `limit` overdue bookings, oldest first. Several processes may sweep at once: each takes what nobody
 * has locked, and a booking somebody is busy with waits for the next sweep.
 */
export async function expireDueBookings(
  gate: Gate,
  { limit = SWEEP_BATCH }: { limit?: number } = {},
): Promise<{ expired: number }> {
  let expired = 0
  while (expired < limit) {
    const size = Math.min(SWEEP_BATCH, limit - expired)
    const freed = await inTransaction(gate.db, async (tx) => {
      const due = await tx
        .select({ eventId: bookings.eventId, id: bookings.id })
        .from(bookings)
        // No hold is over before its end, whatever its clock, and that much an index knows: of PENDING ones, as a
        // constant, since an index of some rows is of no use to a plan that is made for any status.
        .where(sql`${bookings.status} = 'PENDING' and ${bookings.expiresAt} <= now() and ${isOver()}`)
        .orderBy(asc(bookings.expiresAt))
        .limit(size)
        .for('no key update', { skipLocked: true })
      return expireAndTell(tx, await onlyWithAllSeats(tx, due))
    })
    await settleAfterCommit(gate, freed.seats)
    expired += freed.ended.length
    if (freed.ended.length < size) break
  }
  return { expired }
}

/**
 * Inside a hold: ends the overdue bookings that keep the seats asked for, so that nobody waits for a job that was
 * lost. Returns all seats that came free, also those nobody asked for. The caller has locked `rows`.
 */
export async function takeOverdueSeats(
  tx: Tx,
  eventId: string,
  rows: { n: number; status: SeatStatus; bookingId: string | null; expiresAt: Date | null }[],
): Promise<MovedSeat[]> {
  const keepers = new Set(
    rows.flatMap(({ status, bookingId }) => (status === 'RESERVED' && bookingId ? [bookingId] : [])),
  )
  if (keepers.size === 0) return []
  const due = await tx
    .select({ eventId: bookings.eventId, id: bookings.id })
    .from(bookings)
    .where(
      sql`${bookings.eventId} = ${eventId} and ${bookings.id} = any(${ids([...keepers])})
        and ${bookings.status} = 'PENDING' and ${isOver()}`,
    )
    .for('no key update', { skipLocked: true })
  return (await expireAndTell(tx, await onlyWithAllSeats(tx, due))).seats
}

async function expireAndTell(tx: Tx, list: { eventId: string; id: string }[]): Promise<Freed> {
  if (list.length === 0) return { ended: [], seats: [] }
  const freed = await freeSeats(tx, list, 'expire')
  await stageOutbox(
    tx,
    ...freed.ended.map(
      ({ eventId, id }) => ({ kind: 'booking_expired', payload: { eventId, bookingId: id } }) as const,
    ),
  )
  return freed
}

/** Whoever locks bookings before seats must not wait for seats: those not to be had are left for later. */
async function onlyWithAllSeats<T extends { eventId: string; id: string }>(tx: Tx, due: T[]): Promise<T[]> {
  if (due.length === 0) return due
  const keys = sql`(select * from unnest(${ids(due.map((b) => b.eventId))}, ${ids(due.map((b) => b.id))}))`
  const [listed, locked] = await Promise.all([
    tx
      .select({ bookingId: bookingSeats.bookingId, count: sql<number>`count(*)::int` })
      .from(bookingSeats)
      .where(sql`(${bookingSeats.eventId}, ${bookingSeats.bookingId}) in ${keys}`)
      .groupBy(bookingSeats.bookingId),
    tx
      .select({ bookingId: bookingSeats.bookingId })
      .from(bookingSeats)
      .innerJoin(seats, and(eq(seats.eventId, bookingSeats.eventId), eq(seats.n, bookingSeats.n)))
      .where(sql`(${bookingSeats.eventId}, ${bookingSeats.bookingId}) in ${keys}`)
      .for('no key update', { of: seats, skipLocked: true }),
  ])
  const missing = new Map(listed.map(({ bookingId, count }) => [bookingId, count]))
  for (const { bookingId } of locked) missing.set(bookingId, missing.get(bookingId)! - 1)
  return due.filter(({ id }) => missing.get(id) === 0)
}
