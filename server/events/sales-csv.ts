// Decides how sold seats are written as CSV: RFC 4180, safe to open in a spreadsheet, streamed while it is read.
import { listSoldSeats, type SoldSeat } from '../../db/event-sales.ts'
import type { Context } from '../context.ts'

const COLUMNS = ['section', 'row', 'number', 'tier', 'price', 'currency', 'booking', 'sold_at'] as const
const LINE_END = '\r\n'
/** Seats read at a time: one query, some hundred kilobytes of text. */
const SEATS_PER_READ = 2_000

/** Prices in minor units of the currency; times in UTC. */
export function salesCsv(context: Pick<Context, 'ledger'>, eventId: string): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let afterN = -1
  let begun = false
  return new ReadableStream({
    async pull(controller) {
      if (!begun) controller.enqueue(encoder.encode(COLUMNS.join(',') + LINE_END))
      begun = true
      const sold = await listSoldSeats(context.ledger.db, { eventId, afterN, limit: SEATS_PER_READ })
      if (sold.length > 0) controller.enqueue(encoder.encode(sold.map(csvLine).join('')))
      afterN = sold.at(-1)?.n ?? afterN
      if (sold.length < SEATS_PER_READ) controller.close()
    },
  })
}

export function csvLine(seat: SoldSeat): string {
  const { section, row, number, tier, price, currency, bookingId, soldAt } = seat
  const fields = [
    section,
    row ?? '',
    number ?? '',
    tier,
    String(price),
    currency,
    bookingId,
    soldAt.toISOString(),
  ]
  return fields.map(csvField).join(',') + LINE_END
}

/** A text that a spreadsheet would take for a formula gets an apostrophe in front, which it shows as text. */
function csvField(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
