// Owns the leaves that Redis could not be told of: who left while it was away has left, as soon as it answers again.
// Without that a pass given up in an outage would keep its seat at the front from the next person until it ends by itself.
import type { Line } from './room.ts'

const TRY_EVERY_MS = 1_000
const AT_ONCE = 50
/** Beyond them a place is left to its grace, and a pass to its end. */
const OWED_MAX = 10_000
/** As long as the longest pass is likely to last. */
const OWED_FOR_MS = 600_000

/** Whose place it is, so that one taken since then is not given up. */
export interface OwedLeave {
  eventId: string
  accountId: string
  number: number
  epoch: number
}

export interface OwedLeaves {
  owe(leave: OwedLeave): void
  /** The account stands in line again. */
  forget(eventId: string, accountId: string): void
  close(): void
}

/** `over` is told at once: should Redis be lost altogether, nobody takes the pass for live. */
export function createOwedLeaves(
  line: Pick<Line, 'entrant' | 'leave'>,
  over: (eventId: string, accountId: string) => void,
): OwedLeaves {
  const owed = new Map<string, OwedLeave & { until: number }>()
  let working = false

  async function settle([key, { eventId, accountId, number, epoch, until }]: [
    string,
    OwedLeave & { until: number },
  ]): Promise<void> {
    if (Date.now() < until) {
      const now = await line.entrant(eventId, accountId)
      // Somebody may have come back in between.
      if (!owed.has(key)) return
      if (now.number === number && now.epoch === epoch) await line.leave(eventId, accountId)
    }
    owed.delete(key)
  }

  const timer = setInterval(() => {
    if (working || owed.size === 0) return
    working = true
    const some = [...owed].slice(0, AT_ONCE)
    void Promise.allSettled(some.map(settle)).then(() => void (working = false))
  }, TRY_EVERY_MS)

  return {
    owe(leave) {
      const { eventId, accountId } = leave
      over(eventId, accountId)
      if (owed.size < OWED_MAX)
        owed.set(keyOf(eventId, accountId), { ...leave, until: Date.now() + OWED_FOR_MS })
    },
    forget: (eventId, accountId) => void owed.delete(keyOf(eventId, accountId)),
    close: () => clearInterval(timer),
  }
}

const keyOf = (eventId: string, accountId: string) => `${eventId}:${accountId}`
