// Decides in the browser what the draw gave us, and whether it was honest: nothing is taken from the server unchecked.
// Loaded only when a draw is near or over.
import { m } from '#messages'
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
import { formatCount } from '../format.ts'
import { leafBytes, rootFrom } from '../../../server/protocol/merkle.ts'

/** What a page was shown before the seed could be known; null where it came too late for that. */
export interface Promised {
  commitment: string | null
  root: string | null
}

export interface DrawCheck {
  entrants: number
  /** One line a step, also after one that failed. */
  steps: { good: boolean; text: string }[]
  /** Every step is good. */
  honest: boolean
}

/** Browsers compute hashes on secure pages only. */
export const canCheck = (): boolean => globalThis.crypto?.subtle !== undefined

const sha256 = async (bytes: Uint8Array) =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as BufferSource))
/** What is not a hash is no bytes at all, so that nothing computed from it fits. */
const hash = (text: unknown) => fromHex(String(text), HASH_BYTES) ?? new Uint8Array(0)
const ENTRANTS_MAX = 2 ** 31 - 1

/** Throws where the algorithm or the browser's cryptography is not there. */
export async function placeInDraw(
  { seed, entrants, algorithm }: Pick<DrawFrame, 'seed' | 'entrants' | 'algorithm'>,
  number: number,
): Promise<number> {
  const bytes = fromHex(seed, HASH_BYTES)
  if (algorithm !== DRAW_ALGORITHM || !bytes) throw new TypeError(`cannot draw by ${algorithm}`)
  return placesOf(await hashSoon(expandDraw(bytes, entrants), sha256))(number)
}

/** Recomputes everything that led to `place`. What is ours, `accountId` to `promised`, counts whatever the answer says. */
export async function checkDraw(
  { draw, path }: Pick<DrawProofView, 'draw' | 'path'>,
  {
    accountId,
    number,
    place,
    promised,
  }: { accountId: string; number: number; place: number; promised: Promised },
): Promise<DrawCheck> {
  const check: DrawCheck = { entrants: draw.entrants, steps: [], honest: true }
  const step = (good: boolean, text: string) => {
    check.steps.push({ good, text })
    check.honest &&= good
  }
  const [root, secret] = [hash(draw.root), hash(draw.secret)]
  const committed = toHex(await hashSoon(commitmentOf(secret, draw.algorithm), sha256))
  step(
    committed === draw.commitment && (promised.commitment ?? committed) === committed,
    promised.commitment ? m.room_step_promise() : m.room_step_commitment(),
  )
  const leaf = await sha256(leafBytes(number, accountId))
  const reached = await hashSoon(rootFrom(leaf, number, draw.entrants, path.map(hash)), sha256)
  step(
    reached !== null && toHex(reached) === draw.root && (promised.root ?? draw.root) === draw.root,
    m.room_step_listed(),
  )
  const beacon = draw.beacon?.randomness ? hash(draw.beacon.randomness) : new Uint8Array(0)
  const seed = toHex(await hashSoon(seedOf(secret, root, beacon), sha256))
  step(seed === draw.seed, draw.beacon ? m.room_step_beacon() : m.room_step_seed())
  const computed = await placeComputed(draw, number)
  step(
    computed === place,
    computed === null
      ? m.room_step_none()
      : m.room_step_place({ place: formatCount(computed + 1), entrants: formatCount(draw.entrants) }),
  )
  return check
}

/** Null where the answer is none that could be computed with. */
async function placeComputed(draw: DrawProofView['draw'], number: number): Promise<number | null> {
  if (!(number < draw.entrants && draw.entrants <= ENTRANTS_MAX)) return null
  return placeInDraw(draw, number).catch(() => null)
}
