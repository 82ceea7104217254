// Owns how true the forecasts of one line come: a few places are told a wait now and then, and held to it when called.
//
// Places stand for people: nobody is looked at, and what is kept is bounded. Only time in which the line may move counts,
// as the forecast promises nothing about a pause. Known to the server whose clock ticks; another starts afresh.
import { peopleAhead, waitRange } from '../protocol/forecast.ts'
import type { RoomSnapshot } from './entrant.ts'
import { paceOf } from './outlook.ts'

const ASK_EVERY_MINUTES = 0.25
const PLACES_AT_ONCE = 8
const PENDING_MAX = 512
const MINUTE_MS = 60_000
/** Between two looks further apart the line was not watched. */
const GAP_MINUTES = 0.25

export interface ForecastScore {
  inside: number
  early: number
  late: number
}

interface Pending {
  place: number
  madeAt: number
  lowMinutes: number
  highMinutes: number
}

export class ForecastLog {
  #pending: Pending[] = []
  #epoch = 0
  #lookedAt = 0
  #flowing = 0
  #askedAt = -Infinity
  #arrivals = 0

  constructor(private readonly random: () => number = Math.random) {}

  /** What the look at the line shows of earlier forecasts; asks a few new ones. Called about once a second. */
  take(snapshot: RoomSnapshot): ForecastScore {
    const since = (snapshot.at - this.#lookedAt) / MINUTE_MS
    const moved = snapshot.phase === 'open' && snapshot.at >= snapshot.heldUntil
    this.#lookedAt = snapshot.at
    if (snapshot.epoch !== this.#epoch || snapshot.phase === 'closed' || since > GAP_MINUTES || since < 0) {
      this.#epoch = snapshot.epoch
      this.#pending = []
    } else if (moved) this.#flowing += since
    const score = this.#score(snapshot.serving)
    if (moved && this.#flowing - this.#askedAt >= ASK_EVERY_MINUTES) this.#ask(snapshot)
    return score
  }

  #score(serving: number): ForecastScore {
    const score = { inside: 0, early: 0, late: 0 }
    this.#pending = this.#pending.filter(({ place, madeAt, lowMinutes, highMinutes }) => {
      const waited = this.#flowing - madeAt
      if (waited > highMinutes) score.late += 1
      else if (place >= serving) return true
      else if (waited < lowMinutes) score.early += 1
      else score.inside += 1
      return false
    })
    return score
  }

  #ask(snapshot: RoomSnapshot): void {
    this.#askedAt = this.#flowing
    const pace = paceOf(snapshot)
    const { serving, arrivals } = snapshot
    const length = arrivals - serving
    const places = Array.from({ length: Math.min(PLACES_AT_ONCE, length) }, () =>
      Math.floor(serving + length * this.random()),
    )
    // Whoever came last was told a wait just now.
    if (arrivals > this.#arrivals && length > 0) places.push(arrivals - 1)
    this.#arrivals = arrivals
    for (const place of new Set(places)) {
      const range = waitRange(peopleAhead(place, snapshot), pace)
      if (range && this.#pending.length < PENDING_MAX)
        this.#pending.push({ place, madeAt: this.#flowing, ...range })
    }
  }
}
