// Decides, in one statement for many buyers at once, whose charge is opened: the plain case of a payment's beginning.
import { sql } from 'drizzle-orm'
import { isOver } from './bookings/hold-clock.ts'
import type { Reader } from './client.ts'
import { SANDBOX } from './sandbox.ts'
import { bookings, bookingTimeline, payments } from './schema.ts'
import { statement } from './statement.ts'

export interface StartRequest {
  bookingId: string
  accountId: string
  method: string
}

export type Payment = typeof payments.$inferSelect
/** With the seats of its booking counted. */
export type OpenedCharge = Payment & { seats: number }

/** An answer each, in their order; null for a booking that is not plainly to be paid now, or is being paid already. */
export async function openCharges(
  reader: Reader,
  requests: StartRequest[],
): Promise<(OpenedCharge | null)[]> {
  const charges = requests.map((request) => {
    const id = Bun.randomUUIDv7()
    return { ...request, id, providerRef: `${SANDBOX}_${id}` }
  })
  const made = await insertCharges(reader, { charges: JSON.stringify(charges) })
  const byId = new Map(made.map((row) => [row.id, row]))
  return charges.map(({ id }) => {
    const row = byId.get(id)
    return row ? { ...row, createdAt: new Date(row.createdAt), updatedAt: new Date(row.updatedAt) } : null
  })
}

type Made = Omit<OpenedCharge, 'createdAt' | 'updatedAt'> & { createdAt: string; updatedAt: string }

/** Bookings by event and id, as every move locks them; a second charge of one meets the unique index. */
const insertCharges = statement<'charges', Made>(
  (value) => sql`
    with asked as materialized (
      select charge.*, known.event_id
      from jsonb_to_recordset(${value('charges')}::text::jsonb) as charge
        (id uuid, "bookingId" uuid, "accountId" uuid, "providerRef" text, method text)
      cross join lateral (select event_id from ${bookings} where id = charge."bookingId" offset 0) as known
      order by known.event_id, charge."bookingId", charge.id
    ), due as materialized (
      select asked.*, b.total, b.seat_count
      from asked cross join lateral (
        select b.account_id, b.status, b.total, b.seat_count, ${isOver(sql`b.expires_at`, sql`b.frozen_ms`)} as over
        from ${bookings} b where b.event_id = asked.event_id and b.id = asked."bookingId"
        offset 0 for no key update) as b
      where b.account_id = asked."accountId" and b.status = 'PENDING' and not b.over
    ), made as (
      insert into ${payments} (event_id, id, booking_id, provider, provider_ref, method, status, amount)
      select event_id, id, "bookingId", '${sql.raw(SANDBOX)}', "providerRef", method, 'PROCESSING', total from due
      on conflict do nothing
      returning *
    ), told as (
      insert into ${bookingTimeline} (event_id, booking_id, what, detail)
      select event_id, booking_id, 'payment_started', jsonb_build_object('method', method) from made
    )
    select made.event_id as "eventId", made.id, made.booking_id as "bookingId", made.provider,
      made.provider_ref as "providerRef", made.method, made.status, made.amount::float8 as amount,
      made.captured::float8 as captured, made.refunded::float8 as refunded, made.created_at as "createdAt",
      made.updated_at as "updatedAt", due.seat_count as seats
    from made join due using (id)`,
)
