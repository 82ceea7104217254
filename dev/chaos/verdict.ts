// Decides whether what the crowd was told agrees with itself and with what the stores say when all is quiet.
import { sql } from 'drizzle-orm'
import { runAudit } from '../../db/audit.ts'
import type { Ledger } from '../../db/client.ts'
import { connectRedis, redisReady } from '../../db/redis.ts'
import { now, type BookingSeen, type History } from './history.ts'
import { linearize } from './linearizable.ts'

/** Holds run out, late charges are settled, mails go out. */
const QUIET_WITHIN_MS = 120_000
/** Beyond the last expiry; I7 gives the cache its own time. */
const SETTLE_MS = 1_000
const POLL_MS = 500

export interface Judged {
  seats: number
  events: number
  steps: number
  resolved: { happened: number; not: number }
  audit: { id: string; name: string; ok: boolean; violations: number; sample: string[] }[]
  quietMs: number
  /** How the bookings of the crowd ended. */
  bookings: Record<string, number>
}

/** Adds what is wrong to the history's violations. */
export async function judge(
  history: History,
  { ledger, redisUrl, eventIds }: { ledger: Ledger; redisUrl: string; eventIds: string[] },
): Promise<Judged> {
  const quietMs = await becomeQuiet(history, ledger)
  const resolved = await resolveUnknown(history, ledger)
  for (const eventId of eventIds) await compareWithLedger(history, ledger, eventId)
  await checkMoney(history, ledger)
  const { events, steps } = checkOrders(history)
  const audit = await auditAll(ledger, redisUrl)
  for (const { id, name, ok, violations, sample } of audit)
    if (!ok)
      history.violation(`${id} (${name}) is broken ${violations} times: ${sample.slice(0, 3).join('; ')}`)
  const bookings = await countBookings(ledger, eventIds)
  return { seats: history.bySeat.size, events, steps, resolved, audit, quietMs, bookings }
}

async function countBookings({ sql: ask }: Ledger, eventIds: string[]): Promise<Record<string, number>> {
  const rows = await ask<{ status: string; count: number }[]>`
    select status::text as status, count(*)::int as count from bookings
    where event_id in ${ask(eventIds)} group by status order by status`
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]))
}

/** Waits until nothing is left that could still happen by itself. */
async function becomeQuiet(history: History, { sql: ask }: Ledger): Promise<number> {
  const began = now()
  const left = async () => {
    const [row] = await ask<{ holds: number; payments: number; messages: number }[]>`
      select (select count(*) from bookings where status = 'PENDING')::int as holds,
        (select count(*) from payments where status in ('PROCESSING', 'REFUND_DUE'))::int as payments,
        (select count(*) from outbox where settled_at is null and dead_at is null)::int as messages`
    return row!
  }
  let waiting = await left()
  while (waiting.holds + waiting.payments + waiting.messages > 0 && now() - began < QUIET_WITHIN_MS) {
    await Bun.sleep(POLL_MS)
    waiting = await left()
  }
  if (waiting.holds + waiting.payments + waiting.messages > 0)
    history.violation(
      `${QUIET_WITHIN_MS / 1_000} s after the sale ${waiting.holds} holds, ${waiting.payments} payments and ${waiting.messages} messages are still open`,
    )
  await Bun.sleep(SETTLE_MS)
  return now() - began
}

/** The ledger keeps the answer of every key in the hold's own transaction: what it does not know did not happen. */
async function resolveUnknown(history: History, { sql: ask }: Ledger): Promise<Judged['resolved']> {
  let happened = 0
  for (const call of history.unknownHolds) {
    const [row] = await ask<{ response: { data?: BookingSeen } }[]>`
      select response from idempotency_keys where account_id = ${call.accountId} and key = ${call.key}`
    if (!row?.response.data) continue
    happened += 1
    history.held(call, row.response.data)
  }
  return { happened, not: history.unknownHolds.length - happened }
}

