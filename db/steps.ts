// Owns how the steps of a room's line are kept, as the line wrote them: why it flowed as it did, and how far it had come.
import { sql } from 'drizzle-orm'
import type { Db } from './client.ts'
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
