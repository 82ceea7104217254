// Owns a rehearsal as its organiser sees it: whether there can be one, where it stands, how it went.
import type { RehearsalView } from '../../../server/protocol/http.ts'
import type { Problem } from '../net/api.ts'
import { getRehearsal, startRehearsal, stopRehearsal } from '../net/organiser-calls.ts'

const ASK_EVERY_MS = 1_000
const ASK_AT_REST_MS = 10_000

const REHEARSAL_BUYERS = 2_000
export const REHEARSAL_BUYERS_MIN = 10

export class Rehearsal {
  /** Null while it is not known, or where no rehearsal can be: outside a demo. */
  view = $state.raw<RehearsalView | null>(null)
  buyers = $state<number | null>(REHEARSAL_BUYERS)
  busy = $state(false)
  problem = $state.raw<Problem | null>(null)

  /** Asks as long as somebody looks; returns how to stop. */
  follow(): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined
    let stopped = false
    const next = async () => {
      const there = document.hidden || (await this.#look())
      const pause = this.view?.state === 'running' ? ASK_EVERY_MS : ASK_AT_REST_MS
      if (!stopped && there) timer = setTimeout(() => void next(), pause)
    }
    void next()
    return () => {
      stopped = true
      clearTimeout(timer)
    }
  }

  /** True when it was begun: `view.eventId` is the copy. */
  async start(eventId: string): Promise<boolean> {
    if (this.busy) return false
    this.busy = true
    const answer = await startRehearsal(eventId, this.buyers ?? 0)
    this.busy = false
    this.problem = answer.ok ? null : answer.problem
    if (answer.ok) this.view = answer.data
    return answer.ok
  }

  async stop(): Promise<void> {
    this.busy = true
    const answer = await stopRehearsal()
    this.busy = false
    this.problem = answer.ok || answer.problem.code === 'not_found' ? null : answer.problem
    if (answer.ok) this.view = answer.data
  }

  /** False where there is nothing to ask again. */
  async #look(): Promise<boolean> {
    const answer = await getRehearsal()
    if (answer.ok) this.view = answer.data
    return answer.ok || (answer.problem.code !== 'not_found' && answer.problem.code !== 'permission_denied')
  }
}
