// Decides in the browser what the draw gave us, and whether it was honest: nothing is taken from the server unchecked.
// Loaded only when a draw is near or over.
import type { DrawFrame } from '../../../server/protocol/socket.ts'
import type { DrawProofView } from '../../../server/protocol/http.ts'
import {
  commitmentOf,
  DRAW_ALGORITHM,
  expandDraw,
  fromHex,
  HASH_BYTES,
  hashSoon,
  placesOf,
  seedOf,
  toHex,
} from '../../../server/protocol/draw.ts'
import { leafBytes, rootFrom } from '../../../server/protocol/merkle.ts'

/** What a page was shown before the seed could be known; null where it came too late for that. */
export interface Promised {
  commitment: string | null
  root: string | null
}

export interface DrawCheck {
  place: number
  entrants: number
  /** One line a step; the first that failed is the last. */
  steps: { good: boolean; text: string }[]
  honest: boolean
}

const sha256 = async (bytes: Uint8Array) =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as BufferSource))
const hash = (text: string) => {
  const bytes = fromHex(text, HASH_BYTES)
  if (!bytes) throw new TypeError('not a hash')
  return bytes
}

/** Throws where the algorithm or the browser's cryptography is not there. */
export async function placeInDraw(
  { seed, entrants, algorithm }: Pick<DrawFrame, 'seed' | 'entrants' | 'algorithm'>,
  number: number,
): Promise<number> {
  if (algorithm !== DRAW_ALGORITHM) throw new TypeError(`unknown algorithm ${algorithm}`)
  return placesOf(await hashSoon(expandDraw(hash(seed), entrants), sha256))(number)
}

/** Recomputes everything that led to our place. `accountId` and `number` are ours, whatever the answer says. */
export async function checkDraw(
  { draw, path }: Pick<DrawProofView, 'draw' | 'path'>,
  { accountId, number, promised }: { accountId: string; number: number; promised: Promised },
): Promise<DrawCheck> {
  const check: DrawCheck = { place: 0, entrants: draw.entrants, steps: [], honest: true }
  const step = (good: boolean, text: string) => {
    check.steps.push({ good, text })
    check.honest &&= good
  }
  const root = hash(draw.root)
  const secret = hash(draw.secret)
  const committed = toHex(await hashSoon(commitmentOf(secret, draw.algorithm), sha256))
  step(
    committed === draw.commitment && (promised.commitment ?? committed) === committed,
    promised.commitment
      ? 'The secret is the one this page was promised before the draw'
      : 'The secret fits the published promise',
  )
  const leaf = await sha256(leafBytes(number, accountId))
  const reached = await hashSoon(rootFrom(leaf, number, draw.entrants, path.map(hash)), sha256)
  step(
    reached !== null && toHex(reached) === draw.root && (promised.root ?? draw.root) === draw.root,
    'You are on the closed list, with your number',
  )
  const beacon = draw.beacon?.randomness ? hash(draw.beacon.randomness) : new Uint8Array(0)
  const seed = toHex(await hashSoon(seedOf(secret, root, beacon), sha256))
  step(
    seed === draw.seed,
    'The seed follows from the secret, the list and the public beacon, if there is one',
  )
  check.place = await placeInDraw(draw, number)
  return check
}
