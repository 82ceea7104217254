// Decides, under lock and for many captured payments in one transaction, which of them buy the seats they hold.
//
// Only the plain case is decided here: a PENDING booking in time, all its seats still its own, the amount right. Late
// money, money told twice and money that buys nothing take the long way, one transaction each (confirm-booking.ts).
import { sql } from 'drizzle-orm'
import type { Tx } from '../client.ts'
import { BOOKING_MOVES, SEAT_MOVES, type SeatStatus } from '../lifecycle.ts'
import { bookings, seats } from '../schema.ts'
import type { ConfirmRequest } from './confirm-booking.ts'
import type { MovedSeat } from './gate.ts'
import { isOver } from './hold-clock.ts'
import { readTogether, type BookingRow } from './read-bookings.ts'
import {
  bigIntegers,
  ids,
  integers,
  keysOf,
  lockBookings,
  lockBuyers,
  texts,
  type LockedBooking,
} from './rows.ts'
import { ticketCode } from './ticket-code.ts'

export type Confirmed = { kind: 'confirmed'; booking: BookingRow; moved: MovedSeat[] }
/** `not_plain`: nothing was done, and the long way decides. */
export type Confirmation = Confirmed | { kind: 'not_plain' }

interface LockedSeat {
  eventId: string
  /** Of the booking that lists it, which need not be the one that has it. */
  listedBy: string
  n: number
  status: SeatStatus
  version: number
  bookingId: string | null
}
interface Purchase {
  request: ConfirmRequest
  booking: LockedBooking
  rows: LockedSeat[]
}

/** An answer each, in their order. Throws when anything is not as locked; then nothing of it may stand. */
export async function commitConfirmations(tx: Tx, requests: ConfirmRequest[]): Promise<Confirmation[]> {
  const listed = await listSeatsOf(tx, requests)
  const owners = [...new Map(listed.map((row) => [row.id, row])).values()]
  const [, rows, locked, known] = await Promise.all([
    lockBuyers(tx, owners),
    lockListedSeats(tx, listed),
    lockBookings(tx, owners),
    tx.execute<{ providerRef: string }>(sql`
      select paid.provider_ref as "providerRef" from ${keysOf(owners)} cross join lateral (
        select provider_ref from payments
        where event_id = key.event_id and booking_id = key.id and status <> 'PROCESSING' offset 0) as paid`),
  ])
  const seatsOf = Map.groupBy(rows, ({ listedBy }) => listedBy)
  const bookingOf = new Map(locked.map((booking) => [booking.id, booking]))
  const settled = new Set(known.map((row) => row.providerRef))
  const chosen = new Set<string>()
  const purchases = requests.flatMap((request): Purchase[] => {
    const booking = bookingOf.get(request.bookingId)
    const held = seatsOf.get(request.bookingId) ?? []
    if (!booking || chosen.has(booking.id) || !isPlain(request, booking, held)) return []
    if (settled.has(request.payment.providerRef)) return []
    chosen.add(booking.id)
    return [{ request, booking, rows: held }]
  })
  const confirmed = await buy(tx, purchases)
  return requests.map((request) => confirmed.get(request) ?? { kind: 'not_plain' })
}

const isPlain = (
  { accountId, payment }: ConfirmRequest,
  booking: LockedBooking,
  rows: LockedSeat[],
): boolean =>
  booking.accountId === accountId &&
  booking.status === BOOKING_MOVES.confirm.from &&
  !booking.overdue &&
  payment.amount === booking.total &&
  rows.length > 0 &&
  rows.every((row) => row.status === SEAT_MOVES.confirm.from && row.bookingId === booking.id)

interface ListedSeat {
  eventId: string
  /** Of the booking. */
  id: string
  accountId: string
  n: number
}

/** Whose the bookings are and which seats they list; neither ever changes. */
async function listSeatsOf(tx: Tx, requests: ConfirmRequest[]): Promise<ListedSeat[]> {
  const wanted = ids([...new Set(requests.map(({ bookingId }) => bookingId))])
  return tx.execute<Record<string, unknown> & ListedSeat>(sql`
    select b.event_id as "eventId", b.id, b.account_id as "accountId", bs.n
    from unnest(${wanted}) as key (id)
    cross join lateral (select event_id, id, account_id from bookings where id = key.id offset 0) as b
    cross join lateral (
      select n from booking_seats where event_id = b.event_id and booking_id = b.id offset 0) as bs`)
}

