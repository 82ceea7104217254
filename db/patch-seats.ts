// Decides what an organiser may change of seats outside a booking: whether they are on sale, and whom they are kept for.
import { and, asc, eq, inArray, ne, sql } from 'drizzle-orm'
import { inTransaction, type Db, type Tx } from './client.ts'
import { SEAT_MOVES, type SeatAccess, type SeatStatus } from './lifecycle.ts'
import { events, seats, sections } from './schema.ts'

export interface SeatChange {
  n: number
  status: SeatStatus
  version: number
}

export interface SeatPatch {
  eventId: string
  seats: number[]
  status?: 'BLOCKED' | 'AVAILABLE'
  access?: SeatAccess
  /** Kept with a blocked seat. */
  reason: string
}

export type PatchSeatsOutcome =
  /** `changed` holds only the seats that were not in that status before; `marked` counts those kept for others now. */
  | { ok: true; changed: SeatChange[]; marked: number }
  | { ok: false; refusal: 'seat_taken'; seats: number[] }
  /** Places of a general area have no neighbours to keep. */
  | { ok: false; refusal: 'request_invalid'; seats: number[] }
  | { ok: false; refusal: 'not_found' }

/**
 * All or none. A seat that is reserved or sold refuses to be blocked or freed; whom a seat is kept for may change at any
 * time and touches no booking. What changed is for the caller to settle in Redis and announce.
 */
export async function patchSeats(db: Db, patch: SeatPatch): Promise<PatchSeatsOutcome> {
  const { eventId, status, access } = patch
  const wanted = [...new Set(patch.seats)].toSorted((a, b) => a - b)
  return inTransaction(db, async (tx): Promise<PatchSeatsOutcome> => {
    // The event's row before its seats, as whoever creates seats takes them.
    if (access)
      await tx.select({ id: events.id }).from(events).where(eq(events.id, eventId)).for('no key update')
    const rows = await tx
      .select({ n: seats.n, status: seats.status, version: seats.version, kind: sections.kind })
      .from(seats)
      .innerJoin(sections, and(eq(sections.eventId, seats.eventId), eq(sections.id, seats.sectionId)))
      .where(and(eq(seats.eventId, eventId), inArray(seats.n, wanted)))
      .orderBy(asc(seats.n))
      .for('update', { of: seats })
    if (rows.length < wanted.length) return { ok: false, refusal: 'not_found' }
    const general = access === undefined ? [] : rows.filter(({ kind }) => kind === 'general')
    if (general.length > 0) return { ok: false, refusal: 'request_invalid', seats: general.map(({ n }) => n) }
    const taken = rows.filter((seat) => seat.status === 'RESERVED' || seat.status === 'SOLD')
    if (status && taken.length > 0)
      return { ok: false, refusal: 'seat_taken', seats: taken.map(({ n }) => n) }
    const changed = status ? await moveSeats(tx, { ...patch, status }, rows) : []
    const marked = access ? await markSeats(tx, eventId, wanted, access) : 0
    return { ok: true, changed, marked }
  })
}

async function moveSeats(
  tx: Tx,
  { eventId, status, reason }: SeatPatch & Required<Pick<SeatPatch, 'status'>>,
  rows: SeatChange[],
): Promise<SeatChange[]> {
  const move = status === 'BLOCKED' ? SEAT_MOVES.block : SEAT_MOVES.unblock
  const moving = rows.filter((seat) => seat.status === move.from)
  if (moving.length === 0) return []
  const read = JSON.stringify(moving.map(({ n, version }) => ({ n, version })))
  const moved = await tx.execute<{ n: number; version: number }>(sql`
    update seats set status = ${move.to}, version = seats.version + 1,
      blocked_reason = ${move.to === 'BLOCKED' ? reason : null}
    from jsonb_to_recordset(${read}::text::jsonb) as read(n int, version int)
    where seats.event_id = ${eventId} and seats.n = read.n and seats.version = read.version
      and seats.status = ${move.from}
    returning seats.n, seats.version`)
  if (moved.length < moving.length) throw new Error('a locked seat changed under its lock')
  return moved.map(({ n, version }) => ({ n, status: move.to, version }))
}

/** The map says whom seats are kept for, so that a change makes a new version of it. */
async function markSeats(tx: Tx, eventId: string, wanted: number[], access: SeatAccess): Promise<number> {
  const marked = await tx
    .update(seats)
    .set({ access })
    .where(and(eq(seats.eventId, eventId), inArray(seats.n, wanted), ne(seats.access, access)))
    .returning({ n: seats.n })
  if (marked.length > 0)
    await tx
      .update(events)
      .set({ mapVersion: sql`${events.mapVersion} + 1`, updatedAt: new Date() })
      .where(eq(events.id, eventId))
  return marked.length
}
