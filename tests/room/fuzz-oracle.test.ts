// Shows that the fuzz would notice: with one rule taken out of the scripts, a few thousand moves find the breach.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { play } from '../support/fuzz/episode.ts'
import { Broken } from '../support/fuzz/model.ts'
import { plant, PLANTED } from '../support/fuzz/planted.ts'
import { openWire } from '../support/fuzz/wire.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

const STORES_WITHIN_MS = 60_000
const STEPS_AN_EPISODE = 300
const EPISODES_MAX = 160
const AT_ONCE = 8

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

for (const fault of PLANTED)
  test(`found: ${fault.name}`, async () => {
    const redis = plant(wire.redis, fault)
    let found: unknown = null
    for (let seed = 1; seed <= EPISODES_MAX && !found; seed += AT_ONCE) {
      const failures = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, i) =>
          play({ ...wire, redis }, { seed: seed + i, steps: STEPS_AN_EPISODE }),
        ),
      )
      found = failures.find((failure) => failure !== null)?.fault ?? null
    }
    expect(redis.planted()).toBe(true)
    expect(found).toBeInstanceOf(Broken)
  }, 120_000)
