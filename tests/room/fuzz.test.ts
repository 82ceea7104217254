// Holds the line against its promises through thousands of random moves, and through the few that once broke one.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { play, replay } from '../support/fuzz/episode.ts'
import { KEPT } from '../support/fuzz/kept.ts'
import { shrink } from '../support/fuzz/shrink.ts'
import { openWire } from '../support/fuzz/wire.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

const STORES_WITHIN_MS = 60_000
const SEED_WITHIN_MS = 120_000
const STEPS = 400
/** Cover a draw, a wipe, a pause, killed servers, a skewed and a turned back clock early. */
const SEEDS = [7, 42, 1001, 1004, 1012, 1017, 1055, 913059204, 912834541]
const RANDOM_SEEDS = 4

let stores: FreshStores
let wire: Awaited<ReturnType<typeof openWire>>
beforeAll(async () => {
  stores = await freshStores()
  wire = await openWire(stores.redisUrl)
}, STORES_WITHIN_MS)
afterAll(async () => {
  await wire.close()
  await stores.close()
})

for (const kept of KEPT)
  test(kept.name, async () => {
    expect(await replay(wire, kept.options, kept.moves)).toBeNull()
  })

const random = Array.from({ length: RANDOM_SEEDS }, () => Math.floor(Math.random() * 1e9))
for (const seed of [...SEEDS, ...random])
  test(
    `seed ${seed}: nobody overtakes, numbers are unique, both limits hold, whatever happens`,
    async () => {
      const failure = await play(wire, { seed, steps: STEPS })
      if (!failure) return
      const short = await shrink(wire, failure)
      const moves = (short?.trace ?? failure.trace).map((move) => JSON.stringify(move)).join('\n')
      throw new Error(`${failure.fault}\n${JSON.stringify(failure.options)}\n${moves}`, {
        cause: failure.fault,
      })
    },
    SEED_WITHIN_MS,
  )
