// Decides what a benchmark's result looks like: a table for people, JSON beside it for whoever compares runs.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { machine } from './processes.ts'

const RESULTS = join(import.meta.dir, '../../.cache/bench')

export interface Row {
  what: string
  /** Repetitions of the same measurement; shown as min / median / max. */
  figures: number[]
  unit: string
  /** Against which it is judged, in words: the target or the reference of the same run. */
  against?: string
  /** Null when nothing is asked of it. */
  ok: boolean | null
  /** Conditions: generator CPU, sizes, what was left out. */
  note?: string
}

export interface Report {
  bench: string
  /** How it was run, as options. */
  options: Record<string, number | string | boolean>
  /** Versions of what was measured beside the machine's own. */
  versions?: Record<string, string>
  rows: Row[]
}

/** Prints the table and writes `.cache/bench/<name>.json`; answers whether nothing fell short. */
export async function publish(report: Report): Promise<boolean> {
  const about = machine()
  const options = Object.entries(report.options).map(([name, value]) => `${name} ${value}`)
  const versions = Object.entries(report.versions ?? {}).map(([name, value]) => `${name} ${value}`)
  console.log(`\nbench ${report.bench}: ${options.join(', ')}`)
  console.log(
    [`${about.cores} × ${about.cpu}`, `Linux ${about.kernel}`, `Bun ${about.bun}`, ...versions].join(', '),
  )
  const lines = report.rows.map((row) => [
    verdict(row),
    row.what,
    figure(row),
    row.against ?? '',
    row.note ?? '',
  ])
  const table = [['', 'what', 'min / median / max', 'against', 'conditions'], ...lines]
  const widths = table[0]!.map((_, column) => Math.max(...table.map((line) => line[column]!.length)))
  for (const line of table)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
  const path = join(RESULTS, `${report.bench}.json`)
  mkdirSync(RESULTS, { recursive: true })
  await Bun.write(path, `${JSON.stringify({ at: new Date(), machine: about, ...report }, null, 2)}\n`)
  console.log(`Written to ${path}`)
  return report.rows.every(({ ok }) => ok !== false)
}

export function median(figures: number[]): number {
  const sorted = figures.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The smallest figure that at least `share` of all do not exceed. */
export function quantile(figures: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(figures).toSorted()
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

const verdict = ({ ok }: Row) => (ok === null ? ' ' : ok ? '✓' : '✗')

function figure({ figures, unit }: Row): string {
  const [least, most] = [Math.min(...figures), Math.max(...figures)]
  const shown = figures.length > 1 ? [least, median(figures), most] : figures
  return `${shown.map(short).join(' / ')} ${unit}`
}

/** Three figures that matter, and no more. */
function short(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(3)))
}
