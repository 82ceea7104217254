// Owns what an organiser sees of a running sale: asked for each second, never in a hidden tab.
import type { EventStatsView, RoomStatsView } from '../../../server/protocol/http.ts'
import type { StepView } from '../../../server/protocol/room-desk.ts'
import type { Answer, Problem } from '../net/api.ts'
import { getEventStats, getRoomStats, getSaleHistory, listSteps } from '../net/organiser-calls.ts'
import { serverClock } from '../net/server-clock.ts'
import { SaleCurve } from './sale-curve.svelte.ts'

const ASK_EVERY_MS = 1_000

export class Desk {
  sale = $state.raw<EventStatsView | null>(null)
  line = $state.raw<RoomStatsView | null>(null)
  /** Why the line flowed as it did, the newest first. */
  steps = $state.raw<StepView[]>([])
  /** There are older steps than those fetched. */
  olderSteps = $state.raw<string | null>(null)
  problem = $state.raw<Problem | null>(null)
  /** Server time of the figures, in ms. */
  askedAt = $state<number | null>(null)
  readonly minutes = new SaleCurve()
  readonly #eventId: string

  constructor(eventId: string) {
    this.#eventId = eventId
  }

  /** Asks until told to stop. The next question waits for the last answer, so that a slow server is not pressed. */
  start(): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined
    let stopped = false
    const next = async () => {
      if (!document.hidden) await this.#look()
      if (!stopped) timer = setTimeout(() => void next(), ASK_EVERY_MS)
    }
    void next()
    return () => {
      stopped = true
      clearTimeout(timer)
    }
  }

  async more(): Promise<void> {
    if (this.olderSteps === null) return
    const answer = await listSteps(this.#eventId, this.olderSteps)
    if (!answer.ok) return
    this.steps = [...this.steps, ...answer.data.items]
    this.olderSteps = answer.data.nextCursor
  }

  async #look(): Promise<void> {
    const [sale, line, steps] = await Promise.all([
      getEventStats(this.#eventId),
      getRoomStats(this.#eventId),
      listSteps(this.#eventId),
    ])
    if (sale.ok) this.sale = sale.data
    if (line.ok) this.line = line.data
    if (steps.ok) this.#takeSteps(steps.data.items, steps.data.nextCursor)
    this.problem = problemOf(sale) ?? problemOf(line) ?? problemOf(steps)
    if (this.problem) return
    this.askedAt = serverClock.now()
    await this.#draw(this.askedAt)
  }

  /** A point of the curve; after a gap, first what the server kept meanwhile. */
  async #draw(at: number): Promise<void> {
    const { sale, line } = this
    if (!sale || !line) return
    if (this.minutes.isBehind(at)) {
      const history = await getSaleHistory(this.#eventId)
      if (history.ok) this.minutes.fill(history.data.items)
    }
    this.minutes.add({
      at: new Date(at).toISOString(),
      waiting: line.waiting,
      active: line.active,
      admitted: line.admitted,
      reserved: sale.seats.reserved,
      sold: sale.seats.sold,
      attempts: sale.attempts.total,
      conflicts: sale.attempts.conflicts,
      revenue: sale.revenue.amount,
    })
  }

  /** Puts the newest page before what is known; with a gap between them, what is older is fetched again when asked for. */
  #takeSteps(newest: StepView[], next: string | null): void {
    const last = newest.at(-1)?.id
    const from = this.steps.findIndex(({ id }) => id === last)
    if (from < 0) {
      this.steps = newest
      this.olderSteps = next
    } else if (this.steps[0]?.id !== newest[0]?.id) this.steps = [...newest, ...this.steps.slice(from + 1)]
  }
}

const problemOf = (answer: Answer<unknown>): Problem | null => (answer.ok ? null : answer.problem)
