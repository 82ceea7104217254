// Owns a ledger after years of sales, made by a few statements: events, seats, bookings and all that hangs on them.
import type { Sql } from 'postgres'

const SEATS_PER_ROW = 200
/** Of an event's bookings; the rest ran out unpaid. */
const PAID_SHARE = 0.8
const PRICE = 4_500
const BOOKINGS_PER_ACCOUNT = 2
/** Before the ids of a running system, which begin with the time. */
const FIRST_MS = 1_700_000_000_000

export interface Growth {
  events: number
  /** Of each event. */
  seats: number
  /** Of all events together. */
  bookings: number
}

const uuidOf = (prefix: string, n: string) => `md5('${prefix}' || ${n})::uuid`
/** Ids grow with the time, as UUIDs of version 7 do. */
const timedId = (offset: number, n: string) =>
  `(lpad(to_hex(${FIRST_MS + offset} + ${n}), 12, '0') || '7000a' || substr(md5(${n}::text), 1, 15))::uuid`

/** The statements, in their order; each makes one table's rows of all that are asked for. */
function statements({ events, seats, bookings }: Growth): string[] {
  const perEvent = Math.floor(bookings / events)
  const paid = Math.floor(Math.min(perEvent * PAID_SHARE, seats * PAID_SHARE))
  const accounts = Math.max(1, Math.ceil(bookings / BOOKINGS_PER_ACCOUNT))
  /** Every booking: its number i, its event e, its number j within the event, its seat n. */
  const all = `(select i, i % ${events} as e, i / ${events} as j,
      case when i / ${events} < ${paid} then i / ${events} else (i / ${events} * 7919::bigint % ${seats})::int end as n
    from generate_series(0, ${perEvent * events - 1}) as i) as made`
  const [eventId, bookingId] = [uuidOf('event', 'e'), timedId(0, 'i')]
  const accountId = uuidOf('account', `(i % ${accounts})`)
  return [
    `insert into accounts (id, email, full_name, verified_at)
      select ${uuidOf('account', 'i')}, 'buyer-' || i || '@growth.test', 'Ada', now()
      from generate_series(0, ${accounts - 1}) as i`,
    `insert into events (id, owner_id, name, location, starts_at, time_zone, currency, status, seat_count, max_seats_per_buyer)
      select ${eventId}, ${uuidOf('account', '0')}, 'Night ' || e, 'Hall', now() + interval '30 days', 'Europe/Berlin',
        'EUR', 'PUBLISHED', ${seats}, 100 from generate_series(0, ${events - 1}) as e`,
    `insert into tiers (event_id, id, name, price)
      select ${eventId}, 0, 'Standard', ${PRICE} from generate_series(0, ${events - 1}) as e`,
    `insert into sections (event_id, id, name, kind, tier_id, first_n, seat_count, layout)
      select ${eventId}, 0, 'Stalls', 'seated', 0, 0, ${seats}, '{}' from generate_series(0, ${events - 1}) as e`,
    `insert into seats (event_id, n, section_id, row_label, seat_label, tier_id, status, version, booking_id)
      select ${eventId}, n, 0, (n / ${SEATS_PER_ROW} + 1)::text, (n % ${SEATS_PER_ROW} + 1)::text, 0,
        (case when n < ${paid} then 'SOLD' else 'AVAILABLE' end)::seat_status, case when n < ${paid} then 2 else 0 end,
        case when n < ${paid} then ${timedId(0, `(n::bigint * ${events} + e)`)} end
      from generate_series(0, ${events - 1}) as e, generate_series(0, ${seats - 1}) as n`,
    `insert into bookings (event_id, id, account_id, status, seat_count, total, currency, expires_at, created_at, confirmed_at, ended_at)
      select ${eventId}, ${bookingId}, ${accountId}, (case when j < ${paid} then 'CONFIRMED' else 'EXPIRED' end)::booking_status,
        1, ${PRICE}, 'EUR', now() - interval '1 day', now() - interval '2 days',
        case when j < ${paid} then now() - interval '1 day' end, case when j >= ${paid} then now() - interval '1 day' end
      from ${all}`,
    `insert into booking_seats (event_id, booking_id, n, price, live)
      select ${eventId}, ${bookingId}, n, ${PRICE}, j < ${paid} from ${all}`,
    `insert into booking_timeline (event_id, booking_id, what)
      select ${eventId}, ${bookingId}, case when j < ${paid} then 'payment_captured' else 'booking_expired' end from ${all}`,
    `insert into payments (event_id, id, booking_id, provider, provider_ref, method, status, amount, captured)
      select ${eventId}, ${timedId(1, 'i')}, ${bookingId}, 'sandbox', 'sandbox_' || i, 'sandbox_ok', 'CAPTURED', ${PRICE}, ${PRICE}
      from ${all} where j < ${paid}`,
    `insert into tickets (event_id, id, booking_id, n, code)
      select ${eventId}, ${timedId(2, 'i')}, ${bookingId}, n, md5('ticket' || i) from ${all} where j < ${paid}`,
    `insert into sandbox_charges (ref, amount, outcome) select 'sandbox_' || i, ${PRICE}, 'captured' from ${all} where j < ${paid}`,
    `insert into outbox (kind, payload, settled_at)
      select 'booking_confirmed', jsonb_build_object('eventId', ${eventId}, 'bookingId', ${bookingId}), now() from ${all}`,
  ]
}

/** Rows as they would be, so made that every invariant holds. Needs a superuser: references are not checked meanwhile. */
export async function loadGrowth(sql: Sql, growth: Growth): Promise<void> {
  await sql.begin(async (tx) => {
    await tx.unsafe('set local session_replication_role = replica')
    await tx.unsafe('set local synchronous_commit = off')
    await tx.unsafe('set local statement_timeout = 0')
    for (const statement of statements(growth)) await tx.unsafe(statement)
  })
  await sql.unsafe('set statement_timeout = 0')
  await sql.unsafe('vacuum (analyze)')
}

/** The id of the event with this number. */
export async function growthEvent(sql: Sql, e: number): Promise<string> {
  const [row] = await sql.unsafe<{ id: string }[]>(`select ${uuidOf('event', `'${e}'`)} as id`)
  return row!.id
}
