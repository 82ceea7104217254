/** Decides whether the line kept its order: was anyone called while somebody before them was still waiting? */

/** Two sockets hear of one tick at slightly different times; only what both clocks say counts. */
const SEEN_SLACK_MS = 1_000

/** When the server says it happened (a deadline, the same distance from the call for everybody), and when it was seen. */
export interface Moment {
  stamp: number
  seen: number
}

/** One stay in the line. Times in ms since the epoch. */
export interface Visit {
  epoch: number
  number: number
  /** null before a draw. */
  place: number | null
  joinedAt: number
  calledBy?: Moment
  admittedBy?: Moment
  leftAt?: number
}

export interface Overtaking {
  first: number
  passedBy: number
}

/** Pairs of places of which the later was called before the earlier, which was waiting all the while. */
export function findOvertakings(visits: Visit[]): Overtaking[] {
  const found: Overtaking[] = []
  for (const epoch of new Set(visits.map((visit) => visit.epoch))) {
    const called = visits.filter((visit) => visit.epoch === epoch && callOf(visit) !== undefined)
    const byPlace = called.toSorted((a, b) => placeOf(a) - placeOf(b))
    // The earliest call among those behind: whoever was called after it although before it in line was overtaken.
    let earliest: { call: Moment; visit: Visit } | undefined
    for (const visit of byPlace.toReversed()) {
      const call = callOf(visit)
      if (!call) continue
      if (earliest && isOvertaken(visit, call, earliest.call)) {
        found.push({ first: placeOf(visit), passedBy: placeOf(earliest.visit) })
      }
      if (!earliest || call.stamp < earliest.call.stamp) earliest = { call, visit }
    }
  }
  return found
}

function isOvertaken(visit: Visit, call: Moment, earlier: Moment): boolean {
  const waiting = visit.joinedAt + SEEN_SLACK_MS < earlier.seen
  return waiting && earlier.stamp < call.stamp && earlier.seen + SEEN_SLACK_MS < call.seen
}

/** The call where the door is claimed, the admission where it opens by itself. */
function callOf({ calledBy, admittedBy }: Visit): Moment | undefined {
  return calledBy ?? admittedBy
}

function placeOf({ place, number }: Visit): number {
  return place ?? number
}

/** The most stays admitted at one time: a pass counts from when it was seen until it was given back. */
export function mostAdmitted(visits: Visit[]): number {
  const changes = visits.flatMap(({ admittedBy, leftAt }) => {
    if (!admittedBy) return []
    return [
      { at: admittedBy.seen, by: 1 },
      ...(leftAt === undefined ? [] : [{ at: Math.min(leftAt, admittedBy.stamp), by: -1 }]),
    ]
  })
  let now = 0
  let most = 0
  for (const { by } of changes.toSorted((a, b) => a.at - b.at || a.by - b.by)) {
    now += by
    most = Math.max(most, now)
  }
  return most
}
