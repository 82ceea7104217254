// Decides whether Postgres agrees with itself: the invariants of seats, bookings, money, tickets and outbox, as SQL.
import { sql, type SQL } from 'drizzle-orm'
import { isOver } from '../bookings/hold-clock.ts'

/** An expiry may be this late: its job, then the sweep, then whoever asks for the seat. */
const EXPIRY_GRACE_SECONDS = 10
const OUTBOX_GRACE_SECONDS = 60

export interface LedgerCheck {
  id: string
  name: string
  /** One text column, a row for each violation. */
  broken: SQL
  /** The same of one event; null when the whole is found by an index as it is. */
  brokenOf: ((eventId: string) => SQL) | null
}

interface Rule extends Pick<LedgerCheck, 'id' | 'name'> {
  /** `of` says, of a table by its alias, that its rows are among those to be looked at. */
  broken(of: (alias: string) => SQL): SQL
  byIndex?: true
}

const RULES: Rule[] = [
  {
    id: 'I1',
    name: 'no seat is in two live bookings',
    broken: (of) => sql`
      select 'seat ' || bs.event_id || ':' || bs.n || ' is in ' || count(*) || ' live bookings'
      from booking_seats bs
      join bookings b on b.event_id = bs.event_id and b.id = bs.booking_id
      where b.status in ('PENDING', 'CONFIRMED') and bs.live and ${of('bs')}
      group by bs.event_id, bs.n having count(*) > 1`,
  },
  {
    id: 'I2',
    name: 'seat status agrees with its booking',
    broken: (of) => sql`
      select 'seat ' || s.event_id || ':' || s.n || ' is ' || s.status || ', its booking '
        || coalesce(b.status::text, 'missing')
      from seats s
      left join booking_seats bs on bs.event_id = s.event_id and bs.booking_id = s.booking_id and bs.n = s.n and bs.live
      left join bookings b on b.event_id = bs.event_id and b.id = bs.booking_id
      where ${of('s')} and ((s.status = 'RESERVED' and b.status is distinct from 'PENDING')
        or (s.status = 'SOLD' and b.status is distinct from 'CONFIRMED'))
      union all
      select 'booking ' || b.id || ' is ' || b.status || ' and its seat ' || bs.n
        || case when bs.live then ' live' else ' not live' end || ' and ' || s.status
      from booking_seats bs
      join bookings b on b.event_id = bs.event_id and b.id = bs.booking_id
      join seats s on s.event_id = bs.event_id and s.n = bs.n
      where ${of('bs')} and ((bs.live and (b.status not in ('PENDING', 'CONFIRMED') or s.booking_id is distinct from b.id))
        or (not bs.live and b.status = 'PENDING'))
      union all
      select 'booking ' || b.id || ' is ' || b.status || ' and has no live seat'
      from bookings b
      where b.status in ('PENDING', 'CONFIRMED') and ${of('b')} and not exists (
        select 1 from booking_seats bs where bs.event_id = b.event_id and bs.booking_id = b.id and bs.live)`,
  },
  {
    id: 'I3',
    name: `no hold outlives its expiry by ${EXPIRY_GRACE_SECONDS} s`,
    byIndex: true,
    broken: () => sql`
      select 'booking ' || id || ' expired at ' || expires_at
      from bookings
      where status = 'PENDING' and expires_at <= now()
        and ${isOver(sql`expires_at + make_interval(secs => ${EXPIRY_GRACE_SECONDS})`, sql`frozen_ms`)}`,
  },
  {
    id: 'I4',
    name: 'a booking costs what its seats cost when they were held',
    broken: (of) => sql`
      select 'booking ' || b.id || ' costs ' || b.total || ', its seats ' || coalesce(bs.due, 0)
      from bookings b
      left join lateral (
        select sum(price) filter (where live or b.status in ('EXPIRED', 'CANCELLED')) as due,
          sum(price) as ever, count(*) as seats
        from booking_seats where event_id = b.event_id and booking_id = b.id) bs on true
      where ${of('b')} and (bs.seats <> b.seat_count
        or (b.status <> 'REFUNDED' and b.total <> coalesce(bs.due, 0))
        or (b.status = 'REFUNDED' and b.total > bs.ever))`,
  },
  {
    id: 'I5',
    name: 'money kept is the total of a confirmed booking, and nothing of any other',
    broken: (of) => sql`
      select 'booking ' || b.id || ' is ' || b.status || ', costs ' || b.total || ', keeps ' || coalesce(p.kept, 0)
      from bookings b
      left join (
        select event_id, booking_id, sum(captured - refunded) as kept from payments p
        where ${of('p')} group by event_id, booking_id
      ) p on p.event_id = b.event_id and p.booking_id = b.id
      where ${of('b')} and coalesce(p.kept, 0) <> case when b.status = 'CONFIRMED' then b.total else 0 end`,
  },
  {
    id: 'I6',
    name: 'a sold seat has one valid ticket, and no other seat has any',
    broken: (of) => sql`
      select 'seat ' || s.event_id || ':' || s.n || ' is ' || s.status || ' and has ' || count(t.id) || ' valid tickets'
      from seats s
      left join tickets t on t.event_id = s.event_id and t.n = s.n and t.status = 'VALID'
      where ${of('s')} and (s.status = 'SOLD' or t.id is not null)
      group by s.event_id, s.n
      having count(t.id) <> 1 or s.status <> 'SOLD' or bool_or(t.booking_id is distinct from s.booking_id)`,
  },
  {
    id: 'I11',
    name: 'nobody has more seats than a buyer may',
    broken: (of) => sql`
      select 'account ' || b.account_id || ' has ' || count(*) || ' seats of event ' || b.event_id
      from booking_seats bs
      join bookings b on b.event_id = bs.event_id and b.id = bs.booking_id
      join events e on e.id = b.event_id
      where ${of('bs')} and bs.live and (b.status = 'CONFIRMED' or (b.status = 'PENDING' and not ${isOver(sql`b.expires_at`, sql`b.frozen_ms`)}))
      group by b.event_id, b.account_id, e.max_seats_per_buyer
      having count(*) > e.max_seats_per_buyer`,
  },
  {
    id: 'I12',
    name: `every message is settled or younger than ${OUTBOX_GRACE_SECONDS} s`,
    byIndex: true,
    broken: () => sql`
      select 'message ' || id || ' (' || kind || ')' || case when dead_at is null then ' waits since ' || created_at
        else ' was given up: ' || coalesce(last_error, '') end
      from outbox
      where settled_at is null and created_at < now() - make_interval(secs => ${OUTBOX_GRACE_SECONDS})`,
  },
]

const EVERYTHING = () => sql`true`

export const LEDGER_CHECKS: LedgerCheck[] = RULES.map(({ id, name, broken, byIndex }) => ({
  id,
  name,
  broken: broken(EVERYTHING),
  brokenOf: byIndex
    ? null
    : (eventId) => broken((alias) => sql`${sql.identifier(alias)}.event_id = ${eventId}::uuid`),
}))