/** By event and n, as every move locks them. */
async function lockListedSeats(tx: Tx, listed: ListedSeat[]): Promise<LockedSeat[]> {
  const sorted = listed.toSorted((a, b) =>
    a.eventId === b.eventId ? a.n - b.n : a.eventId < b.eventId ? -1 : 1,
  )
  return tx.execute<Record<string, unknown> & LockedSeat>(sql`
    select key.event_id as "eventId", key.booking_id as "listedBy", key.n, seat.*
    from unnest(${ids(sorted.map((s) => s.eventId))}, ${integers(sorted.map((s) => s.n))},
      ${ids(sorted.map((s) => s.id))}) as key (event_id, n, booking_id)
    cross join lateral (
      select status, version, booking_id as "bookingId" from seats
      where event_id = key.event_id and n = key.n offset 0 for no key update) as seat`)
}

/** Seats SOLD, bookings CONFIRMED, tickets made, money booked, mails staged: all or, by throwing, nothing. */
async function buy(tx: Tx, purchases: Purchase[]): Promise<Map<ConfirmRequest, Confirmed>> {
  if (purchases.length === 0) return new Map()
  const bought = purchases.flatMap(({ rows }) => rows)
  const bookingIds = purchases.map(({ booking }) => booking.id)
  const eventIds = purchases.map(({ booking }) => booking.eventId)
  const paid = purchases.map(({ request }) => request.payment)
  const [sold, confirmed] = await Promise.all([
    tx
      .update(seats)
      .set({ status: SEAT_MOVES.confirm.to, version: sql`${seats.version} + 1` })
      .from(
        sql`unnest(${ids(bought.map((s) => s.eventId))}, ${integers(bought.map((s) => s.n))},
          ${integers(bought.map((s) => s.version))}) as fence (event_id, n, version)`,
      )
      .where(
        sql`${seats.eventId} = fence.event_id and ${seats.n} = fence.n and ${seats.version} = fence.version
          and ${seats.status} = ${SEAT_MOVES.confirm.from}`,
      )
      .returning({ eventId: seats.eventId, n: seats.n, status: seats.status, version: seats.version }),
    tx
      .update(bookings)
      .set({ status: BOOKING_MOVES.confirm.to, confirmedAt: sql`now()` })
      .from(sql`unnest(${ids(eventIds)}, ${ids(bookingIds)}) as paid (event_id, id)`)
      .where(
        sql`${bookings.eventId} = paid.event_id and ${bookings.id} = paid.id
          and ${bookings.status} = ${BOOKING_MOVES.confirm.from} and not ${isOver()}`,
      )
      .returning({ id: bookings.id }),
    tx.execute(sql`
      insert into payments (event_id, id, booking_id, provider, provider_ref, method, status, amount, captured)
      select event_id, id, booking_id, provider, provider_ref, method, 'CAPTURED', amount, amount
      from unnest(${ids(eventIds)}, ${ids(purchases.map(() => Bun.randomUUIDv7()))}, ${ids(bookingIds)},
        ${texts(paid.map(({ provider }) => provider))}, ${texts(paid.map(({ providerRef }) => providerRef))},
        ${texts(paid.map(({ method }) => method))}, ${bigIntegers(paid.map(({ amount }) => amount))})
        as paid (event_id, id, booking_id, provider, provider_ref, method, amount)
      on conflict (event_id, provider, provider_ref) do update set
        status = excluded.status, amount = excluded.amount, captured = excluded.captured, refunded = 0,
        updated_at = now()`),
    tx.execute(sql`
      insert into tickets (event_id, id, booking_id, n, code)
      select * from unnest(${ids(bought.map((s) => s.eventId))}, ${ids(bought.map(() => Bun.randomUUIDv7()))},
        ${ids(bought.map((s) => s.listedBy))}, ${integers(bought.map((s) => s.n))}, ${texts(bought.map(ticketCode))})`),
    tx.execute(sql`
      insert into booking_timeline (event_id, booking_id, what, detail)
      select event_id, booking_id, 'payment_captured', jsonb_build_object('amount', amount, 'method', method)
      from unnest(${ids(eventIds)}, ${ids(bookingIds)}, ${bigIntegers(paid.map(({ amount }) => amount))},
        ${texts(paid.map(({ method }) => method))}) as paid (event_id, booking_id, amount, method)`),
    tx.execute(sql`
      insert into outbox (kind, payload)
      select 'booking_confirmed', jsonb_build_object('eventId', event_id, 'bookingId', booking_id)
      from unnest(${ids(eventIds)}, ${ids(bookingIds)}) as paid (event_id, booking_id)`),
  ])
  if (sold.length !== bought.length || confirmed.length !== purchases.length)
    throw new Error('bookings and their seats disagree under lock')
  const found = await readTogether(tx, bookingIds)
  const ownerOf = new Map(bought.map((row) => [`${row.eventId}:${row.n}`, row.listedBy]))
  const movedOf = Map.groupBy(sold, ({ eventId, n }) => ownerOf.get(`${eventId}:${n}`)!)
  return new Map(
    purchases.map(({ request, booking }, i) => [
      request,
      { kind: 'confirmed', booking: found[i]!, moved: movedOf.get(booking.id)! },
    ]),
  )
}
