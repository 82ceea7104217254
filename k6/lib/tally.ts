// Owns a scenario's counts: each exists from the start, since a threshold on a count nobody made would pass.
import { Counter } from 'k6/metrics'

const all: Counter[] = []

/** In the init code only, as k6 wants of every metric. */
export function tally(name: string): Counter {
  const counter = new Counter(name)
  all.push(counter)
  return counter
}

/** Once, in `setup`. */
export function beginTallies(): void {
  for (const counter of all) counter.add(0)
}
