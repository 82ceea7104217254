// Owns the cursors of booking lists: where a page ended, as an opaque text.
import type { BookingPage } from '../../db/bookings/read-bookings.ts'
import { isId } from '../../db/events.ts'
import { invalid } from '../errors.ts'
import { LIMITS } from '../protocol/codes.ts'
import type { BookingView, Page } from '../protocol/http.ts'
import { bookingView } from './view.ts'

const SEAT_CURSOR = /^\d{1,6}$/

export interface PageQuery {
  limit?: number
  cursor?: string
}

/** The page a query asks for; `request_invalid` for a cursor that no list of bookings gave out. */
export function pageOf({ limit = LIMITS.pageDefault, cursor }: PageQuery): {
  limit: number
  cursor?: string
} {
  if (cursor === undefined) return { limit }
  if (!isId(cursor)) throw invalidCursor()
  return { limit, cursor }
}

export const viewPage = ({ items, nextCursor }: BookingPage): Page<BookingView> => ({
  items: items.map(bookingView),
  nextCursor,
})

/** Of the first page: no seat comes before it. */
export const FROM_START = -1

/** The last seat index of the page before; FROM_START when there was none. */
export function seatCursor(cursor: string | undefined): number {
  if (cursor === undefined) return FROM_START
  if (!SEAT_CURSOR.test(cursor)) throw invalidCursor()
  return Number(cursor)
}

const invalidCursor = () => invalid('/cursor', 'is not one that a page of this list gave')
