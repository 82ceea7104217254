// Runs the fuzz of the line for as many steps as asked: bun tests/room/fuzz-long.ts --steps 1000000 --seed 1
import { parseArgs } from 'node:util'
import { play, type Failure } from '../support/fuzz/episode.ts'
import { shrink } from '../support/fuzz/shrink.ts'
import { openWire } from '../support/fuzz/wire.ts'
import { freshStores } from '../support/stores.ts'

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    /** Stop after so many failures. */
    failures: { type: 'string', default: '1' },
  },
})
const STEPS_AN_EPISODE = 500
/** Every so many episodes one with a large crowd. */
const LARGE_EVERY = 200
const LARGE_ACCOUNTS = 5_000
/** Episodes at once: while one waits for Redis, another is thought about. */
const AT_ONCE = 24

const stores = await freshStores()
const wire = await openWire(stores.redisUrl)
const counts = new Map<string, number>()
const failures: Failure[] = []
const first = Number(values.seed)
const episodes = Math.ceil(Number(values.steps) / STEPS_AN_EPISODE)
let next = 0
let done = 0
const startedAt = performance.now()

async function work(): Promise<void> {
  while (next < episodes && failures.length < Number(values.failures)) {
    const index = next++
    const large = index % LARGE_EVERY === LARGE_EVERY - 1 ? { accounts: LARGE_ACCOUNTS } : {}
    const failure = await play(wire, { seed: first + index, steps: STEPS_AN_EPISODE, ...large }, counts)
    done += 1
    if (failure) failures.push(failure)
    if (done % 100 === 0) console.error(`${done} of ${episodes} episodes, ${seconds()} s`)
  }
}
const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(1)
await Promise.all(Array.from({ length: AT_ONCE }, work))

const steps = [...counts.values()].reduce((sum, count) => sum + count, 0)
console.log(`seed ${first}: ${steps} steps in ${done} episodes, ${seconds()} s, ${failures.length} failures`)
console.log(
  [...counts]
    .toSorted((a, b) => b[1] - a[1])
    .map(([move, count]) => `${move} ${count}`)
    .join(', '),
)
for (const failure of failures) {
  console.log(`\nseed ${failure.episode.seed}, step ${failure.trace.length}: ${failure.fault}`)
  const short = await shrink(wire, failure)
  console.log(`options ${JSON.stringify(failure.options)}`)
  console.log(
    short
      ? `${short.fault}\n${short.trace.map((move) => JSON.stringify(move)).join('\n')}`
      : 'does not replay',
  )
}
await wire.close()
await stores.close()
process.exit(failures.length > 0 ? 1 : 0)
