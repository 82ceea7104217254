// Owns how the seats of a draft are made anew after one of its sections changed: n without a hole, marks kept.
import { and, asc, eq, gt, gte, ne, or, sql } from 'drizzle-orm'
import type { Tx } from './client.ts'
import type { EventRow, SectionRow, TierRow } from './events.ts'
import type { SeatAccess, SeatStatus } from './lifecycle.ts'
import type { SeatChange } from './patch-seats.ts'
import type { NewSection, PlannedSection, PlannedTier } from './seat-plan.ts'
import { BULK_STATEMENT_TIMEOUT, insertSeats, markSeats } from './seats.ts'
import { events, seats, sections, tiers } from './schema.ts'

/** Sections and tiers by id. */
export interface Draft {
  event: EventRow
  tiers: TierRow[]
  sections: SectionRow[]
}
interface House {
  tiers: PlannedTier[]
  sections: PlannedSection[]
}
export interface Rebuilt {
  total: number
  mapVersion: number
  /** Seats whose cached status may be that of another seat. */
  settled: SeatChange[]
  /** Seats that moved once and are no more. */
  gone: number[]
}
/** What a seat has beyond its place: off sale, kept for somebody, or once moved. */
interface Mark {
  n: number
  row: string | null
  number: string | null
  sectionId: number
  status: SeatStatus
  reason: string | null
  access: SeatAccess
  version: number
}

export interface Edit {
  /** Which section, by its place among all. */
  at: number
  /** Null: it is taken away. */
  replacement: NewSection | null
}

/** Makes the seats anew from the first section on that is not as it was. */
export async function rebuildSeats(tx: Tx, draft: Draft, house: House, edit: Edit): Promise<Rebuilt> {
  const { event } = draft
  const tiersKept = sameUpTo(draft.tiers, house.tiers)
  const tierChanges = house.sections.findIndex(({ tierId }) => tierId >= tiersKept)
  const sectionsKept = sameUpTo(draft.sections, house.sections)
  const from = tierChanges < 0 ? sectionsKept : Math.min(sectionsKept, tierChanges)
  const firstN = draft.sections[from]?.firstN ?? event.seatCount
  await tx.execute(sql`select set_config('statement_timeout', ${BULK_STATEMENT_TIMEOUT}, true)`)
  const marks = await readMarks(tx, event.id, firstN)

  await tx.delete(seats).where(and(eq(seats.eventId, event.id), gte(seats.n, firstN)))
  await tx.delete(sections).where(and(eq(sections.eventId, event.id), gte(sections.id, from)))
  await tx.delete(tiers).where(and(eq(tiers.eventId, event.id), gte(tiers.id, tiersKept)))
  const eventId = event.id
  const newTiers = house.tiers.slice(tiersKept).map((tier) => ({ eventId, ...tier }))
  if (newTiers.length > 0) await tx.insert(tiers).values(newTiers)
  const newSections = house.sections.slice(from)
  if (newSections.length > 0)
    await tx.insert(sections).values(newSections.map((section) => ({ eventId, ...section })))
  for (const section of newSections) await insertSeats(tx, eventId, section)

  const total = house.sections.reduce((sum, { seatCount }) => sum + seatCount, 0)
  const settled = await restoreMarks(tx, { draft, house, edit, marks, total })
  const gone = marks.filter(({ n, version }) => version > 0 && n >= total).map(({ n }) => n)
  return { ...(await newMap(tx, event, total)), settled, gone }
}

/** How many of the rows from the first on are already what they shall be. */
function sameUpTo(rows: { eventId: string }[], wanted: object[]): number {
  const at = wanted.findIndex((one, index) => {
    const { eventId: _, ...row } = rows[index] ?? { eventId: '' }
    return !Bun.deepEquals(row, one)
  })
  return at < 0 ? wanted.length : at
}

