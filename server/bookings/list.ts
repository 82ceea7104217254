// Decides what GET /booking lists: seats that can be had, or, with scope=all, the bookings an organiser answers for.
import { isId, listPublishedEvents } from '../../db/events.ts'
import { listBookings } from '../../db/bookings/read-bookings.ts'
import { SEAT_CODES } from '../../db/lifecycle.ts'
import { listSeats } from '../../db/seats.ts'
import type { Identity } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { invalid, Refusal } from '../errors.ts'
import type { SeatMemory } from '../events/seat-memory.ts'
import { LIMITS } from '../protocol/codes.ts'
import type { BookingView, Page, SeatView } from '../protocol/http.ts'
import { codeAt } from '../protocol/seat-map.ts'
import { pageOf, seatCursor, viewPage, type PageQuery } from './pages.ts'
import { seesEveryEvent } from './readable.ts'
import { seatIdOf } from './seat-ids.ts'

type BookingsQuery = PageQuery & { eventId?: string }

/** Seats of an event that can be had now, in map order; without `eventId` of the only event on sale. */
export async function listAvailable(context: Context, query: BookingsQuery): Promise<Page<SeatView>> {
  const eventId = query.eventId ?? (await findOnlyEventOnSale(context))
  if (eventId === null) return { items: [], nextCursor: null }
  const known = isId(eventId) ? await context.availability.find(eventId) : null
  if (known?.event.status !== 'PUBLISHED') throw new Refusal('not_found')
  const limit = query.limit ?? LIMITS.pageDefault
  const free = nextAvailable(known.memory, seatCursor(query.cursor), limit + 1)
  const among = free.slice(0, limit)
  // Memory says where to look; Postgres names the seats, and leaves out those taken a moment ago.
  const rows = await listSeats(context.ledger.db, { eventId, status: 'AVAILABLE', among, limit })
  const { currency } = known.event
  return {
    items: rows.map(({ price, ...seat }) => ({
      id: seatIdOf(eventId, seat.n),
      ...seat,
      price: { amount: price, currency },
    })),
    nextCursor: free.length > limit ? String(among.at(-1)) : null,
  }
}

/** GET /booking?scope=all: bookings of own events, or of every event for an administrator. */
export async function listManaged(
  context: Context,
  identity: Identity | null,
  query: BookingsQuery,
): Promise<Page<BookingView>> {
  if (!identity) throw new Refusal('unauthenticated')
  if (!identity.permissions.has('booking:read:all')) throw new Refusal('permission_denied')
  if (query.eventId !== undefined && !isId(query.eventId)) throw new Refusal('not_found')
  const page = await listBookings(context.ledger.db, {
    ...pageOf(query),
    ...(query.eventId === undefined ? {} : { eventId: query.eventId }),
    ...(seesEveryEvent(identity) ? {} : { ownerId: identity.accountId }),
  })
  return viewPage(page)
}

/** Null when nothing is on sale. */
async function findOnlyEventOnSale(context: Context): Promise<string | null> {
  const published = await listPublishedEvents(context.ledger.db, { limit: LIMITS.pageMax })
  const now = new Date()
  const onSale = published.filter(({ startsAt, onSaleAt }) => startsAt > now && (onSaleAt ?? now) <= now)
  if (onSale.length > 1) throw invalid('/eventId', 'is required while more than one event is on sale')
  return onSale[0]?.id ?? null
}

/** At most `count` available seats after `afterN`, in map order. */
function nextAvailable({ packed, total }: SeatMemory, afterN: number, count: number): number[] {
  const found: number[] = []
  for (let n = afterN + 1; n < total && found.length < count; n++)
    if (codeAt(packed, n) === SEAT_CODES.AVAILABLE) found.push(n)
  return found
}
