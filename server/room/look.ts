// Decides what an event id in a path means for its room.
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { RoomSnapshot } from './entrant.ts'

const EVENT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export const isEventId = (text: string): boolean => EVENT_ID.test(text)

/** The room as it is, at most half a second ago. Throws `not_found`. */
export async function lookAtRoom({ room }: Context, eventId: string): Promise<RoomSnapshot> {
  const snapshot = isEventId(eventId) ? await room.view(eventId) : null
  if (!snapshot) throw new Refusal('not_found')
  return snapshot
}
