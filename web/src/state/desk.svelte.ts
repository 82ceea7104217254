// Owns the figures of one event's sale while its organiser watches: asked for every two seconds, never in a hidden tab.
import type { EventStatsView, RoomStatsView } from '../../../server/protocol/http.ts'
import type { Answer, Problem } from '../net/api.ts'
import { getEventStats, getRoomStats } from '../net/organiser-calls.ts'
import { serverClock } from '../net/server-clock.ts'

const ASK_EVERY_MS = 2_000

export class Desk {
  sale = $state.raw<EventStatsView | null>(null)
  line = $state.raw<RoomStatsView | null>(null)
  problem = $state.raw<Problem | null>(null)
  /** Server time of the figures, in ms. */
  askedAt = $state<number | null>(null)
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

  async #look(): Promise<void> {
    const [sale, line] = await Promise.all([getEventStats(this.#eventId), getRoomStats(this.#eventId)])
    if (sale.ok) this.sale = sale.data
    if (line.ok) this.line = line.data
    this.problem = problemOf(sale) ?? problemOf(line)
    if (!this.problem) this.askedAt = serverClock.now()
  }
}

const problemOf = (answer: Answer<unknown>): Problem | null => (answer.ok ? null : answer.problem)