const readMarks = (tx: Tx, eventId: string, firstN: number): Promise<Mark[]> =>
  tx
    .select({
      n: seats.n,
      row: seats.rowLabel,
      number: seats.seatLabel,
      sectionId: seats.sectionId,
      status: seats.status,
      reason: seats.blockedReason,
      access: seats.access,
      version: seats.version,
    })
    .from(seats)
    .where(
      and(
        eq(seats.eventId, eventId),
        gte(seats.n, firstN),
        or(gt(seats.version, 0), ne(seats.access, 'standard')),
      ),
    )
    .orderBy(asc(seats.n))

/** Where each mark's seat is now; every n that ever moved gets a version above all the old ones. */
async function restoreMarks(
  tx: Tx,
  {
    draft,
    house,
    edit,
    marks,
    total,
  }: { draft: Draft; house: House; edit: Edit; marks: Mark[]; total: number },
): Promise<SeatChange[]> {
  const { id: eventId } = draft.event
  const { at, replacement } = edit
  if (replacement && 'access' in replacement) {
    const section = house.sections[at]
    if (section) await markSeats(tx, eventId, section)
  }
  const fence = marks.reduce((most, { version }) => Math.max(most, version), 0) + 1
  const moved = new Map<number, SeatChange>()
  for (const { n, version } of marks)
    if (version > 0 && n < total) moved.set(n, { n, status: 'AVAILABLE', version: fence })
  const placed = marks.flatMap((mark) => {
    const n = newPlace(draft, house, edit, mark)
    if (n === null) return []
    if (mark.status === 'BLOCKED') moved.set(n, { n, status: 'BLOCKED', version: fence })
    const decided = mark.sectionId === at && replacement && 'access' in replacement
    return [{ n, status: mark.status, reason: mark.reason, access: decided ? null : mark.access }]
  })
  await tx.execute(sql`
    update seats set version = ${fence}::int
    where event_id = ${eventId} and n in (
      select value::int from jsonb_array_elements_text(${JSON.stringify([...moved.keys()])}::text::jsonb))`)
  await tx.execute(sql`
    update seats set status = mark.status, blocked_reason = mark.reason, access = coalesce(mark.access, seats.access)
    from jsonb_to_recordset(${JSON.stringify(placed)}::text::jsonb)
      as mark(n int, status seat_status, reason text, access seat_access)
    where seats.event_id = ${eventId} and seats.n = mark.n`)
  return [...moved.values()]
}

/** The same row and number, or the same place of an area; null when there is none any more. */
function newPlace(draft: Draft, house: House, { at, replacement }: Edit, mark: Mark): number | null {
  const before = draft.sections[mark.sectionId]
  const isEdited = mark.sectionId === at
  if (!before || (isEdited && !replacement)) return null
  const after = house.sections[mark.sectionId > at && !replacement ? mark.sectionId - 1 : mark.sectionId]
  if (!after) return null
  if (!isEdited || Bun.deepEquals(before.layout, after.layout)) {
    const offset = mark.n - before.firstN
    return offset < after.seatCount ? after.firstN + offset : null
  }
  const { layout } = after
  if (!layout || mark.row === null) return null
  const row = layout.rowLabels.indexOf(mark.row)
  const i = placeOf(layout.numbering, layout.seatsPerRow, Number(mark.number))
  return row < 0 || i === null ? null : after.firstN + row * layout.seatsPerRow + i
}

/** Where in a row of `count` the seat of this number stands, 0-based; the reverse of how seats are numbered. */
function placeOf(
  numbering: NonNullable<PlannedSection['layout']>['numbering'],
  count: number,
  number: number,
): number | null {
  if (number < 1 || number > count) return null
  if (numbering === 'left-to-right') return number - 1
  if (numbering === 'right-to-left') return count - number
  const half = Math.ceil(count / 2)
  return number % 2 === 1 ? half - (number + 1) / 2 : half + number / 2 - 1
}

/** A change of the map is a new version of it. */
export async function newMap(tx: Tx, { id, mapVersion }: EventRow, seatCount: number) {
  const change = { seatCount, mapVersion: mapVersion + 1, updatedAt: new Date() }
  await tx.update(events).set(change).where(eq(events.id, id))
  return { total: seatCount, mapVersion: change.mapVersion }
}
