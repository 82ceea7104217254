// Owns that what Redis says of seats agrees with Postgres: reads both for each event on sale and repairs the first.
import { listPublishedEvents, type EventCursor, type EventRow } from '../db/events.ts'
import { reconcileSeats } from '../db/seat-gate/reconcile.ts'
import type { Context } from './context.ts'
import type { LoopPlan } from './loop.ts'

const PACE_MS = 2_000
const PAGE = 100
/** More events on sale at once than this are looked at in turns. */
const EVENTS_PER_ROUND = 500

export function reconciling({ ledger, gate, telemetry }: Context): LoopPlan {
  let cursor: EventCursor | null = null
  /** Where the next pass over an event's unmoved seats begins; nothing is kept of an event that begins anew. */
  const unmovedFrom = new Map<string, number>()
  return {
    name: 'reconcile-seats',
    paceMs: PACE_MS,
    round: async () => {
      for (let seen = 0; seen < EVENTS_PER_ROUND; seen += PAGE) {
        const page: EventRow[] = await listPublishedEvents(ledger.db, {
          limit: PAGE,
          cursor,
          unlisted: true,
        })
        for (const { id: eventId, onSaleAt } of page) {
          if (onSaleAt !== null && onSaleAt > new Date()) continue
          const { repaired, next } = await reconcileSeats(gate, eventId, unmovedFrom.get(eventId))
          if (next === 0) unmovedFrom.delete(eventId)
          else unmovedFrom.set(eventId, next)
          if (repaired > 0) telemetry.seatsRepaired({ eventId, repaired })
        }
        const last = page.at(-1)
        cursor = page.length < PAGE || !last ? null : { startsAt: last.startsAt, id: last.id }
        if (cursor === null) return
      }
    },
  }
}
