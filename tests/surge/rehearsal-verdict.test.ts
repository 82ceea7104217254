// Shows when a rehearsed sale is a go, what is named when it is not, and which settings its figures recommend.
import { expect, test } from 'bun:test'
import type { CrowdReport } from '../../dev/crowd/report.ts'
import { judge, type Rehearsed } from '../../dev/rehearse/verdict.ts'

const few = { count: 1, p50: 20, p95: 40, p99: 50, max: 60 }
const report: CrowdReport = {
  buyers: 100,
  seconds: 60,
  admitted: 100,
  mostAdmittedAtOnce: 50,
  seatsBought: 200,
  outcomes: { bought: 90, sold_out: 10 },
  refusals: {},
  overtakings: [],
  latencyMs: { join: few, claim: few, book: few, pay: few },
  waitSeconds: few,
}
const at = (seconds: number, seatsLeft: number) => ({
  seconds,
  seatsLeft,
  waiting: 0,
  admitted: 0,
  bought: 0,
  done: 0,
})
const planned = { activeMax: 50, admitPerMinute: 600, doorSeconds: 60, passSeconds: 600, graceSeconds: 300 }
const rehearsed: Rehearsed = {
  speed: 10,
  planned,
  seats: 200,
  buyers: 100,
  progress: [at(-5, 200), at(10, 100), at(30, 4), at(31, 0)],
  report,
  limits: { active_max: 20, none: 3 },
  serverCore: 0.2,
  sold: 200,
  auditBroken: [],
  redisBackMs: 900,
}

const judged = (change: Partial<Rehearsed>) => judge({ ...rehearsed, ...change })
const reasons = (change: Partial<Rehearsed>) => judged(change).reasons
const recommended = (change: Partial<Rehearsed>) => judged(change).recommended.activeMax

test('a sale that lost nothing is a go, told by the clock of the day, with room for more named', () => {
  expect(judge(rehearsed)).toMatchObject({
    go: true,
    reasons: [],
    sellOutSeconds: 300,
    bottleneck: expect.stringContaining('activeMax'),
    recommended: { ...planned, activeMax: 100 },
  })
})

test('each thing that must not happen is a no-go in its own words', () => {
  expect(reasons({ report: null })).toEqual(['the crowd did not come to its end'])
  expect(reasons({ sold: 199 })).toEqual(['200 seats were paid for and 199 are sold'])
  expect(reasons({ redisBackMs: null })).toEqual(['Redis did not come back'])
  expect(reasons({ auditBroken: ['I1 BROKEN'] })).toEqual(['audit: I1 BROKEN'])
  expect(reasons({ report: { ...report, outcomes: { refused: 2, out_of_time: 1 } } })).toHaveLength(2)
  const slow = { ...report, latencyMs: { ...report.latencyMs, book: { ...few, p95: 900 } } }
  expect(reasons({ report: slow })).toEqual([expect.stringContaining('900 ms')])
})

test('too much at once recommends less, and a machine busy with something else recommends nothing', () => {
  const slow = { ...report, latencyMs: { ...report.latencyMs, book: { ...few, p95: 900 } } }
  expect(recommended({ serverCore: 0.95 })).toBe(25)
  expect(recommended({ report: slow, serverCore: 0.6 })).toBe(25)
  expect(recommended({ report: slow, serverCore: 0.1 })).toBe(50)
})
