// Decides, in one statement for many captured payments, which of them buy the seats they hold; each is all or none.
//
// One statement is one transaction and one round trip, as for holds (take-free-seats.ts). Whoever is not among the buyers
// has got nothing: somebody else is moving the seats, the hold is over, the money is not what is due or was told before.
import { sql } from 'drizzle-orm'
import type { Reader } from '../client.ts'
import { BOOKING_MOVES, SEAT_MOVES } from '../lifecycle.ts'
import {
  bookings,
  bookingSeats,
  bookingTimeline,
  events,
  outbox,
  payments,
  seats,
  sections,
  tickets,
  tiers,
} from '../schema.ts'
import { statement } from '../statement.ts'
import { isOver } from './hold-clock.ts'

export interface Purchase {
  /** Tells the rows of the answer apart. */
  at: number
  bookingId: string
  accountId: string
  /** Of the row in the books, unless the charge has one already. */
  paymentId: string
  provider: string
  providerRef: string
  method: string
  amount: number
  /** What the mail is to be seen as part of. */
  trace?: string | undefined
  /** Id and code of one ticket a seat. */
  tickets: string[][]
}

export interface Bought {
  at: number
  eventId: string
  eventName: string
  currency: string
  createdAt: string
  expiresAt: string
  extendedAt: string | null
  confirmedAt: string
  /** By n: n, version, section, row, number, tier, price. */
  seats: [number, number, string, string | null, string | null, string, number][]
  /** What was told of the booking before, but for its beginning. */
  timeline: { at: string; what: string; detail: Record<string, unknown> | null }[] | null
}

/** A row for who bought. No two purchases are of one booking. Throws when anything is not as locked; then nothing stands. */
export const buyHeldSeats = (reader: Reader, purchases: Purchase[]): Promise<Bought[]> =>
  buy(reader, { purchases: JSON.stringify(purchases) })

const held = sql.raw(`'${SEAT_MOVES.confirm.from}'`)
const sold = sql.raw(`'${SEAT_MOVES.confirm.to}'`)
const pending = sql.raw(`'${BOOKING_MOVES.confirm.from}'`)
const confirmed = sql.raw(`'${BOOKING_MOVES.confirm.to}'`)

/**
 * In the order that cannot deadlock: the buyers' locks, all of them, then seats and bookings without waiting. What was
 * committed while a buyer's lock was waited for is seen in the rows that are locked and written, and nowhere else. The
 * status as a text keeps an index of pending bookings from being read from end to end for each of them: a plan made
 * while there are few would choose it.
 */
