// Decides what is said of a run: the seed, how fast each kind of fault was over, what the crowd was told, what is wrong.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { machine } from '../bench/processes.ts'
import { median } from '../bench/report.ts'
import { describeBlow } from './plan.ts'
import type { ChaosOptions, ChaosResult, Struck } from './run.ts'

const RESULTS = join(import.meta.dir, '../../.cache/chaos')
const MEDIAN_MS = 5_000
const WORST_MS = 15_000
/** The only faults the crowd may be told of. */
const STATED = /^503 (store_unavailable|overloaded)$/
const FAULT = /^5\d\d /

/** Prints the report and writes `.cache/chaos/<seed>.json`; answers whether nothing is wrong. */
export async function publishChaos(options: ChaosOptions, result: ChaosResult): Promise<boolean> {
  const { history, judged, struck, skipped } = result
  for (const [name, count] of history.answers)
    if (FAULT.test(name) && !STATED.test(name)) history.violation(`${count} answers were ${name}`)
  const all = struck.flatMap(({ recoveredMs }) => recoveredMs ?? Infinity)
  const figures = all.length > 0 ? { median: median(all), worst: Math.max(...all) } : { median: 0, worst: 0 }
  const inTime = figures.median <= MEDIAN_MS && figures.worst <= WORST_MS
  const about = machine()

  console.log(
    `\nchaos: seed ${options.seed}, ${options.faults} faults${options.together > 1 ? `, ${options.together} at once` : ''}, ${history.attemptCount} reservation attempts, ${result.seconds.toFixed(0)} s`,
  )
  console.log([`${about.cores} × ${about.cpu}`, `Linux ${about.kernel}`, `Bun ${about.bun}`].join(', '))
  console.log('\nfirst reservation after a fault, s: min / median / max')
  const kinds = new Set(struck.flatMap(({ blow }) => blow.map(({ kind }) => kind)))
  for (const kind of kinds)
    console.log(
      kindLine(
        kind,
        struck.filter(({ blow }) => blow.some((fault) => fault.kind === kind)),
      ),
    )
  console.log(
    `${'all'.padEnd(18)}${String(all.length).padStart(4)}  ${seconds(Math.min(...all, Infinity))} / ${seconds(figures.median)} / ${seconds(figures.worst)}` +
      `  against ${MEDIAN_MS / 1_000} s and ${WORST_MS / 1_000} s: ${inTime ? 'kept' : 'NOT KEPT'}`,
  )
  const blows = struck.flatMap(({ sinceBlowMs }) => sinceBlowMs ?? Infinity)
  if (blows.length > 0)
    console.log(
      `${'from the blow'.padEnd(22)}  ${seconds(Math.min(...blows))} / ${seconds(median(blows))} / ${seconds(Math.max(...blows))}`,
    )
  for (const { kind, why } of skipped) console.log(`${kind.padEnd(18)} left out: ${why}`)
  console.log(`\nattempts to reserve: ${listed(history.attempts)} (${result.attemptsPerSecond.toFixed(0)}/s)`)
  console.log(`answers: ${listed(history.answers)}; no answer ${history.unanswered}`)
  console.log(
    `history: ${judged.events} events of ${judged.seats} seats, ${judged.steps} steps; holds without an answer: ${judged.resolved.happened} happened, ${judged.resolved.not} did not`,
  )
  console.log(`bookings: ${listed(new Map(Object.entries(judged.bookings)))}`)
  console.log(`audit: ${judged.audit.map(({ id, ok }) => `${id} ${ok ? 'ok' : 'BROKEN'}`).join(', ')}`)
  console.log(`violations: ${history.violationCount}`)
  for (const what of history.violations) console.log(`  - ${what}`)

  mkdirSync(RESULTS, { recursive: true })
  const path = join(RESULTS, `${options.seed}.json`)
  const { seed, faults, together, reservations } = options
  const json = {
    at: new Date(),
    machine: about,
    options: { seed, faults, together, reservations, kinds: options.kinds },
    recovery: figures,
    struck: struck.map(({ blow, recoveredMs, sinceBlowMs }) => ({
      blow,
      what: describeBlow(blow),
      recoveredMs,
      sinceBlowMs,
    })),
    skipped,
    attempts: Object.fromEntries(history.attempts),
    answers: Object.fromEntries(history.answers),
    unanswered: history.unanswered,
    judged,
    violationCount: history.violationCount,
    violations: history.violations,
  }
  await Bun.write(path, `${JSON.stringify(json, null, 2)}\n`)
  console.log(`Written to ${path}`)
  return history.violationCount === 0 && inTime
}

function kindLine(kind: string, list: Struck[]): string {
  const times = list.map(({ recoveredMs }) => recoveredMs ?? Infinity)
  const [least, middle, most] = [Math.min(...times), median(times), Math.max(...times)]
  return `${kind.padEnd(18)}${String(list.length).padStart(4)}  ${seconds(least)} / ${seconds(middle)} / ${seconds(most)}`
}

const seconds = (ms: number) => (Number.isFinite(ms) ? (ms / 1_000).toFixed(2) : 'never')

const listed = (counts: Map<string, number>) =>
  [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
