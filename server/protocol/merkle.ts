// Owns the tree over the entrant list: its leaves, its root, and the short proof that one entrant is on it (RFC 6962).
import { concatBytes, HASH_BYTES, uint32, type Hashing, type Sha256 } from './draw.ts'

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)
/** Hashes between two chances for other work. */
const HASHES_PER_SLICE = 2_000

/** What is hashed for a number's leaf; an empty account for a number that nobody held when the list was read. */
export const leafBytes = (number: number, accountId: string): Uint8Array =>
  concatBytes(LEAF, uint32(number), new TextEncoder().encode(accountId))

/**
 * The levels of the tree, leaves (32 bytes each, one a number) first, root last. Stops after every few thousand hashes,
 * so that a caller with other work can do it in between; a caller without just runs through.
 */
export function* merkleLevels(leaves: Uint8Array, sha256: Sha256): Generator<void, Uint8Array[]> {
  const levels = [leaves]
  const pair = new Uint8Array(1 + 2 * HASH_BYTES)
  pair.set(NODE)
  let hashes = 0
  for (let level = leaves; level.length > HASH_BYTES; level = levels.at(-1)!) {
    const above = new Uint8Array(Math.ceil(level.length / HASH_BYTES / 2) * HASH_BYTES)
    for (let at = 0; at < level.length; at += 2 * HASH_BYTES) {
      if (at + HASH_BYTES === level.length) above.set(level.subarray(at), at / 2)
      else {
        pair.set(level.subarray(at, at + 2 * HASH_BYTES), 1)
        above.set(sha256(pair), at / 2)
      }
      if (++hashes % HASHES_PER_SLICE === 0) yield
    }
    levels.push(above)
  }
  return levels
}

/** The nodes beside the way from a number's leaf to the root, lowest first. */
export function proofOf(levels: Uint8Array[], number: number): Uint8Array[] {
  const path: Uint8Array[] = []
  for (let height = 0, index = number; height < levels.length - 1; height++, index >>= 1) {
    const beside = levels[height]!.subarray((index ^ 1) * HASH_BYTES, ((index ^ 1) + 1) * HASH_BYTES)
    // The last node of an odd level has nothing beside it and moves up as it is.
    if (beside.length > 0) path.push(beside)
  }
  return path
}

/** The root that a leaf and its path lead to; null when the path is not as long as the tree of `entrants` is high. */
export function* rootFrom(
  leaf: Uint8Array,
  number: number,
  entrants: number,
  path: Uint8Array[],
): Hashing<Uint8Array | null> {
  let hash = leaf
  let used = 0
  for (let index = number, last = entrants - 1; last > 0; index >>= 1, last >>= 1) {
    if (index === last && index % 2 === 0) continue
    const beside = path[used++]
    if (!beside) return null
    hash = yield index % 2 === 0 ? concatBytes(NODE, hash, beside) : concatBytes(NODE, beside, hash)
  }
  return used === path.length ? hash : null
}
