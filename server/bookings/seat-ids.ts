// Decides which seats a request means: every id well formed, all of one event, none twice.
import { invalid, Refusal } from '../errors.ts'

/** A seat's index has no leading zero, so that every seat has one id only. */
const SEAT_ID = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):(0|[1-9]\d{0,5})$/

export interface WantedSeats {
  eventId: string
  /** Indexes in map order of the event, in the order they were asked for. */
  seats: number[]
}

export const isSeatId = (id: unknown): id is string => typeof id === 'string' && SEAT_ID.test(id)

export const seatIdOf = (eventId: string, n: number) => `${eventId}:${n}`
/** Of an id that was made by seatIdOf. */
export const seatNumberOf = (seatId: string) => Number(seatId.slice(seatId.indexOf(':') + 1))

/** `not_found` for an id that can name no seat, `request_invalid` for a repeated one or for seats of two events. */
export function parseSeatIds(ids: readonly string[], path = '/seatIds'): WantedSeats {
  const parsed = ids.map((id) => SEAT_ID.exec(id))
  const eventId = parsed[0]?.[1]
  if (eventId === undefined || parsed.includes(null)) throw new Refusal('not_found')
  if (parsed.some((match) => match?.[1] !== eventId)) throw invalid(path, 'seats of one event only')
  const seats = parsed.map((match) => Number(match?.[2]))
  if (new Set(seats).size < seats.length) throw invalid(path, 'each seat once')
  return { eventId, seats }
}
