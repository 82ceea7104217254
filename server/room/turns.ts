// Decides how a turn is taken: only by whom it belongs to, and only with the proof of work that is owed for it.
import type { ChallengeProof, ChallengeView } from '../protocol/http.ts'
import type { Challenges } from './challenge.ts'
import type { Entrant, RoomSnapshot } from './entrant.ts'
import type { Line, Move } from './room.ts'

export interface TurnParts {
  line: Pick<Line, 'claim' | 'entrant'>
  challenges: Challenges
  view(eventId: string): Promise<RoomSnapshot | null>
}
type Proof = { ok: true } | { ok: false; refusal: 'request_invalid'; message: string }

const inLine = ({ state }: Entrant) => state === 'waiting' || state === 'called'
const holder = ({ accountId, number }: Entrant, eventId: string) => ({
  accountId,
  eventId,
  number: number ?? 0,
})

/** The moves of a turn, over whichever way they come. */
export function createTurns({ line, challenges, view }: TurnParts) {
  const modeOf = async (eventId: string) => (await view(eventId))?.challenge ?? 'off'

  async function owes(eventId: string, accountId: string): Promise<boolean> {
    const mode = await modeOf(eventId)
    if (mode === 'off') return false
    const entrant = await line.entrant(eventId, accountId)
    return entrant.state === 'called' && (await challenges.owedLevel(holder(entrant, eventId), mode)) > 0
  }

  /** As the line's, but `challenge_required` while a proof is owed; the turn runs on meanwhile. */
  async function claim(eventId: string, accountId: string): Promise<Move> {
    return (await owes(eventId, accountId))
      ? { ok: false, refusal: 'challenge_required' }
      : line.claim(eventId, accountId)
  }

  return {
    claim,

    /** As a person claims: whoever has no turn is told so. Somebody whose turn is over hears how it ended. */
    async takeTurn(eventId: string, accountId: string): Promise<Move> {
      const move = await claim(eventId, accountId)
      if (!move.ok) return move
      const { state, why } = move.entrant
      if (state === 'waiting')
        return { ok: false, refusal: 'request_invalid', message: 'It is not your turn yet.' }
      if (state === 'outside' && (why === null || why === 'left'))
        return { ok: false, refusal: 'request_invalid', message: 'You are not in the line.' }
      return move
    },

    /** What the account has to solve before it claims. */
    async challengeOf(eventId: string, accountId: string): Promise<ChallengeView> {
      const entrant = await line.entrant(eventId, accountId)
      const challenge = inLine(entrant)
        ? await challenges.make(holder(entrant, eventId), await modeOf(eventId))
        : null
      return { required: challenge !== null, challenge }
    },

    async prove(eventId: string, accountId: string, proof: ChallengeProof): Promise<Proof> {
      const entrant = await line.entrant(eventId, accountId)
      if (!inLine(entrant))
        return { ok: false, refusal: 'request_invalid', message: 'You are not in the line.' }
      const proved = await challenges.prove(holder(entrant, eventId), proof)
      return proved.ok ? proved : { ok: false, refusal: 'request_invalid', message: proved.message }
    },
  }
}
