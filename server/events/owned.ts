// Decides who may see an event and who may manage it: drafts belong to their owner, everything to an administrator.
import { findEventRow, type EventRow } from '../../db/events.ts'
import type { Identity } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Known } from './availability.ts'

type Needs = Pick<Context, 'ledger' | 'availability'>

/** The owner, or whoever may manage all people's things. */
export function mayManage(event: Pick<EventRow, 'ownerId'>, identity: Identity | null): boolean {
  return (
    identity !== null && (event.ownerId === identity.accountId || identity.permissions.has('user:manage'))
  )
}

/** Everybody sees what was published once; another's draft does not exist. */
export function maySee(event: Pick<EventRow, 'ownerId' | 'status'>, identity: Identity | null): boolean {
  return event.status !== 'DRAFT' || mayManage(event, identity)
}

/** The event's row for somebody who manages it. Throws `not_found` for another's draft, else `permission_denied`. */
export async function getManaged(context: Needs, identity: Identity, eventId: string): Promise<EventRow> {
  const event = await findEventRow(context.ledger.db, eventId)
  if (!event || !maySee(event, identity)) throw new Refusal('not_found')
  if (!mayManage(event, identity))
    throw new Refusal('permission_denied', { message: 'This event belongs to another organiser.' })
  return event
}

/** The event and its seats from memory, for somebody who may see it. Throws `not_found`. */
export async function getVisible(context: Needs, visitor: Identity | null, eventId: string): Promise<Known> {
  const known = await context.availability.find(eventId)
  if (!known) throw new Refusal('not_found')
  if (maySee(known.event, visitor)) return known
  // Published on another server a moment ago, perhaps; only a draft costs this question.
  const event = await findEventRow(context.ledger.db, eventId)
  if (!event || !maySee(event, visitor)) throw new Refusal('not_found')
  return { ...known, event }
}
