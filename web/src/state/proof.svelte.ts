// Owns the proof of work of one line: fetched after joining where the room asks for it, solved apart from the page, and
// handed in before the turn comes. Nothing a person has to do.
import type { ChallengeMode } from '../../../server/protocol/codes.ts'

/** `impossible`: this browser cannot, most of all on a page without https. */
export type ProofState = 'none' | 'working' | 'done' | 'impossible'
const TRIES = 3
const PAUSE_MS = 2_000
const loadSolver = () => import('../net/solve.ts')

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
      const solver = await loadSolver().catch(() => null)
      const asked = await solver?.askChallenge(this.#eventId)
      if (asked?.ok && !asked.data.challenge) {
        if (this.state === 'working') this.state = 'done'
        return
      }
      if (solver && asked?.ok && asked.data.challenge) {
        this.state = 'working'
        const solution = await solver.solve(asked.data.challenge)
        if (solution === null) {
          this.state = 'impossible'
          return
        }
        const proved = await solver.proveChallenge(this.#eventId, {
          challenge: asked.data.challenge,
          solution,
        })
        if (proved.ok) {
          this.state = 'done'
          return
        }
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempt))
    }
  }
}
