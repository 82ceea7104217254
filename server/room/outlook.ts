// Decides what the measured windows say of the pace to come: how fast, how many give up, how far the seats reach.
//
// A line moves as fast as the narrower of two limits lets it: passes that come back (activeMax × how soon people are
// done) and passes a minute. Both are learned from what was seen, whatever limit held then, so that a changed setting
// shows at once. What was really seen under the present settings outweighs that as it grows.
import type { Pace } from '../protocol/forecast.ts'
import type { RoomSnapshot } from './entrant.ts'
import type { PaceWindow } from './pace.ts'

/** Older windows count less: by half in this many minutes. */
const HALF_LIFE_MINUTES = 3
/** Before anybody is done: people take about this share of the time they have. */
const STAY_SHARE = 0.35
const SUPPOSED_EXITS = 3
/** Calls that are supposed to have gone as expected before any were seen. */
const SUPPOSED_CALLS = 10
/** At the start all come in at once and nobody is done yet: until exits reach this share of what they come to. */
const BEGUN_SHARE = 0.75
/** What was seen counts as much as what the limits say after so many minutes and people. */
const SEEN_MINUTES = 1
const SEEN_PEOPLE = 10
/** Relative, of the flow: what is never known, and what is not known while only the limits speak. */
const SPREAD_LEAST = 0.03
const SPREAD_OF_COUNT = 0.42
const SPREAD_OF_RATE = 0.1
const SPREAD_OF_STAY = 0.6
const TENTH = 1.2816
const MINUTE = 60
/** Slower than this is standing still. */
const FLOW_LEAST = 0.01

type Known = Pick<
  RoomSnapshot,
  'phase' | 'heldUntil' | 'at' | 'pace' | 'activeMax' | 'admitPerMinute' | 'passSeconds' | 'doorSeconds'
>

/** Null flow while nobody can be let in, or nobody was yet asked to wait. */
export function paceOf(known: Known): Required<Pace> {
  const windows = begun(known)
  const weighed = windows.map((window, index) => ({ window, weight: weightAt(windows, index) }))
  const sum = (of: (window: PaceWindow) => number) =>
    weighed.reduce((all, { window, weight }) => all + weight * of(window), 0)
  const waited = sum(({ waiting, minutes }) => waiting * minutes)
  const leaving = waited > 0 ? sum(({ left }) => left) / waited : 0
  const calls = sum((window) => window.calls)
  const step = calls > 0 ? sum(({ batches }) => batches) / calls : 1
  if (known.phase !== 'open' || known.at < known.heldUntil) return { flow: null, leaving, step }

  const limits = flowOfLimits(known, sum, calls)
  const seen = weighed.filter((_, index) => tellsThePace(windows, index, known))
  const minutes = seen.reduce((all, { window, weight }) => all + weight * window.minutes, 0)
  const passed = seen.reduce((all, { window, weight }) => all + weight * window.passed, 0)
  const trust = (minutes / (minutes + SEEN_MINUTES)) * (passed / (passed + SEEN_PEOPLE))
  const measured = minutes > 0 ? (passed + 0.5) / minutes : limits.flow
  const flow = Math.exp(trust * Math.log(measured) + (1 - trust) * Math.log(limits.flow))
  const spread = Math.hypot(
    SPREAD_LEAST,
    (1 - trust) * limits.spread,
    SPREAD_OF_COUNT / Math.sqrt(passed + 4),
  )
  const factor = Math.exp(TENTH * spread)
  return { flow: [Math.max(FLOW_LEAST, flow / factor), flow * factor], leaving, step }
}

const weightAt = (windows: PaceWindow[], index: number): number => {
  let age = 0
  for (let i = index + 1; i < windows.length; i++) age += windows[i]!.minutes
  return 2 ** (-age / HALF_LIFE_MINUTES)
}

/** Under the settings in force, with people to call; the window of a change still holds what it filled up. */
const tellsThePace = (windows: PaceWindow[], index: number, { activeMax, admitPerMinute }: Known): boolean =>
  !windows[index]!.starved &&
  [windows[index], windows[index - 1]].every(
    (window) => window?.activeMax === activeMax && window.admitPerMinute === admitPerMinute,
  )

const exitsPerMinute = (some: PaceWindow[]) =>
  some.reduce((all, { exits }) => all + exits, 0) / some.reduce((all, { minutes }) => all + minutes, 0)

/** Without the windows before the first people were done: they say nothing of how soon people are. */
function begun({ pace: windows, passSeconds }: Known): PaceWindow[] {
  const seen = windows.reduce((all, { minutes }) => all + minutes, 0)
  const usual = exitsPerMinute(windows.slice(-windows.length / 2))
  const first = windows.findIndex((window) => exitsPerMinute([window]) >= BEGUN_SHARE * usual)
  if (usual > 0) return windows.slice(Math.max(0, first))
  return seen < passSeconds / MINUTE ? [] : windows
}

