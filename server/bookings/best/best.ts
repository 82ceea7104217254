// Decides POST /booking/best: chooses seats, holds them, and chooses again when somebody else was quicker.
import { findEvent, isId } from '../../../db/events.ts'
import { listMarkedSeats } from '../../../db/seats.ts'
import type { Identity } from '../../auth/access.ts'
import type { Context } from '../../context.ts'
import { invalid, Refusal } from '../../errors.ts'
import type { Known } from '../../events/availability.ts'
import type { Once } from '../../idempotency.ts'
import type { BestBookingBody, BookingView, Success } from '../../protocol/http.ts'
import { layOut } from '../../protocol/map-layout/lay-out.ts'
import { packAccess } from '../../protocol/seat-map.ts'
import { holdChosen } from '../hold.ts'
import { LISTEN_MS, shareClaims, type Claims } from './claims.ts'
import { Chooser, type Choice, type Wish } from './choose-seats.ts'
import { FreeSeats } from './free-seats.ts'
import { hallOf } from './hall.ts'

/** Somebody who loses this often in a row is told so; the seats are changing hands faster than one can look. */
const ATTEMPTS_MAX = 8
/** A hall of 100,000 seats is about a megabyte. */
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
  const hall = await findHall(context, known)

  hall.underWay += quantity
  try {
    for (let attempt = 1; ; attempt++) {
      const seats = await choose(context, hall, known, { ...body, together, again: attempt > 1 })
      const held = await holdOrLose(context, hall, { eventId, seats, ...request }, once)
      if (!(held instanceof Refusal)) return held
      if (attempt >= ATTEMPTS_MAX) throw held
    }
  } finally {
    hall.underWay -= quantity
  }
}

/**
 * Seats that are claimed for this request. Who enters another server's rows while others ask, too, looks twice: in the
 * moment between, that server's choices are heard. Throws a Refusal.
 */
async function choose(
  context: Context,
  hall: KnownHall,
  known: Known,
  { again, ...wish }: Wish & { again: boolean },
): Promise<number[]> {
  const { serverIndex, servers } = context.config
  const { chooser, claims } = hall
  const { index, of } = servers > 1 ? { index: serverIndex, of: servers } : claims.lane(Date.now())
  /** Nothing is awaited between looking and claiming: in one process no two choices meet. */
  const look = (): number[] => {
    // Looked at afresh each time: a reload replaces what is in memory.
    chooser.free.follow((context.availability.peek(known.event.id) ?? known).memory, Date.now())
    const choice = chooser.choose(wish, { index, of, underWay: hall.underWay - wish.quantity })
    if ('none' in choice) throw refused(choice.none, wish.accessible)
    return choice.seats
  }
  let seats = look()
  const alone = hall.underWay === wish.quantity
  if (!again && !alone && chooser.entersOthers(seats, { index, of })) {
    await Bun.sleep(LISTEN_MS)
    seats = look()
  }
  chooser.free.claim(seats, Date.now())
  claims.tell(seats)
  return seats
}

/** The answer, or the Refusal of somebody who came too late and may choose again; any other fault is thrown. */
async function holdOrLose(
  context: Context,
  { chooser: { free } }: KnownHall,
  chosen: Parameters<typeof holdChosen>[1],
  once: Once | undefined,
): Promise<Success<BookingView> | Refusal> {
  try {
    const held = await holdChosen(context, chosen, once)
    free.held(chosen.seats, Date.parse(held.data.expiresAt))
    return held
  } catch (fault) {
    free.release(chosen.seats)
    if (!(fault instanceof Refusal)) throw fault
    if (fault.code === 'seat_taken') free.lost(seatsOf(fault), 'taken', Date.now())
    else if (fault.code === 'seat_locked') free.lost(seatsOf(fault), 'locked', Date.now())
    else throw fault
    return fault
  }
}

const seatsOf = ({ details }: Refusal): number[] =>
  details && 'seatIds' in details ? details.seatIds.map((id) => Number(id.slice(id.indexOf(':') + 1))) : []

function refused(why: Extract<Choice, { none: string }>['none'], accessible = false): Refusal {
  if (why === 'not_found') return invalid('/section', 'no seats of this section and tier')
  if (why === 'sold_out' && accessible)
    return new Refusal(why, { message: 'No accessible seat is left. One that comes back shows on the map.' })
  if (why !== 'kept') return new Refusal(why)
  return new Refusal('sold_out', {
    message:
      'Only accessible seats and those of companions are left. They are kept for people who need them.',
  })
}

interface KnownHall {
  mapVersion: number
  chooser: Chooser
  claims: Claims
  /** Seats that requests of this process are asking for at this moment. */
  underWay: number
}

const halls = new WeakMap<Context['ledger'], Map<string, KnownHall>>()

async function findHall(context: Context, { event }: Known): Promise<KnownHall> {
  const { ledger } = context
  const kept = halls.get(ledger) ?? new Map<string, KnownHall>()
  halls.set(ledger, kept)
  const hall = kept.get(event.id)
  if (hall && hall.mapVersion >= event.mapVersion) return hall
  const row = await findEvent(ledger.db, event.id)
  if (!row) throw new Refusal('not_found')
  // After the event: marks newer than its version are of the version that comes next.
  const access = packAccess(await listMarkedSeats(ledger.db, event.id))
  // Whoever asked at the same moment made it too: all must choose from one.
  const made = kept.get(event.id)
  if (made && made.mapVersion >= row.mapVersion) return made
  forget(kept, event.id)
  if (kept.size >= HALLS_MAX) forget(kept, kept.keys().next().value!)
  const free = new FreeSeats(hallOf(layOut({ ...row, access })))
  const claims = shareClaims(context, event.id, (seats) => free.chosenElsewhere(seats, Date.now()))
  const fresh = { mapVersion: row.mapVersion, chooser: new Chooser(free), claims, underWay: 0 }
  kept.set(event.id, fresh)
  return fresh
}

function forget(kept: Map<string, KnownHall>, eventId: string): void {
  kept.get(eventId)?.claims.close()
  kept.delete(eventId)
}
