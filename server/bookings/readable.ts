// Decides which bookings a person may see: their own, those of events they own, or all for an administrator.
import { findBooking, type BookingRow } from '../../db/bookings/read-bookings.ts'
import { findEventRow } from '../../db/events.ts'
import type { Identity } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'

type Needs = Pick<Context, 'ledger'>

/** `booking:read:all` reaches as far as its holder: to own events, and to every event for who manages accounts. */
export const seesEveryEvent = ({ permissions }: Identity): boolean =>
  permissions.has('booking:read:all') && permissions.has('user:manage')

/** The booking, when this person may read it; another's is `not_found`, as if it did not exist. */
export async function getReadable(context: Needs, identity: Identity, id: string): Promise<BookingRow> {
  const booking = await getBooking(context, id)
  if (booking.accountId === identity.accountId || seesEveryEvent(identity)) return booking
  if (!identity.permissions.has('booking:read:all')) throw new Refusal('not_found')
  return ofOwnEvent(context, identity, booking)
}

/** The booking, when it is this person's own. */
export async function getOwn(context: Needs, identity: Identity, id: string): Promise<BookingRow> {
  const booking = await getBooking(context, id)
  if (booking.accountId !== identity.accountId) throw new Refusal('not_found')
  return booking
}

/** The booking, when this person owns the event it is for. */
export async function getOfOwnEvent(context: Needs, identity: Identity, id: string): Promise<BookingRow> {
  return ofOwnEvent(context, identity, await getBooking(context, id))
}

async function ofOwnEvent(context: Needs, identity: Identity, booking: BookingRow): Promise<BookingRow> {
  const event = await findEventRow(context.ledger.db, booking.eventId)
  if (event?.ownerId !== identity.accountId) throw new Refusal('not_found')
  return booking
}

async function getBooking(context: Needs, id: string): Promise<BookingRow> {
  const booking = await findBooking(context.ledger.db, id)
  if (!booking) throw new Refusal('not_found')
  return booking
}
