// Owns how seats are called and what they cost: read from Postgres once a map version, a stretch of seats at a time.
import type { EventRow } from '../../db/events.ts'
import { listSeats } from '../../db/seats.ts'
import type { Context } from '../context.ts'

/** As many seats as a page may have. */
const STRETCH = 200
/** Some 40 KB each. */
const STRETCHES_KEPT = 500

export type SeatLabel = Omit<Awaited<ReturnType<typeof listSeats>>[number], 'status'>
type Stretch = Promise<Map<number, SeatLabel>>

export function createSeatLabels({ ledger }: Pick<Context, 'ledger'>) {
  const kept = new Map<string, Stretch>()

  async function read(eventId: string, first: number): Stretch {
    const rows = await listSeats(ledger.db, { eventId, afterN: first - 1, limit: STRETCH })
    return new Map(rows.map(({ status: _status, ...label }) => [label.n, label]))
  }

  /** Most recently used last. */
  function stretchOf({ id, mapVersion }: EventRow, index: number): Stretch {
    const key = `${id}/${mapVersion}/${index}`
    const stretch = kept.get(key) ?? read(id, index * STRETCH)
    kept.delete(key)
    kept.set(key, stretch)
    stretch.catch(() => kept.delete(key))
    if (kept.size > STRETCHES_KEPT) kept.delete(kept.keys().next().value!)
    return stretch
  }

  /** In the order asked for; a number that no seat has is left out. */
  return async (event: EventRow, seats: number[]): Promise<SeatLabel[]> => {
    const indexes = [...new Set(seats.map((n) => Math.floor(n / STRETCH)))]
    const stretches = new Map(
      await Promise.all(indexes.map(async (index) => [index, await stretchOf(event, index)] as const)),
    )
    return seats.flatMap((n) => stretches.get(Math.floor(n / STRETCH))?.get(n) ?? [])
  }
}
