// Shows when a rehearsed sale is a go, what is named when it is not, and which settings its figures recommend.
import { expect, test } from 'bun:test'
import type { CrowdReport } from '../../dev/crowd/report.ts'
import { stretchedBy } from '../../dev/rehearse/shadow.ts'
import { splitReservations } from '../../dev/rehearse/watch.ts'
import { judge, type Rehearsed } from '../../dev/rehearse/verdict.ts'

const few = { count: 1, p50: 20, p95: 40, p99: 50, max: 60 }
const report: CrowdReport = {
  buyers: 100,
  seconds: 60,
  admitted: 100,
  mostAdmittedAtOnce: 50,
  seatsBought: 200,
  passesLost: 0,
  outcomes: { bought: 90, sold_out: 10 },
  refusals: {},
  overtakings: [],
  latencyMs: { join: few, claim: few, book: few, pay: few },
  waitSeconds: few,
  lineSeconds: few,
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
  minutes: 60,
  planned,
  seats: 200,
  buyers: 100,
  progress: [at(-5, 200), at(10, 100), at(20, 0), at(30, 4), at(31, 0)],
  report,
  limits: { active_max: 20, none: 3 },
  serverCore: 0.2,
  sold: 200,
  auditBroken: [],
  redis: { killedAt: 5_000, backMs: 900 },
  reservations: { calm: few, shaken: few },
}

const slow = { calm: { ...few, p95: 900 }, shaken: few }

const judged = (change: Partial<Rehearsed>) => judge({ ...rehearsed, ...change })
const reasons = (change: Partial<Rehearsed>) => judged(change).reasons
const bottleneck = (limits: Rehearsed['limits']) => judged({ limits }).bottleneck
const recommended = (change: Partial<Rehearsed>) => judged(change).recommended.activeMax

test('a sale that lost nothing is a go, told by the clock of the day, with room for more named', () => {
  expect(judge(rehearsed)).toMatchObject({
    go: true,
    reasons: [],
    allHeldSeconds: 200,
    sellOutSeconds: 300,
    bottleneck: expect.stringContaining('activeMax'),
    recommended: { ...planned, activeMax: 100 },
  })
})

test('each thing that must not happen is a no-go in its own words', () => {
  expect(reasons({ report: null })).toEqual(['the crowd did not come to its end'])
  expect(reasons({ sold: 199 })).toEqual(['200 seats were paid for and 199 are sold'])
  expect(reasons({ redis: { killedAt: 5_000, backMs: null } })).toEqual(['Redis did not come back'])
  expect(reasons({ redis: { killedAt: null, backMs: null } })).toEqual([
    'too few had bought for Redis to be killed in the midst of it',
  ])
  expect(reasons({ redis: null })).toEqual([])
  expect(reasons({ auditBroken: ['I1 BROKEN'] })).toEqual(['audit: I1 BROKEN'])
  const lost = { ...report, outcomes: { refused: 2, out_of_time: 1 }, refusals: { booking_expired: 2 } }
  expect(reasons({ report: lost })).toEqual([
    '2 buyers were refused for good (booking_expired 2)',
    '1 buyers were still waiting when 60 minutes were over',
  ])
  expect(reasons({ reservations: slow })).toEqual([expect.stringContaining('900 ms')])
})

test('too much at once recommends less, and a machine busy with something else recommends nothing', () => {
  expect(recommended({ serverCore: 0.95 })).toBe(25)
  expect(recommended({ reservations: slow, serverCore: 0.6 })).toBe(25)
  expect(recommended({ reservations: slow, serverCore: 0.1 })).toBe(50)
})

test('what held the line back did so for much of the time there was one, and not when all was sold', () => {
  expect(bottleneck({ none: 90, rate: 2 })).toBe('nothing for long')
  expect(bottleneck({ none: 10, rate: 20, sold_out: 200, no_one: 200 })).toStartWith(
    'admitPerMinute: only 600',
  )
  expect(bottleneck({ sold_out: 20 })).toBe('nothing for long')
  expect(bottleneck({ seats: 20, active_max: 3 })).toStartWith('the seats')
})

test('a plan that leaves people waiting is recommended as many times more as would have served them', () => {
  const late = { ...report, outcomes: { bought: 20, out_of_time: 80 } }
  expect(recommended({ report: late })).toBe(400)
  const rate = judged({ report: late, limits: { rate: 50, none: 5 } }).recommended
  expect(rate).toEqual({ ...planned, admitPerMinute: 4_800 })
  const nobody = { ...report, outcomes: { out_of_time: 100 } }
  expect(recommended({ report: nobody })).toBe(500)
})

test('passes that run out at the seats are a no-go, whatever else held the line back', () => {
  expect(judged({ report: { ...report, passesLost: 5 } }).go).toBe(true)
  expect(judged({ report: { ...report, passesLost: 6 } })).toMatchObject({
    go: false,
    reasons: ['6 of 100 passes ran out at the seats'],
    bottleneck: expect.stringContaining('passSeconds: 600 s'),
    recommended: { ...planned, passSeconds: 1_200 },
  })
})

test('times too short for the speed are named with what they ran as', () => {
  const times = { holdSeconds: 600, doorSeconds: 0, passSeconds: 60, graceSeconds: 300 }
  expect(stretchedBy(10, times)).toEqual(['passSeconds 60 ran as if it were 100'])
  expect(stretchedBy(5, times)).toEqual([])
})

test('reservations around the death of Redis are told apart, and only then', () => {
  const told = [
    { at: 4_000, bookedMs: [10, 20] },
    { at: 6_000, bookedMs: [700] },
    { at: 10_900, bookedMs: [600] },
    { at: 12_000, bookedMs: [30] },
  ]
  const { calm, shaken } = splitReservations(told, { killedAt: 5_000, backMs: 900 })
  expect([calm.count, calm.max, shaken.count, shaken.max]).toEqual([3, 30, 2, 700])
  expect(splitReservations(told, null)).toMatchObject({ calm: { count: 5, max: 700 }, shaken: { count: 0 } })
  expect(splitReservations(told, { killedAt: null, backMs: null }).shaken.count).toBe(0)
})
