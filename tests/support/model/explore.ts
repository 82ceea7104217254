// Owns the search through every state a model can reach: breadth first, so that what breaks is shown on a shortest way.

export interface Step<S> {
  /** Who does what, for a trace. */
  name: string
  next: S
}

export interface Model<S> {
  first: S
  steps(state: S): Step<S>[]
  /** Two states with one key are one state. */
  keyOf(state: S): string
  /** What is broken in a state, or null. */
  broken(state: S): string | null
  /** What is broken in a step, or null. */
  brokenStep(before: S, step: Step<S>): string | null
}

export interface Explored {
  states: number
  transitions: number
  /** States from which no step leads anywhere else. */
  ends: number
  ms: number
  /** What is broken, and the steps that lead there; null when nothing is. */
  found: { what: string; trace: string[] } | null
}

interface Seen {
  from: string | null
  by: string
}

/** Visits every reachable state, or stops at the first that is broken. Throws when there are more than `statesMax`. */
export function explore<S>(model: Model<S>, { statesMax }: { statesMax: number }): Explored {
  const startedAt = performance.now()
  const firstKey = model.keyOf(model.first)
  const seen = new Map<string, Seen>([[firstKey, { from: null, by: '' }]])
  let wave: [string, S][] = [[firstKey, model.first]]
  let transitions = 0
  let ends = 0
  const result = (found: Explored['found']): Explored => ({
    states: seen.size,
    transitions,
    ends,
    ms: Math.round(performance.now() - startedAt),
    found,
  })
  while (wave.length > 0) {
    const following: [string, S][] = []
    for (const [key, state] of wave) {
      const what = model.broken(state)
      if (what !== null) return result({ what, trace: traceTo(seen, key) })
      let leads = false
      for (const step of model.steps(state)) {
        const nextKey = model.keyOf(step.next)
        if (nextKey === key) continue
        leads = true
        transitions += 1
        const broken = model.brokenStep(state, step)
        if (broken !== null) return result({ what: broken, trace: [...traceTo(seen, key), step.name] })
        if (seen.has(nextKey)) continue
        if (seen.size >= statesMax) throw new Error(`more than ${statesMax} states`)
        seen.set(nextKey, { from: key, by: step.name })
        following.push([nextKey, step.next])
      }
      if (!leads) ends += 1
    }
    wave = following
  }
  return result(null)
}

function traceTo(seen: Map<string, Seen>, key: string): string[] {
  const trace: string[] = []
  for (let at: string | null = key; at !== null;) {
    const { from, by }: Seen = seen.get(at)!
    if (from !== null) trace.unshift(by)
    at = from
  }
  return trace
}
