// Decides, under lock and for many requests in one transaction, which of them get their seats; each is all or none.
//
// The long way of a hold: for whatever the one statement of the plain case (take-free-seats.ts) gave nothing.
import type { Tx } from '../client.ts'
import { SEAT_MOVES } from '../lifecycle.ts'
import { takeOverdueSeats } from './expire-bookings.ts'
import type { MovedSeat } from './gate.ts'
import type { Committed, Hold, HoldOutcome } from './hold.ts'
import { buyerKey, lockAndRead, seatKey, type Read, type SeatRow } from './lock-for-holds.ts'
import { writeHolds, type Win } from './write-holds.ts'

/**
 * An answer each, in their order; an earlier request comes before a later one that wants the same seat. Throws when
 * anything is not as locked, and AnswerKept when a request's key has an answer: then nothing of it may stand.
 */
export async function commitHolds(tx: Tx, holds: Hold[]): Promise<Committed[]> {
  const read = await lockAndRead(tx, holds)
  const besides = await takeOverdue(tx, read)
  const wins: Win[] = []
  const decided = holds.map((hold) => {
    const refused = refuse(read, hold)
    if (refused) return refused
    wins.push(win(read, hold))
    return null
  })
  const won = await writeHolds(tx, wins)
  const answers = holds.map((hold, i) => decided[i] ?? won.get(hold)!)
  // Told with the first of them, whoever it is: everybody is to know.
  answers[0]?.known.push(...besides)
  return answers
}

/** Holds that ended, their jobs lost or late, give their seats to whoever asks now; answers those nobody here asked for. */
async function takeOverdue(tx: Tx, read: Read): Promise<MovedSeat[]> {
  const besides: MovedSeat[] = []
  const kept = [...read.seats.values()].filter(({ expiresAt }) => expiresAt !== null)
  for (const [eventId, rows] of Map.groupBy(kept, (row) => row.eventId))
    for (const freed of await takeOverdueSeats(tx, eventId, rows)) {
      const row = read.seats.get(seatKey(eventId, freed.n))
      if (row) Object.assign(row, freed, { bookingId: null, expiresAt: null })
      else besides.push(freed)
    }
  return besides
}

const no = (outcome: HoldOutcome, known: MovedSeat[] = []): Committed => ({ outcome, known })

function refuse(read: Read, { eventId, accountId, seats: wanted }: Hold): Committed | null {
  const event = read.events.get(eventId)
  if (!event) return no({ ok: false, refusal: 'not_found' })
  if (!event.onSale) return no({ ok: false, refusal: 'event_not_on_sale' })
  if (wanted.length > event.maxSeatsPerBooking) return no({ ok: false, refusal: 'seats_too_many' })
  if (wanted.at(-1)! >= event.seatCount) return no({ ok: false, refusal: 'not_found' })
  const held = read.held.get(buyerKey(eventId, accountId)) ?? 0
  if (held + wanted.length > event.maxSeatsPerBuyer) return no({ ok: false, refusal: 'buyer_limit_reached' })

  const row = (n: number) => read.seats.get(seatKey(eventId, n))
  const gone = wanted.filter((n) => row(n) && row(n)!.status !== SEAT_MOVES.hold.from)
  if (gone.length > 0) {
    const known = gone.filter((n) => row(n)!.version > 0).map((n) => knownSeat(row(n)!))
    return no({ ok: false, refusal: 'seat_taken', seats: gone, stage: 'version' }, known)
  }
  const busy = wanted.filter((n) => !row(n))
  if (busy.length > 0) return no({ ok: false, refusal: 'seat_locked', seats: busy, stage: 'lock' })
  return null
}

/** Takes the seats in what was read, so that a later request of the same transaction finds them gone. */
function win(read: Read, hold: Hold): Win {
  const { eventId, accountId, bookingId } = hold
  const event = read.events.get(eventId)!
  const rows = hold.seats.map((n) => read.seats.get(seatKey(eventId, n))!)
  const buyer = buyerKey(eventId, accountId)
  read.held.set(buyer, (read.held.get(buyer) ?? 0) + rows.length)
  const before = rows.map((row) => ({ ...row }))
  const expiresAt = new Date(Date.now() + event.holdSeconds * 1_000)
  for (const row of rows)
    Object.assign(row, { status: SEAT_MOVES.hold.to, bookingId, version: row.version + 1, expiresAt })
  return { hold, event, rows: before }
}

function knownSeat({ eventId, n, status, version, expiresAt }: SeatRow): MovedSeat {
  return { eventId, n, status, version, ...(expiresAt && { expiresAtMs: expiresAt.getTime() }) }
}
