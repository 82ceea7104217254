// Owns one run of one scenario: k6 against a running Onsale, its processes watched, the audit after it, and the verdict.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { SurgeSummary } from '../../k6/lib/figures.ts'
import { machine } from '../bench/processes.ts'
import type { RunFile } from '../up/run-file.ts'
import type { K6 } from './find-k6.ts'
import { runK6, THRESHOLDS_MISSED } from './k6-run.ts'
import { drawPage, type SurgeResult } from './page.ts'
import type { Scenario } from './scenarios.ts'
import { judgeGrowth, watchProcesses, type Limits } from './watch-processes.ts'

const ROOT = join(import.meta.dir, '../..')
const RESULTS = join(ROOT, '.cache/surge')
/** What is asked of the processes beside what the scenario asks of the answers. */
const ASKED_OF_PROCESSES: Record<string, Limits> = {
  // A process keeps the connections to PostgreSQL that its pool opened when it first needed them: 16, of the worker 12.
  soak: { warmUpSeconds: 300, growthMax: 0.05, descriptorsMax: 16 },
}

export interface SurgeRun {
  run: RunFile
  k6: K6
  /** For the scenario: NAME → value. */
  sizes: Record<string, string>
}

/** Prints as it goes. Answers what was wrong, in sentences: none when the run passed. */
export async function runScenario(scenario: Scenario, { run, k6, sizes }: SurgeRun): Promise<SurgeResult> {
  mkdirSync(RESULTS, { recursive: true })
  const at = new Date()
  const summaryFile = join(RESULTS, `.summary-${process.pid}.json`)
  const organizer = run.demo?.accounts.find(({ role }) => role === 'ORGANIZER')
  const watch = watchProcesses(run)
  const outcome = await runK6({ k6, scenario, url: run.url, organizer, sizes, summaryFile })
  const { code, seconds, figures } = outcome
  const limits = ASKED_OF_PROCESSES[scenario.name]
  if (limits) await watch?.settle()
  const { processes, cores } = watch?.stop() ?? { processes: [], cores: {} }
  const audit = await auditStores(run)
  const faults = [
    ...figures
      .filter(({ ok }) => ok === false)
      .map(({ name, asked, value }) => `${name} is ${value}, asked was ${asked}`),
    ...(code === 0 || code === THRESHOLDS_MISSED ? [] : [`k6 ended with ${code}`]),
    ...(code === THRESHOLDS_MISSED && figures.length === 0 ? ['a threshold was missed'] : []),
    ...audit.broken,
    ...(limits ? judgeGrowth(processes, limits) : []),
    ...hintAbout(figures),
  ]
  const about = machine()
  const result: SurgeResult = {
    scenario,
    at,
    machine: `${about.cores} × ${about.cpu}, Linux ${about.kernel}, Bun ${about.bun}`,
    k6: k6.version,
    seconds,
    figures,
    audit: audit.lines,
    warmUpSeconds: limits?.warmUpSeconds ?? 0,
    processes,
    cores: { k6: outcome.cores, ...cores },
    faults,
  }
  const file = join(RESULTS, `${scenario.name}-${at.toISOString().slice(0, 19).replaceAll(':', '')}`)
  await Bun.write(`${file}.html`, drawPage(result))
  await Bun.write(`${file}.json`, `${JSON.stringify(result, null, 2)}\n`)
  console.log(`Report: ${file}.html`)
  return result
}

async function auditStores({ postgres, redis }: RunFile): Promise<{ lines: string[]; broken: string[] }> {
  const audit = Bun.spawn([process.execPath, join(ROOT, 'dev/audit.ts')], {
    env: { ...process.env, DATABASE_URL: postgres.url, REDIS_URL: redis.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [said, complained] = await Promise.all(
    [audit.stdout, audit.stderr].map((stream) => new Response(stream).text()),
  )
  const lines = `${said}${complained}`.trimEnd().split('\n')
  if ((await audit.exited) === 0) return { lines, broken: [] }
  const broken = lines.filter((line) => line.includes('BROKEN'))
  return { lines, broken: (broken.length > 0 ? broken : lines).map((line) => `audit: ${line.trim()}`) }
}

/** The one fault that is the set-up's and not Onsale's. */
function hintAbout(figures: SurgeSummary['figures']): string[] {
  const limited = figures.find(({ name }) => name === 'rate_limited_answers' || name === 'refused_frames')
  return limited && limited.value !== '0' && figures.some(({ ok }) => ok === false)
    ? ['every user comes from this one address: start Onsale with RATE_LIMIT=off for a surge']
    : []
}