const buy = statement<'purchases', Bought>(
  (value) => sql`
    with asked as materialized (
      select paid.*, known.event_id
      from jsonb_to_recordset(${value('purchases')}::text::jsonb) as paid (at int, "bookingId" uuid, "accountId" uuid,
        "paymentId" uuid, provider text, "providerRef" text, method text, amount bigint, trace text, tickets jsonb)
      cross join lateral (
        select event_id from ${bookings} where id = paid."bookingId" and account_id = paid."accountId" offset 0) as known
    ), buyer as materialized (
      select count(pg_advisory_xact_lock(key)) as locked
      from (
        select distinct hashtextextended(event_id || '/' || "accountId", 0) as key from asked order by key offset 0
      ) as buyer
    ), seat as materialized (
      select listed.*, seat.*, row_number() over (partition by at order by n) as nth, count(*) over (partition by at) as had
      from (
        select asked.at, asked.event_id, asked."bookingId", listed.n, listed.price
        from asked cross join lateral (
          select n, price from ${bookingSeats} where event_id = asked.event_id and booking_id = asked."bookingId"
          offset 0) as listed
        where (select locked from buyer) > 0
        order by event_id, n offset 0) as listed
      cross join lateral (
        select seat.version, seat.row_label, seat.seat_label, section.name as section, tier.name as tier
        from ${seats} seat
        join ${sections} section on section.event_id = seat.event_id and section.id = seat.section_id
        join ${tiers} tier on tier.event_id = seat.event_id and tier.id = seat.tier_id
        where seat.event_id = listed.event_id and seat.n = listed.n and seat.status = ${held}
          and seat.booking_id = listed."bookingId"
        offset 0 for no key update of seat skip locked) as seat
    ), due as materialized (
      select asked.*, b.*, own.seats
      from (
        select at, had, json_agg(
          json_build_array(n, version + 1, section, row_label, seat_label, tier, price) order by n) as seats
        from seat group by at, had) as own
      join asked using (at)
      cross join lateral (
        select b.status, b.total, b.seat_count, b.currency, b.created_at, b.expires_at, b.extended_at,
          ${isOver(sql`b.expires_at`, sql`b.frozen_ms`)} as over
        from ${bookings} b where b.event_id = asked.event_id and b.id = asked."bookingId"
        offset 0 for no key update skip locked) as b
      where b.status = ${pending} and not b.over and b.total = asked.amount
        and b.seat_count = own.had and b.seat_count = jsonb_array_length(asked.tickets)
        and not exists (
          select from ${payments} known where known.event_id = asked.event_id and known.provider = asked.provider
            and known.provider_ref = asked."providerRef" and known.status <> 'PROCESSING')
    ), bought as materialized (
      select seat.*, due.tickets -> (seat.nth - 1)::int as ticket from seat join due using (at)
    ), moved as (
      update ${seats} seat set status = ${sold}, version = seat.version + 1
      from bought
      where seat.event_id = bought.event_id and seat.n = bought.n and seat.version = bought.version
        and seat.status = ${held}
      returning seat.n
    ), kept as (
      update ${bookings} b set status = ${confirmed}, confirmed_at = now()
      from due
      where b.event_id = due.event_id and b.id = due."bookingId" and b.status::text = ${pending}
        and not ${isOver(sql`b.expires_at`, sql`b.frozen_ms`)}
      returning b.id
    ), booked as (
      insert into ${payments} as known
        (event_id, id, booking_id, provider, provider_ref, method, status, amount, captured)
      select event_id, "paymentId", "bookingId", provider, "providerRef", method, 'CAPTURED', amount, amount from due
      on conflict (event_id, provider, provider_ref) do update set
        status = excluded.status, amount = excluded.amount, captured = excluded.captured, refunded = 0, updated_at = now()
      where known.status = 'PROCESSING'
      returning known.id
    ), made as (
      insert into ${tickets} (event_id, id, booking_id, n, code)
      select event_id, (ticket ->> 0)::uuid, "bookingId", n, ticket ->> 1 from bought
    ), told as (
      insert into ${bookingTimeline} (event_id, booking_id, what, detail)
      select event_id, "bookingId", 'payment_captured', jsonb_build_object('amount', amount, 'method', method) from due
    ), staged as (
      insert into ${outbox} (kind, payload)
      select 'booking_confirmed', jsonb_strip_nulls(
        jsonb_build_object('eventId', event_id, 'bookingId', "bookingId", 'traceparent', trace)) from due
    )
    select due.at, due.event_id as "eventId", event.name as "eventName", due.currency,
      due.created_at as "createdAt", due.expires_at as "expiresAt", due.extended_at as "extendedAt",
      now()::timestamptz(3) as "confirmedAt", due.seats,
      (select json_agg(json_build_object('at', at, 'what', what, 'detail', detail) order by id) from ${bookingTimeline}
        where event_id = due.event_id and booking_id = due."bookingId") as timeline,
      -- Rows that disagree with what was locked end the transaction: a division by zero.
      1 / ((select count(*) from moved) = (select count(*) from bought) and (select count(*) from kept) = (
        select count(*) from due) and (select count(*) from booked) = (select count(*) from due))::int as agreed
    from due cross join lateral (select name from ${events} where id = due.event_id offset 0) as event`,
)
