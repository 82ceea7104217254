// Decides by which clock holds run out: Postgres' own, which stands while nobody says that buyers can pay.
//
// Each server that can take payments says so about once a second (a beat). Silence longer than CLOCK_STOPS_AFTER_MS is an
// outage of ours, whatever its cause: the clock stands at the last beat, and no hold is over that was not over then. The
// first beat after it gives every hold what it lost, in one transaction, up to FROZEN_MAX_MS for all outages together.
import { desc, lt, sql, type SQL, type SQLWrapper } from 'drizzle-orm'
import { inTransaction, type Reader, type Tx } from '../client.ts'
import { EXPIRY_TICK_MS } from '../jobs.ts'
import { bookings, holdClock, holdFreezes } from '../schema.ts'
import { scheduleExpiry, type Gate } from './gate.ts'

/** How often a server that can take payments says so. */
export const BEAT_EVERY_MS = 1_000
/** Longer than a restart of one server and a late timer; a shorter outage costs a buyer no more than this. */
export const CLOCK_STOPS_AFTER_MS = 5_000
/** What one hold is given back at the most: seats must not stay with somebody for ever because we keep failing. */
export const FROZEN_MAX_MS = 15 * 60_000
/** Giving back touches every hold there is: hundreds of thousands after the worst of outages. */
const GIVE_BACK_TIMEOUT_MS = 60_000
/** Expiry jobs asked for after an outage; what ends later than these is found by the sweep. */
const TICKS_SCHEDULED_MAX = 1_000

const stopsAfter = sql.raw(`interval '${CLOCK_STOPS_AFTER_MS} milliseconds'`)
const givenAtMost = sql.raw(String(FROZEN_MAX_MS))

/** The time by the clock of holds. A ledger no server has ever worked on has no beat, and its clock runs. */
const holdTime = sql`coalesce((select case when beat_at > now() - ${stopsAfter} then now() else beat_at end
  from hold_clock), now())`

/** The moment since which the clock stands; null while it runs. */
export const frozenSince: SQL = sql`(select beat_at from hold_clock where beat_at <= now() - ${stopsAfter})`

/** Whether a hold is over; what is used up of FROZEN_MAX_MS keeps it no longer. */
export const isOver = (
  expiresAt: SQLWrapper = bookings.expiresAt,
  frozenMs: SQLWrapper = bookings.frozenMs,
): SQL<boolean> =>
  sql<boolean>`(${expiresAt} <= greatest(${holdTime}, now() - (${givenAtMost} - ${frozenMs}) * interval '1 millisecond'))`

/** Why nobody could pay, as the timeline of a booking says it. */
export const FREEZE_REASONS = ['postgres', 'payment_provider', 'overloaded', 'servers_away'] as const
export type FreezeReason = (typeof FREEZE_REASONS)[number]

export interface GivenBack {
  since: Date
  until: Date
  /** Holds that got time. */
  holds: number
}

/**
 * Says that buyers can pay. Gives back what an outage before took, which it then answers; null in ordinary times.
 * Safe from any number of servers at once: one of them gives back, the others find it done.
 */
export async function beatHoldClock(
  gate: Gate,
  { by, reason }: { by: string; reason: FreezeReason },
): Promise<GivenBack | null> {
  const [beaten] = await gate.db
    .update(holdClock)
    .set({ beatAt: sql`now()` })
    .where(sql`${holdClock.beatAt} > now() - ${stopsAfter}`)
    .returning({ id: holdClock.id })
  if (beaten) return null
  const done = await inTransaction(gate.db, (tx) => startClock(tx, { by, reason }))
  for (const endsAt of done?.ends ?? []) await scheduleExpiry(gate, endsAt)
  return done && { since: done.since, until: done.until, holds: done.holds }
}

