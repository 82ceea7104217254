// Owns a keeper of draws as Postgres is one: each step is stored once, and a later answer to the same question is ignored.
import type { DrawRecord } from '../../db/draws.ts'
import type { DrawKeeper } from '../../server/room/draw.ts'

const HASH_BYTES = 32

export interface MemoryKeeper extends DrawKeeper {
  record: DrawRecord | null
  kept: Uint8Array
  /** Throws before the named step is stored, once: a server killed there. */
  dieBefore: keyof DrawKeeper | null
}

export function memoryKeeper(): MemoryKeeper {
  const step = (name: keyof DrawKeeper) => {
    if (keeper.dieBefore !== name) return
    keeper.dieBefore = null
    throw new Error(`killed before ${name}`)
  }
  const keeper: MemoryKeeper = {
    record: null,
    kept: new Uint8Array(0),
    dieBefore: null,
    async prepare(eventId) {
      step('prepare')
      keeper.record ??= {
        eventId,
        secret: crypto.getRandomValues(new Uint8Array(32)),
        closedAt: null,
        entrants: null,
        root: null,
        beacon: null,
        seed: null,
        drawnAt: null,
      }
      return { ...keeper.record }
    },
    async close(eventId, { closedAt, entrants }) {
      step('close')
      await keeper.prepare(eventId)
      if (!keeper.record!.closedAt) Object.assign(keeper.record!, { closedAt, entrants })
      return { ...keeper.record! }
    },
    async fix(_eventId, { leaves, root }) {
      step('fix')
      if (!keeper.record!.root) {
        keeper.record!.root = root
        keeper.kept = leaves.slice()
      }
      return { ...keeper.record! }
    },
    async seal(_eventId, of) {
      step('seal')
      if (!keeper.record!.seed) Object.assign(keeper.record!, of)
      return { ...keeper.record! }
    },
    async leaves(_eventId, from, to) {
      step('leaves')
      return keeper.kept.slice(from * HASH_BYTES, to * HASH_BYTES)
    },
  }
  return keeper
}
