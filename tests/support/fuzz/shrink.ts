// Decides which moves of a failing run are needed for it to fail, by leaving out as many as possible.
import { replay, type Failure } from './episode.ts'
import { Broken } from './model.ts'
import type { Move } from './moves.ts'
import type { Wire } from './world.ts'

const REPLAYS_MAX = 300

/** What is broken, whoever it happened to. */
const kind = (broken: unknown) => String(broken).replaceAll(/p?\d+/g, 'n')

/** The same kind of failure with fewer moves; null when the moves alone do not show it. */
export async function shrink(
  wire: Wire,
  { options, trace, fault: failure }: Pick<Failure, 'options' | 'trace' | 'fault'>,
): Promise<{ trace: Move[]; fault: unknown } | null> {
  const budget = { replays: REPLAYS_MAX }
  const fails = async (moves: Move[]) => {
    budget.replays -= 1
    const other = await replay(wire, options, moves)
    return other instanceof Broken && kind(other) === kind(failure) ? other : null
  }
  let fault: unknown = await fails(trace)
  if (!fault) return null
  let short = trace
  for (let size = Math.ceil(short.length / 2); size >= 1 && budget.replays > 0;) {
    let cut = false
    for (let from = short.length - size; from > -size && budget.replays > 0; from -= size) {
      const without = [...short.slice(0, Math.max(0, from)), ...short.slice(from + size)]
      const broken = await fails(without)
      if (!broken) continue
      short = without
      fault = broken
      cut = true
    }
    if (size === 1 && !cut) break
    size = size === 1 ? 1 : Math.ceil(size / 2)
  }
  return { trace: short, fault }
}