async function startClock(
  tx: Tx,
  told: { by: string; reason: FreezeReason },
): Promise<(GivenBack & { ends: Date[] }) | null> {
  await tx.execute(sql.raw(`set local statement_timeout = ${GIVE_BACK_TIMEOUT_MS}`))
  await tx
    .insert(holdClock)
    .values({ beatAt: sql`now()` })
    .onConflictDoNothing()
  // now() is when this transaction began: whoever waits for the lock looks at the clock of before.
  const [stood] = await tx.execute<{ since: string; until: string; stands: boolean }>(sql`
    select beat_at as since, now() as until, beat_at <= now() - ${stopsAfter} as stands from hold_clock for update`)
  if (!stood?.stands) return null
  const [given] = await giveBack(tx, { ...told, since: stood.since })
  const [since, until] = [new Date(stood.since), new Date(stood.until)]
  await tx.update(holdClock).set({ beatAt: sql`now()` })
  await tx
    .insert(holdFreezes)
    .values({ since, until, reason: told.reason, endedBy: told.by, holds: given!.holds })
  return { since, until, holds: given!.holds, ends: given!.ends.map((ms) => new Date(Number(ms))) }
}

/**
 * Every hold that was in time when the clock stopped gets the time it stood, from its own beginning at the earliest. One
 * that would be over all the same is left alone. Rows are locked in the order in which every move locks them.
 */
function giveBack(tx: Tx, { since, by, reason }: { since: string; by: string; reason: FreezeReason }) {
  return tx.execute<{ holds: number; ends: (number | string)[] }>(sql`
    with held as materialized (
      select event_id, id from bookings
      where status = 'PENDING' and expires_at > ${since}::timestamptz
      order by event_id, id for no key update
    ), due as (
      select b.event_id, b.id, greatest(0, least(${givenAtMost} - b.frozen_ms,
        floor(extract(epoch from now() - greatest(${since}::timestamptz, b.created_at)) * 1000)))::int as ms
      from held join bookings b on b.event_id = held.event_id and b.id = held.id
    ), given as (
      update bookings b
      set expires_at = b.expires_at + due.ms * interval '1 millisecond', frozen_ms = b.frozen_ms + due.ms
      from due
      where b.event_id = due.event_id and b.id = due.id and b.status = 'PENDING' and due.ms > 0
        and b.expires_at + due.ms * interval '1 millisecond' > now()
      returning b.event_id, b.id, b.expires_at, due.ms
    ), told as (
      insert into booking_timeline (event_id, booking_id, what, detail)
      select event_id, id, 'hold_frozen', jsonb_build_object('reason', ${reason}::text, 'since', ${since}::timestamptz,
        'seconds', round(ms / 1000.0), 'expiresAt', expires_at, 'by', ${by}::text)
      from given
    )
    select (select count(*)::int from given) as holds, array(
      select distinct ceil(extract(epoch from expires_at) * 1000 / ${sql.raw(String(EXPIRY_TICK_MS))})::bigint
        * ${sql.raw(String(EXPIRY_TICK_MS))}
      from given order by 1 limit ${sql.raw(String(TICKS_SCHEDULED_MAX))}) as ends`)
}

export type Freeze = typeof holdFreezes.$inferSelect

/** Outages that were given back, newest first, from before the one with the id `before`. */
export function listFreezes(
  reader: Reader,
  { limit, before }: { limit: number; before?: number | undefined },
): Promise<Freeze[]> {
  return reader
    .select()
    .from(holdFreezes)
    .where(before === undefined ? undefined : lt(holdFreezes.id, before))
    .orderBy(desc(holdFreezes.id))
    .limit(limit)
}

export interface HoldClockState {
  /** Null while the clock runs. */
  since: Date | null
}

/** What the clock does now. */
export async function readHoldClock(reader: Reader): Promise<HoldClockState> {
  const [row] = await reader.execute<{ since: string | null }>(sql`select ${frozenSince} as since`)
  return { since: row?.since ? new Date(row.since) : null }
}
