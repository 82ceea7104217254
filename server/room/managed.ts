// Decides whose room it is: the event's owner runs it, an administrator any; for others it does not exist.
import { findRoom, type RoomSettings } from '../../db/rooms.ts'
import type { Identity } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import { isEventId } from './look.ts'

export const MANAGE = 'room:manage:own'

/** The settings of an event the caller runs. Throws `not_found`. */
export async function managedRoom(
  { ledger }: Pick<Context, 'ledger'>,
  eventId: string,
  { accountId, permissions }: Identity,
): Promise<RoomSettings> {
  const settings = isEventId(eventId) ? await findRoom(ledger.db, eventId) : null
  if (!settings || (settings.ownerId !== accountId && !permissions.has('user:manage')))
    throw new Refusal('not_found')
  return settings
}
