// Decides what the line's numbers mean for one person: people ahead, the range of the wait, the odds. Pure; the server,
// the HTTP fallback and the window all say what is computed here.

/** How fast a line moves, the same for everybody in it. */
export interface Pace {
  /** People let through a minute in the long run: eight times in ten it is between these. */
  flow: [low: number, high: number] | null
  /** Of those waiting, the share that gives up in a minute. */
  leaving?: number
  /** How many are called at once, as a rule. */
  step?: number
}

export interface WaitRange {
  lowMinutes: number
  highMinutes: number
}

/**
 * People ahead = place − serving − those between who left.
 * A bucket of `gone` reaches to the first place of the next; within one, leavers are taken as evenly spread. Right to one
 * person or 2 %, whichever is more.
 */
export function peopleAhead(place: number, line: { serving: number; gone: [number, number][] }): number {
  const between = place - line.serving
  if (between <= 0) return 0
  let left = 0
  for (const [index, [first, count]] of line.gone.entries()) {
    if (first >= place) break
    const end = line.gone[index + 1]?.[0] ?? place
    const from = Math.max(first, line.serving)
    if (end > from) left += (count * (Math.min(end, place) - from)) / (end - first)
  }
  return Math.max(0, Math.round(between - left))
}

/** Between the tenth and the ninetieth of a hundred, in standard deviations either side. */
const TENTH = 1.2816
/** How much a pace that holds now wanders in a minute, relative; it adds up like a random walk, to a limit. */
const WANDER_PER_MINUTE = 0.0012
const WANDER_MAX = 0.15
const SPREAD_MAX = 1.2
/** Calls come more evenly than pure chance would have them. */
const CHANCE = 0.5
/** Chance has a long tail: half of the waits for one turn are shorter than the mean. */
const OWN_TURN = 0.6

/**
 * When somebody with so many people ahead is called, 10–90 %; null while the pace is not known.
 * The wait is taken as log-normal around ahead ÷ flow, shortened by those ahead who will give up. Its spread is that of
 * the pace, what the pace may wander until then, and chance among the few just ahead.
 */
export function waitRange(ahead: number, { flow, leaving = 0, step = 1 }: Pace): WaitRange | null {
  if (!flow || flow[0] <= 0) return null
  const [low, high] = flow
  const middle = Math.sqrt(low * high)
  const turns = ahead + OWN_TURN
  const minutes = leaving > 0 ? Math.log1p((leaving * turns) / middle) / leaving : turns / middle
  const ofPace = Math.log(high / low) / (2 * TENTH)
  const wander = Math.min(WANDER_MAX, WANDER_PER_MINUTE * minutes)
  const ofChance = (CHANCE * turns + (step * step) / 4) / (turns * turns)
  const spread = Math.min(SPREAD_MAX, Math.sqrt(ofPace ** 2 + wander + ofChance))
  const factor = Math.exp(TENTH * spread)
  return { lowMinutes: minutes / factor, highMinutes: minutes * factor }
}

/** Whether seats remain when a place is called. */
export type Odds = 'likely' | 'uncertain' | 'unlikely'

/** `reach`: the seats serve the places below the first number nine times in ten, those below the second one in ten. */
export const oddsOf = (place: number, [sure, most]: [number, number]): Odds =>
  place < sure ? 'likely' : place < most ? 'uncertain' : 'unlikely'
