// Decides how many requests may be under way at once: as many as are answered in time, found out by how long they take.
//
// While answers come late, no more than what is answered within the target at the rate just measured (Little's law); while
// they come in time, a little more wherever the limit was felt. The target is a time and not the least ever measured, as
// Vegas and its kind have it: a batch (ADR 17) makes a longer queue cheaper, and must not be cut for it.

/** An answer that takes longer is late: whoever waits for it begins to doubt. */
export const TARGET_MS = 1_000
/** How many may be under way, whatever was measured: a few batches at the least (ADR 17). */
export const UNDER_WAY = { least: 512, first: 2_000, most: 4_000 }
/** Judged so often, by no fewer answers than this. */
const WINDOW_MS = 200
const ANSWERS_MIN = 20
/** Of the answers of a window, more than this late is too many. */
const LATE_SHARE = 0.5
/** A cut is one at the least. */
const CUT = 0.9
const GROW = { by: 8, times: 1.1 }
/** A limit nobody comes near says nothing of what is possible. */
const FELT_SHARE = 0.8

export interface Concurrency {
  readonly limit: number
  /** Said when a request comes in, and again with its moment when it is answered. */
  came(underWay: number): void
  answered(cameAt: number): void
}

export function createConcurrency(now: () => number = () => performance.now()): Concurrency {
  let limit = UNDER_WAY.first
  let windowFrom = now()
  let cutAt = Number.NEGATIVE_INFINITY
  let peak = 0
  let answers = 0
  let late = 0

  function judge(at: number): void {
    if (late > answers * LATE_SHARE) {
      const inTime = (answers * TARGET_MS) / (at - windowFrom)
      limit = Math.max(UNDER_WAY.least, Math.floor(Math.min(limit * CUT, inTime)))
      cutAt = at
    } else if (peak >= limit * FELT_SHARE)
      limit = Math.min(UNDER_WAY.most, Math.ceil(limit * GROW.times) + GROW.by)
    windowFrom = at
    peak = answers = late = 0
  }

  return {
    get limit() {
      return limit
    },
    came(underWay) {
      if (underWay > peak) peak = underWay
    },
    answered(cameAt) {
      // Who came before the last cut waited in the queue that it is to shorten: one crowd, one cut.
      if (cameAt < cutAt) return
      const at = now()
      answers += 1
      if (at - cameAt > TARGET_MS) late += 1
      if (answers >= ANSWERS_MIN && at - windowFrom >= WINDOW_MS) judge(at)
    },
  }
}
