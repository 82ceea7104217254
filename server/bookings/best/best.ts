// Decides POST /booking/best: chooses seats, holds them, and chooses again when somebody else was quicker.
import { findEvent, isId } from '../../../db/events.ts'
import type { Identity } from '../../auth/access.ts'
import type { Context } from '../../context.ts'
import { invalid, Refusal } from '../../errors.ts'
import type { Known } from '../../events/availability.ts'
import type { Once } from '../../idempotency.ts'
import type { BestBookingBody, BookingView, Success } from '../../protocol/http.ts'
import { layOut } from '../../protocol/map-layout/lay-out.ts'
import { codeAt } from '../../protocol/seat-map.ts'
import { holdChosen } from '../hold.ts'
import { chooseSeats, type Choice } from './choose-seats.ts'
import { Claims } from './claims.ts'
import { hallOf, type Hall } from './hall.ts'

/** Somebody who loses this often in a row is told so; the seats are changing hands faster than one can look. */
const ATTEMPTS_MAX = 8
/** A hall of 100,000 seats is half a megabyte. */
const HALLS_MAX = 64

interface Request {
  body: BestBookingBody
  identity: Identity
  requestId: string
  pass: string | undefined
}

/** 201 with the held booking, or a Refusal thrown: `sold_out`, `seats_not_together`, and all that a hold may refuse. */
export async function holdBest(
  context: Context,
  { body, ...request }: Request,
  once: Once | undefined,
): Promise<Success<BookingView>> {
  const { eventId, quantity, together = true } = body
  if (!isId(eventId)) throw new Refusal('not_found')
  const pass = await context.room.requirePass(request.identity.accountId, eventId, request.pass)
  if (pass !== 'ok') throw new Refusal(pass)
  const known = await context.availability.find(eventId)
  if (known?.event.status !== 'PUBLISHED') throw new Refusal('not_found')
  if (quantity > known.event.maxSeatsPerBooking) throw new Refusal('seats_too_many')
  if (body.accessible)
    throw new Refusal('sold_out', { message: 'No accessible seats are sold for this event.' })
  const hall = await findHall(context, known)
  const claims = claimsOf(context, eventId)

  for (let attempt = 1; ; attempt++) {
    const now = Date.now()
    // Looked at afresh each time: a reload replaces what is in memory.
    const { packed } = (context.availability.peek(eventId) ?? known).memory
    const isFree = (n: number) => codeAt(packed, n) === 0 && !claims.has(n, now)
    const lane = { index: context.config.serverIndex, of: context.config.servers }
    const choice = chooseSeats(hall, isFree, { ...body, together }, lane)
    if ('none' in choice) throw refused(choice.none)
    claims.claim(choice.seats, now)
    try {
      return await holdChosen(context, { eventId, seats: choice.seats, ...request }, once)
    } catch (fault) {
      claims.release(choice.seats)
      const lost = fault instanceof Refusal && LOST.has(fault.code)
      if (lost) claims.refused(lostSeats(fault), Date.now())
      if (!lost || attempt >= ATTEMPTS_MAX) throw fault
    }
  }
}

/** Somebody else has the seats: others may do as well. */
const LOST = new Set(['seat_taken', 'seat_locked'])
const lostSeats = ({ details }: Refusal): number[] =>
  details && 'seatIds' in details ? details.seatIds.map((id) => Number(id.slice(id.indexOf(':') + 1))) : []

function refused(why: Exclude<Choice, { seats: number[] }>['none']): Refusal {
  if (why === 'not_found') return invalid('/section', 'no seats of this section and tier')
  return new Refusal(why)
}

const halls = new WeakMap<Context['ledger'], Map<string, Hall>>()
const claimed = new WeakMap<Context['ledger'], Map<string, Claims>>()

async function findHall({ ledger }: Context, { event }: Known): Promise<Hall> {
  const kept = halls.get(ledger) ?? new Map<string, Hall>()
  halls.set(ledger, kept)
  const hall = kept.get(event.id)
  if (hall && hall.mapVersion >= event.mapVersion) return hall
  const row = await findEvent(ledger.db, event.id)
  if (!row) throw new Refusal('not_found')
  const made = hallOf(layOut(row))
  kept.delete(event.id)
  if (kept.size >= HALLS_MAX) kept.delete(kept.keys().next().value!)
  kept.set(event.id, made)
  return made
}

function claimsOf({ ledger }: Context, eventId: string): Claims {
  const kept = claimed.get(ledger) ?? new Map<string, Claims>()
  claimed.set(ledger, kept)
  const known = kept.get(eventId) ?? new Claims()
  kept.delete(eventId)
  if (kept.size >= HALLS_MAX) kept.delete(kept.keys().next().value!)
  kept.set(eventId, known)
  return known
}
