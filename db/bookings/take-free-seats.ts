// Decides, in one statement for many requests of one event, which of them get free seats; each is all or none.
//
// One statement is one transaction and one round trip. Only the plain case is decided here: the event on sale, every seat
// AVAILABLE and in nobody's hands, the limits kept. Whoever is not among the takers has got nothing, and the long way
// (commit-holds.ts) finds out why, or frees what an overdue hold keeps.
import { sql, type Placeholder } from 'drizzle-orm'
import type { Reader } from '../client.ts'
import { BOOKING_MOVES, SEAT_MOVES } from '../lifecycle.ts'
import { bookings, bookingSeats, events, seats, sections, tiers } from '../schema.ts'
import { listOf, statement } from '../statement.ts'
import { bookingOf, type Committed, type Hold } from './hold.ts'

interface TakenSeat {
  /** Which of the requests, counted from 1. */
  request: number
  n: number
  version: number
  section: string
  row: string | null
  number: string | null
  tier: string
  price: number
  eventName: string
  currency: string
  createdAt: string
  expiresAt: string
}

/**
 * An answer each, in their order; null for who got nothing. The requests are of one event, and no two of them of one
 * buyer or for one seat. Throws when anything is not as locked; then nothing of it stands.
 */
export async function takeFreeSeats(reader: Reader, holds: Hold[]): Promise<(Committed | null)[]> {
  const each = <T>(pick: (hold: Hold, request: number) => T) =>
    holds.flatMap((hold, i) => hold.seats.map(() => pick(hold, i + 1)))
  const rows = await takeSeats(reader, {
    event: holds[0]!.eventId,
    buyers: listOf(holds.map(({ accountId }) => accountId)),
    seats: listOf(holds.flatMap((hold) => hold.seats)),
    requests: listOf(each((_, request) => request)),
    wanted: listOf(each((hold) => hold.seats.length)),
    bookings: listOf(each(({ bookingId }) => bookingId)),
    accounts: listOf(each(({ accountId }) => accountId)),
  })
  const taken = Map.groupBy(rows, ({ request }) => request)
  return holds.map((hold, i) => {
    const own = taken.get(i + 1)
    return own ? takenBy(hold, own) : null
  })
}

function takenBy(hold: Hold, rows: TakenSeat[]): Committed {
  const { eventName: name, currency, createdAt, expiresAt } = rows[0]!
  const times = { createdAt: new Date(createdAt), expiresAt: new Date(expiresAt) }
  const expiresAtMs = times.expiresAt.getTime()
  return {
    outcome: { ok: true, booking: bookingOf({ hold, event: { name, currency }, rows }, times) },
    known: rows.map(({ n, version }) => ({
      eventId: hold.eventId,
      n,
      status: SEAT_MOVES.hold.to,
      version,
      expiresAtMs,
    })),
  }
}

/**
 * Given as a text, so that the planner cannot count what is in it: a plan for a list of one looks cheaper than one for
 * any list, and the statement would be planned anew each time.
 */
const list = (value: Placeholder, type: 'int' | 'uuid') => sql`${value}::text::${sql.raw(type)}[]`

const free = sql.raw(`'${SEAT_MOVES.hold.from}'`)
const held = sql.raw(`'${SEAT_MOVES.hold.to}'`)
const pending = sql.raw(`'${BOOKING_MOVES.confirm.from}'`)

/**
 * In the order that cannot deadlock: first the buyers' locks, all of them (the seats wait for `allowed`), then the seats,
 * without waiting. Counting a buyer's seats needs to see what was committed while the lock was waited for, which only a
 * volatile function does.
 */
const takeSeats = statement<
  'event' | 'buyers' | 'seats' | 'requests' | 'wanted' | 'bookings' | 'accounts',
  TakenSeat
>(
  (value) => sql`
    with event as materialized (
      select name, currency, now() + make_interval(secs => hold_seconds) as expires_at,
        max_seats_per_booking as booking_max, max_seats_per_buyer as buyer_max
      from ${events}
      where id = ${value('event')}::uuid and status = 'PUBLISHED' and starts_at > now()
        and coalesce(on_sale_at <= now(), true)
    ), buyer as materialized (
      select request, case when pg_advisory_xact_lock(key) is not null
        then live_seats_of_buyer(${value('event')}::uuid, account_id) end as held
      from (
        select request, account_id, hashtextextended(${value('event')}::uuid || '/' || account_id, 0) as key
        from unnest(${list(value('buyers'), 'uuid')}) with ordinality as asked (account_id, request)
        order by key offset 0) as asked
    ), allowed as materialized (
      select array_agg(held order by request) as held from buyer
    ), seat as materialized (
      select asked.*, seat.*, event.*
      from event, unnest(${list(value('seats'), 'int')}, ${list(value('requests'), 'int')},
        ${list(value('wanted'), 'int')}, ${list(value('bookings'), 'uuid')}, ${list(value('accounts'), 'uuid')})
        as asked (n, request, wanted, booking_id, account_id)
      cross join lateral (
        select seat.version, seat.row_label, seat.seat_label, section.name as section, tier.name as tier, tier.price
        from ${seats} seat
        join ${sections} section on section.event_id = seat.event_id and section.id = seat.section_id
        join ${tiers} tier on tier.event_id = seat.event_id and tier.id = seat.tier_id
        where seat.event_id = ${value('event')}::uuid and seat.n = asked.n and seat.status = ${free}
        offset 0 for no key update of seat skip locked) as seat
      where asked.wanted <= event.booking_max
        and (select held from allowed)[asked.request] + asked.wanted <= event.buyer_max
    ), won as materialized (
      select * from (select *, count(*) over (partition by request) as had from seat) as seat where had = wanted
    ), made as (
      insert into ${bookings} (event_id, id, account_id, status, seat_count, total, currency, expires_at)
      select ${value('event')}::uuid, booking_id, account_id, ${pending}::booking_status, count(*), sum(price),
        currency, expires_at
      from won group by booking_id, account_id, currency, expires_at
    ), listed as (
      insert into ${bookingSeats} (event_id, booking_id, n, price)
      select ${value('event')}::uuid, booking_id, n, price from won
    ), moved as (
      update ${seats} seat set status = ${held}, version = seat.version + 1, booking_id = won.booking_id
      from won
      where seat.event_id = ${value('event')}::uuid and seat.n = won.n and seat.version = won.version
        and seat.status = ${free}
      returning seat.n
    )
    select request, n, version + 1 as version, section, row_label as row, seat_label as number, tier,
      price::float8 as price, name as "eventName", currency, now()::timestamptz(3) as "createdAt",
      expires_at::timestamptz(3) as "expiresAt",
      -- Seats and their versions that disagree under lock end the transaction: a division by zero.
      1 / ((select count(*) from moved) = (select count(*) from won))::int as agreed
    from won order by request, n`,
)
