// Holds the k6 scenarios to their form: each opens with its question, shape and thresholds, has some, and k6 accepts it.
import { beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { findK6, K6_ALONE, type K6 } from '../../dev/surge/find-k6.ts'
import { listScenarios, OPENING } from '../../dev/surge/scenarios.ts'

const ROOT = join(import.meta.dir, '../..')
const scenarios = listScenarios()

let k6: K6 | null = null
beforeAll(async () => {
  // Without somebody to tell it to, nothing is built.
  const found = await findK6({ env: process.env, cacheDir: join(ROOT, '.cache') })
  k6 = found.ok ? found.k6 : null
})

test('all that are promised are there, and the README of k6 names each', async () => {
  const names = scenarios.map(({ name }) => name)
  expect(names).toEqual([
    'arrival-spike',
    'conflict',
    'full-onsale',
    'idle-waiters',
    'normal',
    'reconnect-storm',
    'seat-stampede',
    'soak',
  ])
  const readme = await Bun.file(join(ROOT, 'k6/README.md')).text()
  expect(names.filter((name) => !readme.includes(`(scenarios/${name}.ts)`))).toEqual([])
})

describe.each(scenarios)('$name', ({ file, says }) => {
  test('opens with its question, its shape and its thresholds', () => {
    expect(OPENING.filter((word) => says[word] === '')).toEqual([])
    expect(says.Question).toEndWith('?')
  })

  test('is accepted by k6 with thresholds against unexpected answers and against asking twice', async () => {
    if (!k6) return console.log('k6 is not here: what it says of the scenario was not asked')
    const inspected = Bun.spawn([k6.program, 'inspect', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...K6_ALONE },
    })
    const [said, complained] = await Promise.all(
      [inspected.stdout, inspected.stderr].map((stream) => new Response(stream).text()),
    )
    expect(complained).toBe('')
    const { thresholds } = JSON.parse(said!) as { thresholds: Record<string, string[]> }
    expect(Object.keys(thresholds).length).toBeGreaterThan(2)
    const none = ['count==0']
    expect(thresholds).toMatchObject({
      unexpected_answers: none,
      retries_told: none,
      retries_unanswered: none,
    })
  })
})
