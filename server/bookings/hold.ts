// Decides, in the cheapest order, why seats cannot be held for a buyer, and hands the rest to the ledger.
import { onePer } from '../../db/batches.ts'
import { holdSeats, type HoldOutcome } from '../../db/bookings/hold-seats.ts'
import type { BookingRow } from '../../db/bookings/read-bookings.ts'
import { SEAT_CODES } from '../../db/lifecycle.ts'
import type { Identity } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { invalid, Refusal, reply, toRefusal } from '../errors.ts'
import type { Once } from '../idempotency.ts'
import { ERROR_STATUS, type ErrorCode } from '../protocol/codes.ts'
import type { BookingAttempt } from '../room/booking-health.ts'
import type { BookingView, CreateBookingBody, Success } from '../protocol/http.ts'
import { codeAt } from '../protocol/seat-map.ts'
import type { ConflictStage } from '../telemetry.ts'
import { gateOf } from './gate.ts'
import { createSeatTurns } from './same-seat.ts'
import { parseSeatIds, seatIdOf, seatNumberOf } from './seat-ids.ts'
import { bookingView } from './view.ts'

/** Availability codes of seats that nobody gives back by waiting. */
const LASTING: number[] = [SEAT_CODES.SOLD, SEAT_CODES.BLOCKED]

interface Requester {
  identity: Identity
  requestId: string
}
interface HoldRequest extends Requester {
  body: CreateBookingBody
  /** What X-Admission-Pass said. */
  pass: string | undefined
}

/** POST /booking: 201 with the held booking, or a Refusal thrown. */
export async function hold(
  context: Context,
  request: HoldRequest,
  once: Once | undefined,
): Promise<Success<BookingView>> {
  const { eventId, seats } = parseSeatIds(wantedIds(request.body))
  const { accountId } = request.identity
  const pass = await context.room.requirePass(accountId, eventId, request.pass)
  if (pass !== 'ok') throw new Refusal(pass)

  return holdChosen(context, { ...request, eventId, seats }, once)
}

function outcomeOf(code: ErrorCode): BookingAttempt['outcome'] {
  if (code === 'seat_taken' || code === 'seat_locked') return 'conflict'
  return ERROR_STATUS[code] >= ERROR_STATUS.internal ? 'error' : 'refused'
}

type Chosen = Requester & { eventId: string; seats: number[] }

/** The same for seats already chosen, by n, for somebody already let in; the line hears how it went. */
export async function holdChosen(
  context: Context,
  chosen: Chosen,
  once: Once | undefined,
): Promise<Success<BookingView>> {
  const { eventId, seats, identity } = chosen
  const began = performance.now()
  const tell = (outcome: BookingAttempt['outcome']) => {
    context.saleTally.attempted(eventId, outcome)
    context.saleHistory.follow(eventId)
    context.room.bookingAttempted({
      eventId,
      accountId: identity.accountId,
      seats: seats.length,
      outcome,
      ms: performance.now() - began,
    })
  }
  try {
    const answer = await reserve(context, chosen, once)
    tell('held')
    return answer
  } catch (fault) {
    tell(outcomeOf(toRefusal(fault).code))
    throw fault
  }
}

async function reserve(
  context: Context,
  { eventId, seats, identity, requestId }: Chosen,
  once: Once | undefined,
): Promise<Success<BookingView>> {
  refuseSold(context, eventId, seats)
  const ask = () =>
    holdSeats(gateOf(context), {
      accountId: identity.accountId,
      eventId,
      seats,
      ...(once ? { idempotency: once.stage(held) } : {}),
    })
  const outcome = await (seats.length === 1 ? turnsOf(context)(seatIdOf(eventId, seats[0]!), ask) : ask())
  if (!outcome.ok) {
    if ('seats' in outcome) throw seatsRefused(context, eventId, outcome)
    throw new Refusal(outcome.refusal)
  }
  context.telemetry.seatsHeld({ requestId, eventId, bookingId: outcome.booking.id, seats: seats.length })
  return held(outcome.booking)
}

/** Of one seat, one question at a time: the two hundred others who want it cost Redis and Postgres nothing. */
const turnsOf = onePer((_context: Context) =>
  createSeatTurns<HoldOutcome>(
    (outcome) => {
      if (outcome.ok) return 'won'
      return outcome.refusal === 'seat_taken' || outcome.refusal === 'seat_locked' ? 'gone' : 'own'
    },
    (seatId) => ({ ok: false, refusal: 'seat_taken', seats: [seatNumberOf(seatId)], stage: 'status' }),
  ),
)

const held = (booking: BookingRow) => reply(201, 'Seats held', bookingView(booking))

/**
 * Refuses sold and blocked seats without asking anybody. Memory follows the ledger by a moment, and these two states
 * seldom end, so the worst is a "taken" told a moment too long. A reserved seat comes back every other minute, with
 * somebody waiting for just that: it is the gate's to refuse.
 */
function refuseSold(context: Context, eventId: string, seats: number[]): void {
  const known = context.availability.peek(eventId)
  if (known?.event.status !== 'PUBLISHED') return
  const { packed, total } = known.memory
  const gone = seats.filter((n) => n < total && LASTING.includes(codeAt(packed, n)))
  if (gone.length > 0)
    throw seatsRefused(context, eventId, { refusal: 'seat_taken', seats: gone, stage: 'status' })
}

function seatsRefused(
  context: Context,
  eventId: string,
  { refusal, seats, stage }: { refusal: 'seat_taken' | 'seat_locked'; seats: number[]; stage: ConflictStage },
): Refusal {
  context.telemetry.seatsRefused(stage, seats.length)
  return new Refusal(refusal, { details: { seatIds: seats.map((n) => seatIdOf(eventId, n)) } })
}

function wantedIds({ seatId, seatIds }: CreateBookingBody): string[] {
  if ((seatId === undefined) === (seatIds === undefined))
    throw invalid('/seatIds', 'give either seatId or seatIds')
  return seatIds ?? [seatId as string]
}
