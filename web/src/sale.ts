// Decides what an event's sale looks like to a buyer: not yet, going, gone, and which way in is open.
import { m } from '#messages'
import type { EventSummary } from '../../server/protocol/http.ts'

export type Sale = 'cancelled' | 'soon' | 'lobby' | 'open' | 'sold_out' | 'closed' | 'draft'

/** @param nowMs the server's time */
export function saleOf(event: EventSummary, nowMs: number): Sale {
  if (event.status === 'CANCELLED') return 'cancelled'
  if (event.status === 'DRAFT') return 'draft'
  if (event.room.phase === 'closed') return 'closed'
  if (event.room.enabled && event.room.phase === 'lobby') return 'lobby'
  // Without a date an event is on sale from the moment it is published.
  if (event.onSaleAt !== null && Date.parse(event.onSaleAt) > nowMs) return 'soon'
  return event.seats.available === 0 ? 'sold_out' : 'open'
}

export const SALE_TEXT: Record<Sale, () => string> = {
  cancelled: m.event_cancelled,
  soon: m.event_soon,
  lobby: m.event_lobby,
  open: m.event_open,
  sold_out: m.event_sold_out,
  closed: m.event_closed,
  draft: m.event_draft,
}
