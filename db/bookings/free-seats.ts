// Decides how unpaid seats come back: the shared half of release and expiry, inside a transaction that holds the locks.
import { sql } from 'drizzle-orm'
import type { Tx } from '../client.ts'
import { BOOKING_MOVES, SEAT_MOVES } from '../lifecycle.ts'
import { bookings, bookingSeats, bookingTimeline, seats } from '../schema.ts'
import { isOver } from './hold-clock.ts'
import { ids } from './rows.ts'
import type { MovedSeat } from './gate.ts'

const WHAT = { release: 'booking_cancelled', expire: 'booking_expired' } as const

export interface Freed {
  /** The bookings that were PENDING, and for `expire` overdue; no other was touched. */
  ended: { eventId: string; id: string }[]
  seats: MovedSeat[]
}

/**
 * Ends PENDING bookings and gives their seats back. Repeats its precondition in the UPDATE: a booking that was paid
 * or ended meanwhile is left alone. The caller has locked the seats and the bookings.
 */
export async function freeSeats(
  tx: Tx,
  list: { eventId: string; id: string }[],
  move: 'release' | 'expire',
): Promise<Freed> {
  const { from, to } = BOOKING_MOVES[move]
  const due = move === 'expire' ? sql`and ${isOver()}` : sql``
  const ended = await tx
    .update(bookings)
    .set({ status: to, endedAt: sql`now()` })
    .where(
      sql`(${bookings.eventId}, ${bookings.id}) in ${pairsOf(list)} and ${bookings.status} = ${from} ${due}`,
    )
    .returning({ eventId: bookings.eventId, id: bookings.id })
  if (ended.length === 0) return { ended, seats: [] }
  const [freed] = await Promise.all([
    tx
      .update(seats)
      .set({ status: SEAT_MOVES[move].to, bookingId: null, version: sql`${seats.version} + 1` })
      .from(sql`booking_seats bs`)
      .where(
        sql`(bs.event_id, bs.booking_id) in ${pairsOf(ended)}
          and ${seats.eventId} = bs.event_id and ${seats.n} = bs.n
          and ${seats.bookingId} = bs.booking_id and ${seats.status} = ${SEAT_MOVES[move].from}`,
      )
      .returning({ eventId: seats.eventId, n: seats.n, status: seats.status, version: seats.version }),
    tx
      .update(bookingSeats)
      .set({ live: false })
      .where(
        sql`(${bookingSeats.eventId}, ${bookingSeats.bookingId}) in ${pairsOf(ended)} and ${bookingSeats.live}`,
      ),
    tx
      .insert(bookingTimeline)
      .values(ended.map(({ eventId, id }) => ({ eventId, bookingId: id, what: WHAT[move] }))),
  ])
  return { ended, seats: freed }
}

const pairsOf = (list: { eventId: string; id: string }[]) =>
  sql`(select * from unnest(${ids(list.map((b) => b.eventId))}, ${ids(list.map((b) => b.id))}))`
