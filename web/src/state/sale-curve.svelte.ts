// Owns the minutes behind a running sale: what the server kept of them, then a point for every second that is watched.
import type { SaleSample } from '../../../server/protocol/http.ts'

/** An hour of seconds. */
const POINTS_MAX = 3_600
/** The share of refusals is of so long; shorter jumps about, longer hides what just happened. */
const SHARE_SECONDS = 30
const MINUTE_SECONDS = 60
/** After so long without a point the tab slept: the server's samples fill the gap. */
const GAP_MS = 15_000

/** One column a curve, by second; `null` where nothing is known. */
export interface Curve {
  /** Seconds since 1970. */
  at: number[]
  waiting: number[]
  active: number[]
  perMinute: number[]
  reserved: number[]
  sold: number[]
  /** Of the attempts of the last half minute, the share that met a seat somebody else has, 0 to 1. */
  conflicts: (number | null)[]
  /** In minor units. */
  revenue: number[]
}

interface Point extends Omit<SaleSample, 'at'> {
  /** Seconds since 1970. */
  at: number
}

export class SaleCurve {
  #points: Point[] = []
  curve = $state.raw<Curve>(curveOf([]))

  /** True when so much is missing that the server should be asked for it. */
  isBehind(nowMs: number): boolean {
    const last = this.#points.at(-1)
    return last === undefined || nowMs - last.at * 1_000 > GAP_MS
  }

  /** Takes what the server kept; points of our own that are newer stay. */
  fill(samples: SaleSample[]): void {
    const kept = samples.map((sample) => ({ ...sample, at: Date.parse(sample.at) / 1_000 }))
    const newest = kept.at(-1)?.at ?? 0
    this.#take([...kept, ...this.#points.filter(({ at }) => at > newest)])
  }

  add(sample: SaleSample): void {
    const point = { ...sample, at: Date.parse(sample.at) / 1_000 }
    if (point.at > (this.#points.at(-1)?.at ?? 0)) this.#take([...this.#points, point])
  }

  #take(points: Point[]): void {
    this.#points = points.slice(-POINTS_MAX)
    this.curve = curveOf(this.#points)
  }
}

function curveOf(points: readonly Point[]): Curve {
  const column = <K extends keyof Point>(name: K) => points.map((point) => point[name])
  return {
    at: column('at'),
    waiting: column('waiting'),
    active: column('active'),
    reserved: column('reserved'),
    sold: column('sold'),
    revenue: column('revenue'),
    perMinute: since(points, MINUTE_SECONDS, (now, then) => Math.max(0, now.admitted - then.admitted)),
    conflicts: since(points, SHARE_SECONDS, (now, then) => {
      const attempts = now.attempts - then.attempts
      // A counter that fell began anew: Redis was emptied.
      return attempts > 0 ? Math.max(0, now.conflicts - then.conflicts) / attempts : null
    }),
  }
}

/** Compares each point with the one so many seconds before it, or with the first. */
function since<T>(points: readonly Point[], seconds: number, compare: (now: Point, then: Point) => T): T[] {
  let from = 0
  return points.map((now) => {
    while ((points[from + 1]?.at ?? Infinity) <= now.at - seconds) from += 1
    return compare(now, points[from] ?? now)
  })
}
