// Owns the seats of an event outside a booking: how they are made in bulk, listed, blocked and read as a whole.
import { and, asc, eq, gt, gte, inArray, lt, ne, sql } from 'drizzle-orm'
import { inTransaction, type Db, type Reader, type Tx } from './client.ts'
import { isId } from './events.ts'
import type { Problem } from './event-rules.ts'
import { SEAT_CODES, SEAT_STATUSES, type SeatAccess, type SeatStatus } from './lifecycle.ts'
import { planSections, type NewSection, type PlannedSection } from './seat-plan.ts'
import { events, seats, sections, tiers } from './schema.ts'

export type { NewSection } from './seat-plan.ts'

export type CreateSeatsOutcome =
  | { ok: true; created: number; total: number; mapVersion: number }
  | { ok: false; refusal: 'request_invalid'; problems: Problem[] }
  | { ok: false; refusal: 'not_found' | 'event_not_on_sale' }

/** 200,000 rows and their indexes are seconds of work on a small machine; everything else stays under the pool's limit. */
export const BULK_STATEMENT_TIMEOUT = '60s'

/**
 * Adds sections and their seats, all or none, n following on from the seats there are. A section that exists with the
 * same layout is left as it is, so that repeating a request creates nothing; with another one it is refused.
 * The event's row is locked throughout: two requests at once follow each other.
 */
export async function createSeats(
  db: Db,
  eventId: string,
  wanted: NewSection[],
): Promise<CreateSeatsOutcome> {
  if (!isId(eventId)) return { ok: false, refusal: 'not_found' }
  return inTransaction(db, async (tx): Promise<CreateSeatsOutcome> => {
    const [event] = await tx.select().from(events).where(eq(events.id, eventId)).for('no key update')
    if (!event) return { ok: false, refusal: 'not_found' }
    if (event.status === 'CANCELLED') return { ok: false, refusal: 'event_not_on_sale' }
    const known = {
      currency: event.currency,
      seatCount: event.seatCount,
      tiers: await tx.select().from(tiers).where(eq(tiers.eventId, eventId)).orderBy(asc(tiers.id)),
      sections: await tx.select().from(sections).where(eq(sections.eventId, eventId)),
    }
    const plan = planSections(known, wanted)
    if (plan.problems.length > 0) return { ok: false, refusal: 'request_invalid', problems: plan.problems }
    const { seatCount, mapVersion } = event
    if (plan.sections.length === 0) return { ok: true, created: 0, total: seatCount, mapVersion }

    await tx.execute(sql`select set_config('statement_timeout', ${BULK_STATEMENT_TIMEOUT}, true)`)
    if (plan.tiers.length > 0) await tx.insert(tiers).values(plan.tiers.map((tier) => ({ eventId, ...tier })))
    await tx.insert(sections).values(plan.sections.map((section) => ({ eventId, ...section })))
    for (const section of plan.sections) {
      await insertSeats(tx, eventId, section)
      await markSeats(tx, eventId, section)
    }
    const created = plan.sections.reduce((sum, section) => sum + section.seatCount, 0)
    const change = { seatCount: seatCount + created, mapVersion: mapVersion + 1, updatedAt: new Date() }
    await tx.update(events).set(change).where(eq(events.id, eventId))
    return { ok: true, created, total: change.seatCount, mapVersion: change.mapVersion }
  })
}

/**
 * One statement a section. Seats of a row stand from left to right as seen from the audience; `odd-even` puts the odd
 * numbers left of the middle and the even ones right, lowest at the middle, as theatres do.
 */
export async function insertSeats(tx: Tx, eventId: string, section: PlannedSection): Promise<void> {
  const { id, tierId, firstN, seatCount, layout } = section
  if (!layout) {
    await tx.execute(sql`
      insert into seats (event_id, n, section_id, tier_id)
      select ${eventId}::uuid, n, ${id}::smallint, ${tierId}::smallint
      from generate_series(${firstN}::int, ${firstN + seatCount - 1}::int) as n`)
    return
  }
  const count = layout.seatsPerRow
  const half = Math.ceil(count / 2)
  const number = {
    'left-to-right': sql`i + 1`,
    'right-to-left': sql`${count}::int - i`,
    'odd-even': sql`case when i < ${half}::int then 2 * (${half}::int - i) - 1 else 2 * (i - ${half}::int) + 2 end`,
  }[layout.numbering]
  await tx.execute(sql`
    insert into seats (event_id, n, section_id, row_label, seat_label, tier_id)
    select ${eventId}::uuid, ${firstN}::int + (r.place::int - 1) * ${count}::int + i, ${id}::smallint,
      r.label, (${number})::text, ${tierId}::smallint
    from jsonb_array_elements_text(${JSON.stringify(layout.rowLabels)}::text::jsonb) with ordinality as r(label, place)
    cross join generate_series(0, ${count - 1}::int) as i`)
}

