// Decides what the list of sold seats says of each, page by page while it is read.
import { listSoldSeats, type SoldSeat } from '../../db/event-sales.ts'
import type { Context } from '../context.ts'
import { csvRow, csvStream } from '../csv.ts'

const COLUMNS = ['section', 'row', 'number', 'tier', 'price', 'currency', 'booking', 'sold_at'] as const
/** Seats read at a time: one query, some hundred kilobytes of text. */
const SEATS_PER_READ = 2_000

/** Prices in minor units of the currency; times in UTC. */
export function salesCsv(context: Pick<Context, 'staleReads'>, eventId: string): ReadableStream<Uint8Array> {
  let afterN = -1
  let over = false
  return csvStream(COLUMNS, async () => {
    if (over) return null
    const page = { eventId, afterN, limit: SEATS_PER_READ }
    const sold = await context.staleReads.report((db) => listSoldSeats(db, page))
    afterN = sold.at(-1)?.n ?? afterN
    over = sold.length < SEATS_PER_READ
    return sold.map(csvLine).join('')
  })
}

export function csvLine(seat: SoldSeat): string {
  const { section, row, number, tier, price, currency, bookingId, soldAt } = seat
  return csvRow([
    section,
    row ?? '',
    number ?? '',
    tier,
    String(price),
    currency,
    bookingId,
    soldAt.toISOString(),
  ])
}
