// Decides what GET /booking lists: seats that can be had, or, with scope=all, the bookings an organiser answers for.
import { onePer } from '../../db/batches.ts'
import { isId, listPublishedEvents, type EventRow } from '../../db/events.ts'
import { listBookings } from '../../db/bookings/read-bookings.ts'
import { SEAT_CODES } from '../../db/lifecycle.ts'
import type { Identity } from '../auth/access.ts'
import type { Context } from '../context.ts'
import { invalid, Refusal, reply } from '../errors.ts'
import { REUSED_FROM_SEATS, REUSED_MS } from '../events/availability-answers.ts'
import { encode, GZIP_FAST, type Encoded } from '../events/bytes.ts'
import type { SeatMemory } from '../events/seat-memory.ts'
import { LIMITS } from '../protocol/codes.ts'
import type { BookingView, Page, SeatView } from '../protocol/http.ts'
import { codeAt } from '../protocol/seat-map.ts'
import { FROM_START, pageOf, seatCursor, viewPage, type PageQuery } from './pages.ts'
import { seesEveryEvent } from './readable.ts'
import { seatIdOf } from './seat-ids.ts'
import { createSeatLabels } from './seat-labels.ts'

type BookingsQuery = PageQuery & { eventId?: string }

/** Answers kept of one event at one version: its first pages, mostly. */
const ANSWERS_KEPT = 50

interface Made {
  version: number
  at: number
  answers: Map<string, Encoded>
}

/** The lists of one server, shared by the route and by what is answered before any route. */
export const availableListOf = onePer(createAvailableList)

function createAvailableList(context: Context) {
  const labelsOf = createSeatLabels(context)
  const made = new WeakMap<SeatMemory, Made>()
  const isCurrent = ({ version, at }: Made, memory: SeatMemory) =>
    version === memory.version || (memory.total >= REUSED_FROM_SEATS && performance.now() - at < REUSED_MS)
  const answersOf = (memory: SeatMemory) => {
    const known = made.get(memory)
    if (known && isCurrent(known, memory) && known.answers.size < ANSWERS_KEPT) return known.answers
    const answers = new Map<string, Encoded>()
    made.set(memory, { version: memory.version, at: performance.now(), answers })
    return answers
  }

  /** The first page of an event, when it is made already; null says nothing. */
  function peek(eventId: string): Encoded | null {
    const known = context.availability.peek(eventId)
    if (known?.event.status !== 'PUBLISHED') return null
    const answers = made.get(known.memory)
    if (!answers || !isCurrent(answers, known.memory)) return null
    return answers.answers.get(pageKey(known.event, LIMITS.pageDefault, FROM_START)) ?? null
  }

  /**
   * Which seats of an event can be had now, in map order; without `eventId` of the only event on sale. Made from memory,
   * once a version of the seats, however many ask.
   */
  async function get(query: BookingsQuery): Promise<Encoded> {
    const eventId = query.eventId ?? (await findOnlyEventOnSale(context))
    if (eventId === null) return render({ items: [], nextCursor: null })
    const known = isId(eventId) ? await context.availability.find(eventId) : null
    if (known?.event.status !== 'PUBLISHED') throw new Refusal('not_found')
    const { event, memory } = known
    const limit = query.limit ?? LIMITS.pageDefault
    const after = seatCursor(query.cursor)
    const answers = answersOf(memory)
    const asked = pageKey(event, limit, after)
    const ready = answers.get(asked)
    if (ready !== undefined) return ready
    const free = nextAvailable(memory, after, limit + 1)
    const shown = free.slice(0, limit)
    const labels = await labelsOf(event, shown)
    const answer = render({
      items: labels.map(({ price, ...seat }) => ({
        id: seatIdOf(eventId, seat.n),
        ...seat,
        price: { amount: price, currency: event.currency },
        status: 'AVAILABLE',
      })),
      nextCursor: free.length > limit ? String(shown.at(-1)) : null,
    })
    answers.set(asked, answer)
    return answer
  }

  return { peek, get }
}

const pageKey = ({ mapVersion, currency }: EventRow, limit: number, after: number) =>
  `${mapVersion}/${currency}/${limit}/${after}`

const render = (page: Page<SeatView>): Encoded => encode(reply(200, 'Available seats', page), GZIP_FAST)

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
