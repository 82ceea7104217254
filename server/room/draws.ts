// Owns what one server process knows of draws: how far each has come, who is on its list, and what is published of it.
import type { DrawRecord } from '../../db/draws.ts'
import { HASH_BYTES } from '../protocol/draw.ts'
import { leafBytes, merkleLevels, proofOf } from '../protocol/merkle.ts'
import { decideDraw, inSlices, sha256, type DrawParts } from './draw.ts'

/** Trees kept in memory: 64 bytes a number each. */
const TREES_KEPT = 2
const LEAVES_PER_READ = 50_000

export type Draws = ReturnType<typeof createDraws>

export function createDraws(parts: DrawParts) {
  const { keeper } = parts
  const deciding = new Map<string, Promise<DrawRecord>>()
  const trees = new Map<string, Promise<Uint8Array[]>>()

  async function readTree({ eventId, entrants }: DrawRecord): Promise<Uint8Array[]> {
    const leaves = new Uint8Array(entrants! * HASH_BYTES)
    for (let from = 0; from < entrants!; from += LEAVES_PER_READ) {
      const to = Math.min(entrants!, from + LEAVES_PER_READ)
      leaves.set(await keeper.leaves(eventId, from, to), from * HASH_BYTES)
    }
    return inSlices(merkleLevels(leaves, sha256))
  }

  /** The levels over the list of a draw whose root is fixed, leaves first. */
  function tree(record: DrawRecord): Promise<Uint8Array[]> {
    const { eventId } = record
    let levels = trees.get(eventId)
    if (!levels) {
      if (trees.size >= TREES_KEPT) trees.delete(trees.keys().next().value!)
      trees.set(eventId, (levels = readTree(record)))
      levels.catch(() => trees.delete(eventId))
    }
    return levels
  }

  return {
    parts,
    tree,

    /** How far the draw has come, its secret made and its seed fixed where they can be. Asked at once, decided once. */
    decided(eventId: string): Promise<DrawRecord> {
      let record = deciding.get(eventId)
      if (!record) {
        record = decideDraw(parts, eventId).finally(() => deciding.delete(eventId))
        deciding.set(eventId, record)
      }
      return record
    },

    /** Whether the account held the number when the list was read; false while no list was. */
    async isListed(eventId: string, number: number, accountId: string): Promise<boolean> {
      const leaf = await keeper.leaves(eventId, number, number + 1)
      return Buffer.from(leaf).equals(sha256(leafBytes(number, accountId)))
    },

    /** The way from a number's leaf to the root. The number is below `entrants`. */
    async proof(record: DrawRecord, number: number): Promise<Uint8Array[]> {
      return proofOf(await tree(record), number)
    },
  }
}
