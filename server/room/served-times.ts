// Decides when somebody was called, from the log: the step by which the line came past the place. Nothing is kept a person.
import { listServed, type Served, type StepAt } from '../../db/steps.ts'
import type { Ledger } from '../../db/client.ts'

const STEPS_PER_READ = 10_000
/** More steps than a line takes in a day; those after them tell no times. */
const STEPS_MAX = 200_000

/** Ms since 1970 when the line came past a place, to the second; null when it has not, or closed over it. */
export type ServedAt = (place: number) => number | null

/** Reads the log of an event once: some 16 bytes a step. */
export async function readServedTimes({ db }: Pick<Ledger, 'db'>, eventId: string): Promise<ServedAt> {
  const steps = new ServedTimes()
  let after: StepAt | undefined
  for (let read = 0; read < STEPS_MAX; read += STEPS_PER_READ) {
    const page = await listServed(db, { eventId, after, limit: STEPS_PER_READ })
    for (const step of page) steps.add(step)
    if (page.length < STEPS_PER_READ) break
    after = page.at(-1)
  }
  return (place) => steps.find(place)
}

export class ServedTimes {
  readonly #serving: number[] = []
  readonly #at: (number | null)[] = []

  add({ serving, at, kind }: Pick<Served, 'serving' | 'at' | 'kind'>): void {
    // The line never goes back, however a lost one was rebuilt.
    if (serving <= (this.#serving.at(-1) ?? 0)) return
    this.#serving.push(serving)
    // Closing ends every place that was left: nobody of them was called.
    this.#at.push(kind === 'closed' ? null : at.getTime())
  }

  find(place: number): number | null {
    let low = 0
    let high = this.#serving.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#serving[middle]! > place) high = middle
      else low = middle + 1
    }
    return this.#at[low] ?? null
  }
}
