// Owns what is read of a room's steps: the newest first for a person, and when the line came past a place.
import { and, asc, desc, eq, sql } from 'drizzle-orm'
import type { Reader } from './client.ts'
import { roomSteps } from './schema.ts'

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