/** Every booking there is was asked for, none that was acknowledged is missing, and each seat is looked at last. */
async function compareWithLedger(history: History, { sql: ask }: Ledger, eventId: string): Promise<void> {
  const looked = now()
  const rows = await ask<
    { id: string; status: string; account_id: string; seats: number[]; tickets: number }[]
  >`
    select b.id, b.status::text as status, b.account_id, array_agg(s.n order by s.n) as seats,
      (select count(*) from tickets t
        where t.event_id = b.event_id and t.booking_id = b.id and t.status = 'VALID')::int as tickets
    from bookings b join booking_seats s on s.event_id = b.event_id and s.booking_id = b.id
    where b.event_id = ${eventId} group by b.event_id, b.id`
  const known = new Map(rows.map((row) => [row.id, row]))
  for (const { id, account_id, seats } of rows) {
    const told = history.bookings.get(id)
    if (!told) history.violation(`booking ${id} of ${account_id} was never asked for`)
    else if (told.accountId !== account_id) history.violation(`booking ${id} was told to somebody else`)
    else if (
      told.seats.toSorted().join() !==
      seats
        .map((n) => `${eventId}:${n}`)
        .toSorted()
        .join()
    )
      history.violation(`booking ${id} has other seats than was told`)
  }
  for (const [id, { seats }] of history.bookings)
    if (seats[0]!.startsWith(eventId) && !known.has(id))
      history.violation(`booking ${id} was acknowledged and does not exist`)
  for (const id of history.confirmed) {
    const row = known.get(id)
    if (!row) continue
    if (row.status !== 'CONFIRMED' && row.status !== 'REFUNDED')
      history.violation(`booking ${id} was told to be paid and is ${row.status}`)
    if (row.status === 'CONFIRMED' && row.tickets !== row.seats.length)
      history.violation(`booking ${id} is paid and has ${row.tickets} tickets for ${row.seats.length} seats`)
  }
  const seats = await ask<{ n: number; status: string; booking_id: string | null }[]>`
    select n, status::text as status, booking_id from seats where event_id = ${eventId}`
  for (const { n, status, booking_id } of seats)
    history.addTo(`${eventId}:${n}`, {
      kind: 'look',
      saw: status === 'SOLD' ? 'sold' : status === 'RESERVED' ? 'held' : 'free',
      booking: booking_id ?? '',
      called: looked,
      answered: now(),
    })
}

/** Nobody is charged without valid tickets for all of it, or the money back: in the provider's book, not ours. */
async function checkMoney(history: History, { db }: Ledger): Promise<void> {
  const rows = await db.execute<{ ref: string; kept: number; status: string | null; due: number | null }>(sql`
    select c.ref, (c.amount - c.refunded)::int as kept, b.status::text as status, b.total::int as due
    from sandbox_charges c
    left join payments p on p.provider = 'sandbox' and p.provider_ref = c.ref
    left join bookings b on b.event_id = p.event_id and b.id = p.booking_id
    where c.outcome = 'captured' and c.amount <> c.refunded
      and (b.id is null or b.status <> 'CONFIRMED' or b.total <> c.amount - c.refunded)`)
  for (const { ref, kept, status, due } of rows)
    history.violation(
      `charge ${ref} keeps ${kept}, its booking is ${status ?? 'missing'} and costs ${due ?? 0}`,
    )
}

function checkOrders(history: History): { events: number; steps: number } {
  let [events, steps] = [0, 0]
  for (const [seat, list] of history.bySeat) {
    const verdict = linearize(list)
    events += list.length
    steps += verdict.steps
    if (verdict.ok) continue
    if (verdict.why === 'undecided')
      history.violation(`seat ${seat}: no order was found in ${verdict.steps} steps`)
    else {
      const { kind, booking, called, answered } = verdict.stuck
      const saw = 'saw' in verdict.stuck ? ` ${verdict.stuck.saw}` : ''
      const { seat: state } = verdict
      history.violation(
        `seat ${seat}: no order explains ${kind}${saw} of ${booking || 'nobody'} in [${called.toFixed(0)}, ${answered.toFixed(0)}] ms; ` +
          `then it was ${state.booking === '' ? 'free' : `${state.sold ? 'sold to' : 'held by'} ${state.booking} until ${state.until.toFixed(0)}`}`,
      )
    }
  }
  return { events, steps }
}

async function auditAll(ledger: Ledger, redisUrl: string): Promise<Judged['audit']> {
  const redis = connectRedis(redisUrl, { role: 'subscriber', name: 'onsale-chaos' })
  try {
    await redisReady(redis)
    return await runAudit({ db: ledger.db, redis })
  } finally {
    redis.disconnect()
  }
}
