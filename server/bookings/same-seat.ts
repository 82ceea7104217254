// Decides who asks for a seat that many want at the same moment: one of them, and the others hear what became of it.

/** What an answer means for whoever wants the same seat. */
export type Meaning =
  /** It is the asker's now. */
  | 'won'
  /** Nobody can have it. */
  | 'gone'
  /** The asker's own reason: it says nothing to the others. */
  | 'own'

type Told<R> = { lead: true; group: Group<R> } | { lead: false; answer: R } | 'ask alone'
interface Group<R> {
  waiting: ((told: Told<R>) => void)[]
}

/** More than a door lets in: whoever comes on top asks alone. */
const WAITING_MAX = 10_000

/**
 * Who comes while a question is under way waits for it: if the asker won, all who wait are told `lost`. If the seat was
 * gone before, the question may be older than they are, so one of them asks anew, and its answer holds for all who were
 * there by then. No answer is ever older than the request it is given to.
 */
export function createSeatTurns<R>(meaningOf: (answer: R) => Meaning, lost: (key: string) => R) {
  /** Of each seat asked about now: those who came since. */
  const next = new Map<string, Group<R>>()

  async function lead(key: string, group: Group<R>, ask: () => Promise<R>): Promise<R> {
    let meaning: Meaning = 'own'
    try {
      const answer = await ask()
      meaning = meaningOf(answer)
      if (meaning === 'gone') for (const tell of group.waiting) tell({ lead: false, answer })
      if (meaning === 'won') for (const tell of group.waiting) tell({ lead: false, answer: lost(key) })
      return answer
    } finally {
      if (meaning === 'own') for (const tell of group.waiting) tell('ask alone')
      passOn(key, meaning)
    }
  }

  function passOn(key: string, meaning: Meaning): void {
    const came = next.get(key)
    next.delete(key)
    if (!came || came.waiting.length === 0) return
    if (meaning === 'won') for (const tell of came.waiting) tell({ lead: false, answer: lost(key) })
    else if (meaning === 'own') for (const tell of came.waiting) tell('ask alone')
    else {
      const leader = came.waiting.pop()!
      next.set(key, { waiting: [] })
      leader({ lead: true, group: came })
    }
  }

  /** `ask` is called at most once. */
  return async (key: string, ask: () => Promise<R>): Promise<R> => {
    const came = next.get(key)
    if (!came) {
      next.set(key, { waiting: [] })
      return lead(key, { waiting: [] }, ask)
    }
    if (came.waiting.length >= WAITING_MAX) return ask()
    const told = await new Promise<Told<R>>((resolve) => came.waiting.push(resolve))
    if (told === 'ask alone') return ask()
    return told.lead ? lead(key, told.group, ask) : told.answer
  }
}
