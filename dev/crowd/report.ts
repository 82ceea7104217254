/** Decides what is told of a crowd: one line a second, and a table at the end. */
import type { BuyerRecord, Outcome } from './buyer.ts'
import { findOvertakings, mostAdmitted } from './order.ts'
import type { Overtaking, Visit } from './order.ts'

export interface Percentiles {
  count: number
  p50: number
  p95: number
  p99: number
  max: number
}

export interface CrowdReport {
  buyers: number
  seconds: number
  admitted: number
  mostAdmittedAtOnce: number
  seatsBought: number
  /** Of the admitted: whose time at the seats ran out. */
  passesLost: number
  outcomes: Partial<Record<Outcome, number>>
  /** Every refusal an attempt met, repeated ones included. */
  refusals: Record<string, number>
  overtakings: Overtaking[]
  latencyMs: Record<'join' | 'claim' | 'book' | 'pay', Percentiles>
  /** From joining to being let in, of those who were. */
  waitSeconds: Percentiles
  /** The same, but from the opening on for who came before it. */
  lineSeconds: Percentiles
}

/** Where a crowd stands at one moment. */
export interface CrowdProgress {
  seconds: number
  waiting: number
  admitted: number
  bought: number
  done: number
  seatsLeft: number
}

export function progressOf(seconds: number, records: BuyerRecord[], seatsLeft: number): CrowdProgress {
  const count = (state: BuyerRecord['state']) => records.filter((record) => record.state === state).length
  const bought = records.filter(({ outcome }) => outcome === 'bought').length
  return {
    seconds,
    waiting: count('waiting'),
    admitted: count('admitted'),
    bought,
    done: count('done'),
    seatsLeft,
  }
}

/** Answers what reservations took, in ms, that were answered since it was last asked. */
export function bookedSince(records: BuyerRecord[]): () => number[] {
  const told = records.map(() => 0)
  return () =>
    records.flatMap(({ bookMs }, index) => {
      const fresh = bookMs.slice(told[index])
      told[index] = bookMs.length
      return fresh.map(Math.round)
    })
}

export function drawProgress({ seconds, seatsLeft, ...parts }: CrowdProgress): string {
  const words = Object.entries(parts).map(([name, value]) => `${name} ${String(value).padStart(5)}`)
  return `${String(seconds).padStart(4)} s  ${words.join('  ')}  free seats ${seatsLeft}`
}

/** `opensAt` in ms since the epoch: when the line began to move. */
export function makeReport(
  records: BuyerRecord[],
  refusals: Map<string, number>,
  seconds: number,
  opensAt = 0,
): CrowdReport {
  const visits = records.flatMap((record) => record.visits)
  const outcomes: CrowdReport['outcomes'] = {}
  for (const { outcome } of records) if (outcome) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  const latency = (key: 'joinMs' | 'claimMs' | 'bookMs' | 'payMs') => {
    return percentiles(records.flatMap((record) => record[key]))
  }
  return {
    buyers: records.length,
    seconds: Number(seconds.toFixed(1)),
    admitted: visits.filter(({ admittedBy }) => admittedBy !== undefined).length,
    mostAdmittedAtOnce: mostAdmitted(visits),
    seatsBought: records.reduce((sum, { seats }) => sum + seats, 0),
    passesLost: records.reduce((sum, { passesLost }) => sum + passesLost, 0),
    outcomes,
    refusals: Object.fromEntries([...refusals].toSorted(([, a], [, b]) => b - a)),
    overtakings: findOvertakings(visits),
    latencyMs: {
      join: latency('joinMs'),
      claim: latency('claimMs'),
      book: latency('bookMs'),
      pay: latency('payMs'),
    },
    waitSeconds: percentiles(visits.flatMap((visit) => waitOf(visit))),
    lineSeconds: percentiles(visits.flatMap((visit) => waitOf(visit, opensAt))),
  }
}

const waitOf = ({ joinedAt, admittedBy }: Visit, from = 0): number[] =>
  admittedBy ? [Math.max(0, admittedBy.seen - Math.max(joinedAt, from)) / 1_000] : []

export function percentiles(values: number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0)
  return {
    count: sorted.length,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    max: Math.round(sorted.at(-1) ?? 0),
  }
}

export function drawReport(report: CrowdReport): string {
  const { buyers, seconds, admitted, mostAdmittedAtOnce, seatsBought, overtakings, latencyMs, waitSeconds } =
    report
  const [first] = overtakings
  const order = first
    ? `BROKEN ${overtakings.length} times, first: place ${first.passedBy} was called before place ${first.first}`
    : 'kept: no one was called before somebody ahead who was waiting'
  const rows = [
    ['buyers', `${buyers} in ${seconds} s`],
    ['admitted', `${admitted}, at most ${mostAdmittedAtOnce} at once`],
    ['seats bought', String(seatsBought)],
    ['outcomes', list(report.outcomes)],
    ['refusals', list(report.refusals)],
    ['order', order],
    ['wait s', drawPercentiles(waitSeconds)],
    ...Object.entries(latencyMs).map(([name, figures]) => [`${name} ms`, drawPercentiles(figures)]),
  ]
  return rows.map(([name, value]) => `  ${(name ?? '').padEnd(14)}${value}`).join('\n')
}

const drawPercentiles = ({ count, p50, p95, p99, max }: Percentiles) =>
  `p50 ${p50}  p95 ${p95}  p99 ${p99}  max ${max}  (${count})`

function list(counts: object): string {
  const words = Object.entries(counts).map(([name, count]) => `${name} ${count}`)
  return words.join(', ') || 'none'
}