/** The seats that a section's layout keeps for who needs them. */
export async function markSeats(tx: Tx, eventId: string, { id, layout }: PlannedSection): Promise<void> {
  const marks = (layout?.access ?? []).flatMap(({ row, accessible = [], companion = [] }) => [
    ...accessible.map((number) => ({ row, number, access: 'accessible' })),
    ...companion.map((number) => ({ row, number, access: 'companion' })),
  ])
  if (marks.length === 0) return
  const marked = await tx.execute(sql`
    update seats set access = mark.access
    from jsonb_to_recordset(${JSON.stringify(marks)}::text::jsonb) as mark(row text, number text, access seat_access)
    where seats.event_id = ${eventId} and seats.section_id = ${id}::smallint
      and seats.row_label = mark.row and seats.seat_label = mark.number
    returning seats.n`)
  if (marked.length !== marks.length) throw new Error('a planned seat to be marked was not made')
}

export interface SeatRow {
  n: number
  section: string
  row: string | null
  number: string | null
  tier: string
  /** Minor units of the event's currency. */
  price: number
  status: SeatStatus
  /** Whom it is kept for. */
  access: SeatAccess
}

interface SeatQuery {
  eventId: string
  section?: string
  status?: SeatStatus
  access?: SeatAccess
  /** Only seats with these n. */
  among?: number[]
  limit: number
  afterN?: number
}

/** Seats in map order after `afterN`; an unknown section has none. */
export async function listSeats(reader: Reader, query: SeatQuery): Promise<SeatRow[]> {
  const { eventId, section, status, access, among, limit, afterN } = query
  let range
  if (section !== undefined) {
    const named = and(eq(sections.eventId, eventId), eq(sections.name, section))
    const [known] = await reader.select().from(sections).where(named)
    if (!known) return []
    range = and(gte(seats.n, known.firstN), lt(seats.n, known.firstN + known.seatCount))
  }
  return reader
    .select({
      n: seats.n,
      section: sections.name,
      row: seats.rowLabel,
      number: seats.seatLabel,
      tier: tiers.name,
      price: tiers.price,
      status: seats.status,
      access: seats.access,
    })
    .from(seats)
    .innerJoin(sections, and(eq(sections.eventId, seats.eventId), eq(sections.id, seats.sectionId)))
    .innerJoin(tiers, and(eq(tiers.eventId, seats.eventId), eq(tiers.id, seats.tierId)))
    .where(
      and(
        eq(seats.eventId, eventId),
        range,
        status === undefined ? undefined : eq(seats.status, status),
        access === undefined ? undefined : eq(seats.access, access),
        among === undefined ? undefined : inArray(seats.n, among),
        afterN === undefined ? undefined : gt(seats.n, afterN),
      ),
    )
    .orderBy(asc(seats.n))
    .limit(limit)
}

/** The seats kept for who needs them, ascending in n; all others are standard. */
export async function listMarkedSeats(
  reader: Reader,
  eventId: string,
): Promise<{ n: number; access: SeatAccess }[]> {
  return reader
    .select({ n: seats.n, access: seats.access })
    .from(seats)
    .where(and(eq(seats.eventId, eventId), ne(seats.access, 'standard')))
    .orderBy(asc(seats.n))
}

/** The status of every seat in map order, one code a byte; null when the event does not exist. One statement. */
export async function readAvailability(
  reader: Reader,
  eventId: string,
): Promise<{ total: number; codes: Uint8Array } | null> {
  if (!isId(eventId)) return null
  const code = sql.join(
    SEAT_STATUSES.map((status) => sql`when ${status} then decode(${`0${SEAT_CODES[status]}`}, 'hex')`),
    sql` `,
  )
  const [read] = await reader.execute<{ codes: Uint8Array | null }>(sql`
    select (
      select string_agg(case seats.status ${code} end, ''::bytea order by seats.n)
      from seats where seats.event_id = events.id
    ) as codes
    from events where events.id = ${eventId}`)
  if (!read) return null
  const codes = read.codes ?? new Uint8Array()
  return { total: codes.length, codes }
}
