// Owns how the steps of a room's line are kept, as the line wrote them: why it flowed as it did, and how far it had come.
import { and, asc, desc, eq, sql } from 'drizzle-orm'
import type { Db, Reader } from './client.ts'
import { roomSteps } from './schema.ts'

export interface NewStep {
  epoch: number
  /** Counts from 1 in each epoch. */
  seq: number
  /** ms since 1970. */
  at: number
  kind: string
  serving: number
  called: number
  claimed: number
  noShows: number
  active: number
  detail?: unknown
}

/** Keeps steps in one statement; one that is kept already stays as it is, so that a repeat is safe. */
export async function saveSteps(db: Db, eventId: string, steps: NewStep[]): Promise<void> {
  if (steps.length === 0) return
  await db
    .insert(roomSteps)
    .values(steps.map((step) => ({ ...step, eventId, at: new Date(step.at), detail: step.detail ?? null })))
    .onConflictDoNothing()
}

/** How far the line had come by its latest step, for one statement about `eventId`. Never below 0. */
export const servingOfSteps = (eventId: string) =>
  sql`coalesce((select ${roomSteps.serving} from ${roomSteps} where ${roomSteps.eventId} = ${eventId}
    order by ${roomSteps.epoch} desc, ${roomSteps.seq} desc limit 1), 0)`

export type RoomStep = typeof roomSteps.$inferSelect
/** Where a step stands among all of its event. */
export interface StepAt {
  epoch: number
  seq: number
}

/** The newest first, below `before`. */
export async function listSteps(
  reader: Reader,
  { eventId, before, limit }: { eventId: string; before?: StepAt | undefined; limit: number },
): Promise<RoomStep[]> {
  const below = before && sql`(${roomSteps.epoch}, ${roomSteps.seq}) < (${before.epoch}, ${before.seq})`
  return reader
    .select()
    .from(roomSteps)
    .where(and(eq(roomSteps.eventId, eventId), below))
    .orderBy(desc(roomSteps.epoch), desc(roomSteps.seq))
    .limit(limit)
}

export interface Served extends StepAt {
  at: Date
  kind: string
  serving: number
}

/** How far the line had come and when, the oldest first, after `after`. */
export async function listServed(
  reader: Reader,
  { eventId, after, limit }: { eventId: string; after?: StepAt | undefined; limit: number },
): Promise<Served[]> {
  const above = after && sql`(${roomSteps.epoch}, ${roomSteps.seq}) > (${after.epoch}, ${after.seq})`
  return reader
    .select({
      epoch: roomSteps.epoch,
      seq: roomSteps.seq,
      at: roomSteps.at,
      kind: roomSteps.kind,
      serving: roomSteps.serving,
    })
    .from(roomSteps)
    .where(and(eq(roomSteps.eventId, eventId), above))
    .orderBy(asc(roomSteps.epoch), asc(roomSteps.seq))
    .limit(limit)
}
