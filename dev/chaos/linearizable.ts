// Decides whether what was told of one seat can be put into one order that the seat's register allows.
//
// The search of Wing and Gong (Testing and verifying concurrent objects, 1993) with the memory of Lowe (Testing for
// linearizability, 2017), one seat at a time: a history is linearizable when that of each object is (Herlihy and Wing,
// 1990; used so by Horn and Kroening's P-compositionality, 2015, and by Porcupine).
import { FREE, step, type Event, type Past, type Seat } from './seat-register.ts'

/** Orders tried of one seat before the search gives up. Histories of a sale need a few steps an event. */
export const STEPS_MAX = 2_000_000
/** Moments are rounded to the ms in places. */
const EARLIER_MS = 1

export type Verdict =
  | { ok: true; steps: number }
  /** No order explains it; `stuck` is the event the longest order found could not pass. */
  | { ok: false; why: 'impossible'; stuck: Event; seat: Seat; steps: number }
  | { ok: false; why: 'undecided'; steps: number }

/** A set of events that took effect: all certain ones before `low`, and `extra` ones besides. */
interface Node {
  low: number
  extra: readonly number[]
  seat: Seat
}

/** Judges the history of one seat that is free at first; events in any order. */
export function linearize(history: readonly Event[], stepsMax = STEPS_MAX): Verdict {
  const events = history.toSorted((a, b) => a.called - b.called)
  const certain = events.flatMap((event, i) => (event.perhaps ? [] : [i]))
  const perhaps = events.flatMap((event, i) => (event.perhaps ? [i] : []))
  /** By place among the certain: an event's place, to tell whether `low` has passed it. */
  const placeOf = new Map(certain.map((i, place) => [i, place]))
  const { holds, ends } = indexPast(events)
  const seen = new Map<string, number>()
  let steps = 0
  let deepest: Node = { low: 0, extra: [], seat: FREE }
  const open: Node[] = [deepest]
  for (let node = open.pop(); node; node = open.pop()) {
    if (node.low > deepest.low) deepest = node
    if (node.low === certain.length) return { ok: true, steps }
    if (++steps > stepsMax) return { ok: false, why: 'undecided', steps }
    const taken = (i: number) => (placeOf.get(i) ?? Infinity) < node.low || node.extra.includes(i)
    const past: Past = {
      held: (booking) => (holds.get(booking) ?? []).some(taken),
      ended: (booking) => (ends.get(booking) ?? []).some(taken),
    }
    const next = candidates(events, certain, perhaps, node)
    // The one that was answered first is tried first: it is pushed last.
    for (const i of next.toSorted((a, b) => events[b]!.answered - events[a]!.answered)) {
      const seat = step(node.seat, events[i]!, past)
      if (!seat) continue
      const after = advance(node, i, placeOf, certain, seat)
      const key = `${after.low}|${after.extra.join()}|${seat.booking}|${seat.sold}|${seat.until}`
      const before = seen.get(key)
      // The same events leave the same seat; with less time gone everything is still possible that was.
      if (before !== undefined && before <= seat.now) continue
      seen.set(key, seat.now)
      open.push(after)
    }
  }
  return { ok: false, why: 'impossible', stuck: events[certain[deepest.low]!]!, seat: deepest.seat, steps }
}

/** Where the events that make and that end each booking stand. */
function indexPast(events: Event[]) {
  const index = (kinds: Event['kind'][]) =>
    Map.groupBy(
      events.flatMap(({ kind }, i) => (kinds.includes(kind) ? [i] : [])),
      (i) => events[i]!.booking,
    )
  return { holds: index(['hold']), ends: index(['release', 'refund']) }
}

/** Events that may be next: called before the first answer among those that must still take effect. */
function candidates(events: Event[], certain: number[], perhaps: number[], { low, extra, seat }: Node) {
  const next: number[] = []
  let firstAnswer = Infinity
  for (let place = low; place < certain.length; place++) {
    const i = certain[place]!
    const event = events[i]!
    if (event.called > firstAnswer) break
    if (extra.includes(i)) continue
    firstAnswer = Math.min(firstAnswer, event.answered)
    next.push(i)
  }
  for (const i of perhaps) {
    const event = events[i]!
    if (event.called > firstAnswer) break
    if (!extra.includes(i) && event.answered >= seat.now) next.push(i)
  }
  return next.filter((i) => events[i]!.called <= firstAnswer && events[i]!.answered >= seat.now - EARLIER_MS)
}

function advance(
  { low, extra }: Node,
  i: number,
  placeOf: Map<number, number>,
  certain: number[],
  seat: Seat,
): Node {
  const more = [...extra, i].toSorted((a, b) => a - b)
  let at = low
  while (at < certain.length && more.includes(certain[at]!)) at++
  return { low: at, extra: more.filter((each) => (placeOf.get(each) ?? Infinity) >= at), seat }
}
