// Owns one run of k6: how it is started, and what it says of itself at its end.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import type { SurgeFigure, SurgeSummary } from '../../k6/lib/figures.ts'
import { K6_ALONE, type K6 } from './find-k6.ts'
import type { Scenario } from './scenarios.ts'

/** k6's own exit code. */
export const THRESHOLDS_MISSED = 99
const MICROSECONDS = 1_000_000

export interface K6Wish {
  k6: K6
  scenario: Scenario
  url: string
  /** Whose event it is; without one, k6 says what is missing. */
  organizer: { email: string; password: string } | undefined
  /** For the scenario: NAME → value. */
  sizes: Record<string, string>
  /** Where k6 leaves what it found; gone again when it was read. */
  summaryFile: string
  /** Where lines that the scenario says go; without one, to the terminal. */
  consoleFile?: string
}

export interface K6Outcome {
  code: number
  /** None when k6 came to no end of its own. */
  figures: SurgeFigure[]
  seconds: number
  /** Of k6 itself. */
  cores: number
}

/** Resolves when k6 has ended; it ends with this process. */
export async function runK6(wish: K6Wish): Promise<K6Outcome> {
  const { k6, scenario, url, organizer, sizes, summaryFile } = wish
  const began = Date.now()
  const child = Bun.spawn([k6.program, 'run', ...flags(wish), scenario.file], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      ...K6_ALONE,
      ...sizes,
      URL: url,
      EMAIL: organizer?.email ?? '',
      PASSWORD: organizer?.password ?? '',
      SURGE_SUMMARY: summaryFile,
    },
  })
  const end = () => child.kill('SIGTERM')
  process.once('SIGTERM', end)
  const code = await child.exited
  process.off('SIGTERM', end)
  const elapsedSeconds = (Date.now() - began) / 1_000
  const cores = Number(child.resourceUsage()?.cpuTime.total ?? 0) / MICROSECONDS / elapsedSeconds
  return { code, cores, ...readSummary(summaryFile) }
}

/** A progress line a second is for a terminal; what is said at the end is the scenario's own. */
const flags = ({ consoleFile }: K6Wish) => [
  '--no-usage-report',
  '--no-color',
  '--address=',
  ...(consoleFile === undefined ? [] : [`--console-output=${consoleFile}`]),
  ...(process.stderr.isTTY ? [] : ['--quiet']),
]

function readSummary(file: string): SurgeSummary {
  if (!existsSync(file)) return { seconds: 0, figures: [] }
  const summary = JSON.parse(readFileSync(file, 'utf8')) as SurgeSummary
  rmSync(file)
  return summary
}
