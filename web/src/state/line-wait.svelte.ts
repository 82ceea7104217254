// Owns what is said of the wait in one line: the range, whether it can be told yet, and why it jumped.
import { waitRange, type WaitRange } from '../../../server/protocol/forecast.ts'
import type { LineFrame } from '../../../server/protocol/socket.ts'
import { isTellable } from './line-estimate.ts'
import type { ToldWait } from './line-reason.ts'

/** How often what is said of the wait is held against what was said before, and how long a reason stays. */
const COMPARE_EVERY_MS = 20_000
const REASON_MS = 60_000

export class LineWait {
  /** Null while nobody can say. */
  range = $state.raw<WaitRange | null>(null)
  /** Nobody can say yet: the line has not moved for long enough since we came. */
  measuring = $state(false)
  /** Why the wait is not what it was said to be a moment ago. */
  reason = $state<string | null>(null)
  #told: ToldWait | null = null
  #reasonUntil = 0
  #stood = false

  /** Another place has another wait: nothing jumped. */
  beginAnew(): void {
    this.#told = null
  }

  /** `ahead`: people before us; null without a place. */
  estimate(ahead: number | null, numbers: LineFrame): void {
    const range = ahead === null ? null : waitRange(ahead, { flow: null, ...numbers })
    const tellable =
      range !== null && isTellable(range, numbers.flow as [number, number], this.range !== null)
    this.measuring = !tellable && (range !== null || this.#told === null)
    this.range = tellable ? range : null
  }

  /** Compares what is said with what was said a minute ago; a reason stays for as long. */
  explain(ahead: number | null, { at, flow, seatsLeft }: LineFrame, paused: boolean): void {
    const now = Date.parse(at)
    this.#stood ||= paused
    if (this.reason && now > this.#reasonUntil) this.reason = null
    if (!this.range || ahead === null || !flow) return
    const told = { at: now, ahead, range: this.range, flow: (flow[0]! + flow[1]!) / 2, seatsLeft }
    const before = this.#told
    if (before && now - before.at < COMPARE_EVERY_MS && !this.#stood) return
    const stood = this.#stood
    this.#told = told
    this.#stood = false
    if (!before) return
    void import('./line-reason.ts').then(
      ({ jumpReason }) => {
        const reason = jumpReason(before, told, stood)
        if (!reason) return
        this.reason = reason
        this.#reasonUntil = now + REASON_MS
      },
      // A reason is nice to have.
      () => {},
    )
  }
}
