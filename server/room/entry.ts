// Decides who may enter a line from where: so many an address, over all servers, and never against somebody's own place.
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import { addressKey, limit } from '../rate-limit.ts'
import { levelOfRisk } from './challenge.ts'
import type { Move } from './room.ts'

export interface Entry {
  eventId: string
  accountId: string
  /** Where the request or the socket came from. */
  address: string
  ticket?: string
  /** Names the connection; absent over HTTP. */
  socket?: string
}

/**
 * Joins, or comes back. Many first joins from one address are refused (throws `rate_limited`), fewer of them make its
 * new entrants owe a proof of work where the room says `auto`; whoever has a place is neither counted nor refused.
 */
export async function enterRoom(
  context: Context,
  { eventId, accountId, address, ticket = '', socket = '' }: Entry,
): Promise<Move> {
  const { room } = context
  const returns = ticket !== '' && (await hasPlace(context, eventId, accountId, ticket))
  const recentJoins = returns ? 0 : await countJoin(context, { eventId, accountId, address })
  const move = await room.join(eventId, accountId, { ticket, socket })
  const level = levelOfRisk(recentJoins)
  if (move.ok && move.fresh && level > 0)
    await room.challenges.demand({ eventId, accountId, number: move.entrant.number! }, level)
  return move
}

/** A place of this epoch is known; one of an earlier epoch is proved by its ticket alone. */
async function hasPlace(
  { room, tokens }: Context,
  eventId: string,
  accountId: string,
  ticket: string,
): Promise<boolean> {
  const { state, epoch } = await room.entrant(eventId, accountId)
  if (state !== 'outside') return true
  const claims = ticket ? tokens.verifyPlace(ticket) : null
  return (
    claims !== null &&
    claims !== 'expired' &&
    claims.accountId === accountId &&
    claims.eventId === eventId &&
    claims.epoch < epoch
  )
}

/** How many this address let join lately, this one included. */
async function countJoin(context: Context, { eventId, accountId, address }: Entry): Promise<number> {
  // This machine: load made here, or a proxy that TRUST_PROXY does not name, behind which everybody looks the same.
  if (isLoopback(address)) return 0
  const limited = await limit(context, { name: 'join', key: addressKey(address) })
  if (limited.ok) return limited.recent
  if (await hasPlace(context, eventId, accountId, '')) return 0
  throw new Refusal('rate_limited', {
    message: 'Too many people join from your network at this moment; please try again shortly.',
    retryAfterSeconds: limited.retryAfterSeconds,
  })
}

const isLoopback = (address: string) => /^(::1$|(::ffff:)?127\.)/i.test(address)
