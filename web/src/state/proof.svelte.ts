// Owns the proof of work of one line: fetched after joining where the room asks for it, solved apart from the page, and
// handed in before the turn comes. Nothing a person has to do.
import type { ChallengeMode } from '../../../server/protocol/codes.ts'
import { askChallenge, proveChallenge } from '../net/poll.ts'
import { solve } from '../net/solve.ts'

/** `impossible`: this browser cannot, most of all on a page without https. */
export type ProofState = 'none' | 'working' | 'done' | 'impossible'
const TRIES = 3
const PAUSE_MS = 2_000

export class Proof {
  state = $state<ProofState>('none')
  readonly #eventId: string
  #busy = false

  constructor(eventId: string) {
    this.#eventId = eventId
  }

  /** The room asks for proofs of these; asks what is owed, and works on it. */
  owe(mode: ChallengeMode | undefined): void {
    if (mode === undefined || mode === 'off' || this.#busy) return
    this.#busy = true
    void this.#work().finally(() => (this.#busy = false))
  }

  async #work(): Promise<void> {
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      const asked = await askChallenge(this.#eventId)
      if (asked.ok && !asked.data.challenge) {
        if (this.state === 'working') this.state = 'done'
        return
      }
      if (asked.ok && asked.data.challenge) {
        this.state = 'working'
        const solution = await solve(asked.data.challenge)
        if (solution === null) {
          this.state = 'impossible'
          return
        }
        const proved = await proveChallenge(this.#eventId, { challenge: asked.data.challenge, solution })
        if (proved.ok) {
          this.state = 'done'
          return
        }
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempt))
    }
  }
}
