// Decides how long anybody waits for an answer: past the deadline it is "overloaded", whatever becomes of the work.

/** The sale itself; longer than its queues wait (db/batches.ts), so that their own answer usually comes first. */
const SALE_MS = 8_000
/** Whatever an organiser does with a whole hall at once; shorter than the connection may be silent. */
const DESK_MS = 25_000
/** A hall is built and changed under this path, and it is only read by everybody else. */
const DESK = '/api/v1/event/'
/** An answer comes this much later than its deadline at the most: one timer for all. */
const LOOK_EVERY_MS = 250

interface Entry {
  until: number
  giveUp(): void
}

export const deadlineOf = (method: string, path: string): number =>
  method !== 'GET' && method !== 'HEAD' && path.startsWith(DESK) ? DESK_MS : SALE_MS

export function createDeadlines() {
  const entries = new Set<Entry>()
  const timer = setInterval(() => {
    const now = performance.now()
    for (const entry of entries)
      if (entry.until <= now) {
        entries.delete(entry)
        entry.giveUp()
      }
  }, LOOK_EVERY_MS)

  return {
    /** What `work` answers, or `late()` once `ms` are over. The work goes on: a write may have happened all the same. */
    within<T>(ms: number, work: Promise<T>, late: () => T): Promise<T> {
      return new Promise((resolve, reject) => {
        const entry = { until: performance.now() + ms, giveUp: () => resolve(late()) }
        entries.add(entry)
        const end = () => entries.delete(entry)
        work.then(
          (answer) => {
            end()
            resolve(answer)
          },
          (fault: unknown) => {
            end()
            reject(fault)
          },
        )
      })
    },
    stop: () => clearInterval(timer),
  }
}
