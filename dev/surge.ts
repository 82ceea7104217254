/** Owns `surge`: the k6 scenarios against a running `up`, each judged by its thresholds and by the audit after it. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { dataDirOf } from './live-stores.ts'
import { findK6 } from './surge/find-k6.ts'
import { startPrometheus, type PrometheusPlan } from './surge/prometheus.ts'
import { runScenario } from './surge/run.ts'
import { listScenarios, type Scenario } from './surge/scenarios.ts'
import { judgeSight } from './surge/watched.ts'
import { findRunFile, type RunFile } from './up/run-file.ts'

const CACHE = join(import.meta.dir, '../.cache')
/** Half an hour by itself: only when it is named. */
const ONLY_BY_NAME = new Set(['soak'])
const SIZE = /^([A-Z][A-Z_]*)=(\d+)$/
const NAME_WIDTH = 16

const scenarios = listScenarios()
process.exit(await main())

async function main(): Promise<number> {
  const asked = readAsked()
  if (typeof asked === 'string') return refuse(asked)
  const run = findRunFile(dataDirOf(process.env))
  if (run === null) return refuse('Nothing runs here: start Onsale with `npm start`, then surge it.')
  if (run.demo === null)
    return refuse(
      'The Onsale that runs here has no demo accounts to prepare a sale with: start it with DEMO=1.',
    )
  if (asked.watched && Bun.which('prometheus') === null)
    return refuse(
      '--watched asks a real Prometheus, and there is no `prometheus` on the PATH (`apt-get install prometheus`).',
    )
  const found = await findK6({ env: process.env, cacheDir: CACHE, say: console.error })
  if (!found.ok) return refuse(found.problem)
  const prometheus = asked.watched ? await startPrometheus(watcherOf(run)) : null
  const verdicts: string[] = []
  let failed = 0
  for (const scenario of asked.scenarios) {
    console.log(`\n${scenario.name}: ${scenario.says.Question}`)
    const { faults, cores } = await runScenario(scenario, { run, k6: found.k6, sizes: asked.sizes })
    if (prometheus) {
      const sight = await judgeSight(prometheus, Date.now())
      console.log(sight.lines.join('\n'))
      faults.push(...sight.faults)
    }
    const used = Object.entries(cores).map(([name, share]) => `${name} ${share.toFixed(2)}`)
    if (used.length > 0) console.log(`Share of one core: ${used.join(', ')}`)
    if (faults.length > 0) failed += 1
    verdicts.push(
      `${scenario.name.padEnd(NAME_WIDTH)} ${faults.length === 0 ? 'passed, audit clean' : `FAILED: ${faults.join('; ')}`}`,
    )
  }
  await prometheus?.stop()
  console.log(`\n${verdicts.join('\n')}`)
  return failed === 0 ? 0 : 1
}

/** At the pace of a night, with the token that the server was given. */
function watcherOf({ url }: RunFile): PrometheusPlan {
  return { target: new URL(url).host, token: process.env.METRICS_TOKEN || undefined }
}

interface Asked {
  scenarios: Scenario[]
  sizes: Record<string, string>
  watched: boolean
}

/** A sentence when it was asked for something there is not. */
function readAsked(): Asked | string {
  const usage = `surge [scenario] [-e NAME=NUMBER] [--watched: every panel and alert must have figures of it]\n${scenarios.map(({ name, says }) => `  ${name.padEnd(NAME_WIDTH)} ${says.Question}`).join('\n')}`
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        size: { type: 'string', short: 'e', multiple: true, default: [] },
        watched: { type: 'boolean', default: false },
      },
    })
    const wrong = values.size.find((size) => !SIZE.test(size))
    if (wrong !== undefined) return `-e ${wrong} is no NAME=NUMBER\n${usage}`
    const unknown = positionals.find((name) => !scenarios.some((one) => one.name === name))
    if (unknown !== undefined) return `There is no scenario ${unknown}\n${usage}`
    const chosen = scenarios.filter(({ name }) =>
      positionals.length === 0 ? !ONLY_BY_NAME.has(name) : positionals.includes(name),
    )
    const sizes = Object.fromEntries(values.size.map((size) => size.split('=') as [string, string]))
    return { scenarios: chosen, sizes, watched: values.watched }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${usage}`
  }
}

function refuse(sentence: string): number {
  console.error(sentence)
  return 1
}
