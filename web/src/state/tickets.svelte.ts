// Owns the person's tickets: as the server tells them, and without a connection as they were last seen on this device.
import type { TicketView } from '../../../server/protocol/http.ts'
import type { Problem } from '../net/api.ts'
import { listMyTickets } from '../net/calls.ts'
import { findTickets, keepTickets } from '../net/keep.ts'
import { serverClock } from '../net/server-clock.ts'
import { seatName } from '../seat-name.ts'
import { session } from './session.svelte.ts'

/** Pages fetched in one go, and so what is kept: more tickets than anybody carries to a door. */
const PAGES_MAX = 4

const inOrder = new Intl.Collator(undefined, { numeric: true })

export class Tickets {
  items = $state.raw<TicketView[]>([])
  /** When they were seen, ISO 8601; null while they come from the server. */
  keptFrom = $state<string | null>(null)
  problem = $state.raw<Problem | null>(null)
  loading = $state(true)
  readonly #accountId = session.user?.id ?? ''

  /** By event, the seats of each in order. */
  readonly events = $derived([
    ...Map.groupBy(
      this.items.toSorted((a, b) => inOrder.compare(seatName(a), seatName(b))),
      ({ eventId }) => eventId,
    ).values(),
  ])

  /** Shows what is kept at once, and the server's word as soon as it comes. */
  async load(): Promise<void> {
    const kept = findTickets(this.#accountId)
    if (kept) [this.items, this.keptFrom] = [kept.tickets, kept.seenAt]
    this.loading = true
    const fetched = await this.#fetch()
    this.loading = false
    if (!fetched) return
    this.problem = null
    this.keptFrom = null
    this.items = fetched
    const seenAt = new Date(serverClock.now()).toISOString()
    keepTickets({ accountId: this.#accountId, seenAt, tickets: fetched })
  }

  async #fetch(): Promise<TicketView[] | null> {
    const all: TicketView[] = []
    let cursor: string | undefined
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const answer = await listMyTickets(cursor)
      if (!answer.ok) {
        this.problem = answer.problem
        return null
      }
      all.push(...answer.data.items)
      if (answer.data.nextCursor === null) break
      cursor = answer.data.nextCursor
    }
    return all
  }
}