function flowOfLimits(known: Known, sum: (of: (window: PaceWindow) => number) => number, calls: number) {
  const longest = (known.passSeconds + known.doorSeconds) / MINUTE
  const exits = sum((window) => window.exits)
  const stayed = sum(({ inside, minutes }) => inside * minutes)
  const supposedStay = STAY_SHARE * longest
  const doneAMinute = Math.max(
    1 / longest,
    (exits + SUPPOSED_EXITS) / (stayed + SUPPOSED_EXITS * supposedStay),
  )
  const full = known.pace.filter((window) => window.inside >= 0.8 * window.activeMax)
  const crowding = full.length
    ? full.reduce((all, { inside, activeMax }) => all + inside / activeMax, 0) / full.length
    : 1
  const freed = known.activeMax * Math.max(1, crowding) * doneAMinute
  const admitted = sum((window) => window.admitted)
  const callsAPass = Math.min(3, Math.max(1, (calls + SUPPOSED_CALLS) / (admitted + SUPPOSED_CALLS)))
  const letIn = known.admitPerMinute === null ? Infinity : known.admitPerMinute * callsAPass
  const ordinary = (sum((window) => window.passed) + SUPPOSED_CALLS) / (calls + SUPPOSED_CALLS)
  const byRate = letIn < freed
  return {
    flow: Math.max(FLOW_LEAST, Math.min(letIn, freed) * Math.min(1, ordinary)),
    spread: byRate ? SPREAD_OF_RATE : SPREAD_OF_STAY / Math.sqrt(1 + exits / SUPPOSED_EXITS),
    exits,
  }
}

/** Whoever is inside has taken about this share of what they will. */
const INSIDE_SHARE = 0.5
/** Before anybody was seen to buy: so many people, taking so many seats each. */
const SUPPOSED_BUYERS = 5
const SUPPOSED_SEATS = 1.5
/** Relative, of how many seats one person takes. */
const SPREAD_OF_SEATS = 1
const SPREAD_OF_REACH = 0.08
const GROWTH_MAX = 3

/**
 * The places the seats left will serve: those below the first number nine times in ten, those below the second one in
 * ten. Null while nothing is known, and while the seats will serve everybody here.
 */
export function reachOf(snapshot: RoomSnapshot, { flow, leaving }: Required<Pace>): [number, number] | null {
  const { seatsAtStart, seatsLeft, calls, serving, arrivals } = snapshot
  if (seatsAtStart === null) return null
  const inside = snapshot.called + snapshot.door + snapshot.active
  const done = Math.max(0, calls - INSIDE_SHARE * inside)
  const taken = Math.max(0, seatsAtStart - seatsLeft)
  const seatsEach = Math.max(0.05, (taken + SUPPOSED_BUYERS * SUPPOSED_SEATS) / (done + SUPPOSED_BUYERS))
  const serves = Math.max(0, seatsLeft / seatsEach - INSIDE_SHARE * inside)
  const spread = Math.hypot(
    SPREAD_OF_REACH,
    SPREAD_OF_SEATS / Math.sqrt(done + SUPPOSED_BUYERS),
    SPREAD_OF_SEATS / Math.sqrt(serves + 1),
  )
  const factor = Math.exp(TENTH * spread)
  const middle = flow ? Math.sqrt(flow[0] * flow[1]) : 0
  /** Those ahead who give up make room behind them. */
  const place = (people: number) => {
    const growth = middle > 0 ? (leaving * people) / middle : 0
    const ahead =
      growth > 0 ? (people * Math.expm1(Math.min(GROWTH_MAX, growth))) / Math.min(GROWTH_MAX, growth) : people
    return placeAfter(ahead, snapshot)
  }
  const reach: [number, number] = [place(serves / factor), place(serves * factor + 1)]
  return reach[0] >= arrivals || arrivals <= serving ? null : reach
}

/** The place with so many people ahead. */
function placeAfter(people: number, { serving, gone }: Pick<RoomSnapshot, 'serving' | 'gone'>): number {
  let [at, left] = [serving, people]
  for (const [index, [first, count]] of gone.entries()) {
    const end = gone[index + 1]?.[0]
    if (end === undefined) break
    const from = Math.max(at, first)
    const stay = ((end - first - count) * Math.max(0, end - from)) / (end - first)
    if (stay >= left) return Math.floor(from + (left / stay) * (end - from))
    left -= stay
    at = Math.max(at, end)
  }
  return Math.floor(at + left)
}
