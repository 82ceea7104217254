// Decides who must prove some work before the turn is theirs: whether, how much, and whether a proof is good.
//
// Nothing a person does: the device counts, in the background, from the moment of joining on. The place is given before
// and is never touched; only a claim waits for the proof. A proof belongs to one number of one account: whoever joins
// anew proves anew.
import { createHmac, randomInt } from 'node:crypto'
import { createChallenge, verifySolution } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
import type { RedisClient } from '../../db/redis.ts'
import type { ChallengeMode } from '../protocol/codes.ts'
import type { ChallengeProof, ChallengeView } from '../protocol/http.ts'
import { challengesKey, ROOM_KEY_SECONDS, spentChallengeKey } from './keys.ts'
import { refuseLost } from './scripts.ts'

const ALGORITHM = 'PBKDF2/SHA-256'
/** Iterations of one try: about half a millisecond of a desktop's core, two of a phone's. */
const COST = 5_000
/** Tries a level asks for: between so many and twice as many, so that nobody is unlucky for long. */
const TRIES = [0, 250, 1_000, 4_000] as const
export type ChallengeLevel = 0 | 1 | 2 | 3
const LIVES_MS = 10 * 60_000
const SOLVED = 0

/** Recent joins from one address from which on a level is asked for; a family or an office stays below the first. */
const RISKY_FROM = [20, 200, 1_000] as const

/** How much to ask of somebody whose address let so many join lately (rate-limit.ts, `join`). */
export const levelOfRisk = (recentJoins: number): ChallengeLevel =>
  RISKY_FROM.filter((from) => recentJoins >= from).length as ChallengeLevel

interface Whose {
  eventId: string
  accountId: string
  number: number
}

export interface ChallengeParts {
  redis: RedisClient
  /** Shared by all servers: the first makes challenges, the others are known while the secret is being changed. */
  secrets: readonly string[]
  now(): number
}
export type Challenges = ReturnType<typeof createChallenges>
export type Proved = { ok: true } | { ok: false; message: string }

export function createChallenges({ redis, secrets, now }: ChallengeParts) {
  const keys = secrets.map(challengeKeys)

  /** What this very number owes; null when nothing was written for it. */
  async function writtenLevel({ eventId, accountId, number }: Whose): Promise<number | null> {
    const known = await redis.hget(challengesKey(eventId), accountId).catch(refuseLost)
    const [of, level] = known?.split(':').map(Number) ?? []
    return of === number && level !== undefined ? level : null
  }

  async function write({ eventId, accountId, number }: Whose, level: number): Promise<void> {
    const key = challengesKey(eventId)
    await redis
      .multi()
      .hset(key, accountId, `${number}:${level}`)
      .expire(key, ROOM_KEY_SECONDS)
      .exec()
      .catch(refuseLost)
  }

  /** Of the keys, the one that made it answers; a challenge of none is nobody's. */
  async function verify(proof: ChallengeProof) {
    for (const key of keys) {
      const result = await verifySolution({ ...proof, deriveKey, ...key })
      if (result.verified || result.expired) return result
    }
    return { verified: false, expired: false }
  }

  /** 0 = nothing, or proved already. */
  async function owedLevel(whose: Whose, mode: ChallengeMode): Promise<number> {
    if (mode === 'off') return SOLVED
    return (await writtenLevel(whose)) ?? (mode === 'always' ? 1 : SOLVED)
  }

  return {
    owedLevel,

    /** Asks the holder of a fresh number for a proof, as risk says. */
    async demand(whose: Whose, level: ChallengeLevel): Promise<void> {
      if (level > 0) await write(whose, level)
    },

    /** What to solve, made for this account, event and number alone; null when nothing is owed. */
    async make(whose: Whose, mode: ChallengeMode): Promise<ChallengeView['challenge']> {
      const level = await owedLevel(whose, mode)
      if (level === SOLVED) return null
      const tries = TRIES[Math.min(level, TRIES.length - 1)]!
      const made = await createChallenge({
        algorithm: ALGORITHM,
        cost: COST,
        counter: randomInt(tries, 2 * tries),
        deriveKey,
        expiresAt: new Date(now() + LIVES_MS),
        data: { account: whose.accountId, event: whose.eventId, number: whose.number },
        ...keys[0]!,
      })
      return made as ChallengeView['challenge']
    },

    /** Takes a proof: ours, of this account, event and number, in time, right, and never used before. */
    async prove(whose: Whose, { challenge, solution }: ChallengeProof): Promise<Proved> {
      const { data, expiresAt = 0, nonce } = challenge.parameters
      const { verified, expired } = await verify({ challenge, solution })
      if (expired) return refused('This challenge has expired; ask for another one.')
      if (!verified) return refused('This is not the answer to a challenge of ours.')
      if (data?.account !== whose.accountId || data.event !== whose.eventId || data.number !== whose.number)
        return refused('This challenge was given to another place.')
      const livesMs = Math.max(1, Math.ceil(expiresAt * 1_000 - now()))
      const first = await redis
        .set(spentChallengeKey(whose.eventId, nonce), '1', 'PX', livesMs, 'NX')
        .catch(refuseLost)
      if (first === null) return refused('This challenge was used before; ask for another one.')
      await write(whose, SOLVED)
      return { ok: true }
    },
  }
}

function challengeKeys(secret: string) {
  const keyFor = (use: string) => createHmac('sha256', secret).update(`onsale:challenge:${use}`).digest('hex')
  return { hmacSignatureSecret: keyFor('parameters'), hmacKeySignatureSecret: keyFor('answer') }
}

const refused = (message: string): Proved => ({ ok: false, message })
