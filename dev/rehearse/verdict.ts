// Decides go or no-go of a rehearsed sale, what held it back, and which settings it recommends. Figures only; asks nobody.
import type { CrowdReport } from '../crowd/report.ts'
import type { RedisFault } from './faults.ts'
import type { RoomPlan } from './shadow.ts'
import { isAllHeld, type Noted } from './watch.ts'

/** A reservation that takes longer is felt. */
const BOOK_P95_MAX_MS = 500
/** Of those let in: whoever loses a pass while choosing has to stand in line again. */
const PASSES_LOST_MAX = 0.05
/** Of one core: beyond it a server answers late whenever something else happens. */
const SERVER_BUSY = 0.75
const SERVER_EASY = 0.4
/** A limit counts as what holds a sale back when it did for so much of the time there was a line. */
const MOST_OF_IT = 0.3
/** What one rehearsal recommends is at most so many times what was planned: more has to be rehearsed again. */
const TIMES_MAX = 10
/** Where people were left waiting: so that a sale does not end in the minute it must. */
const SPARE = 1.5
/** Nothing that a setting or a machine holds back: nobody waits, or there is nothing to wait for. */
const NO_LIMIT = new Set(['no_one', 'paused', 'sold_out'])

export interface Rehearsed extends Noted {
  speed: number
  /** Of the day itself, after which it ended. */
  minutes: number
  planned: RoomPlan
  seats: number
  buyers: number
  report: CrowdReport | null
  sold: number
  auditBroken: string[]
  /** Null when nothing was to go wrong. */
  redis: RedisFault | null
}

export interface Verdict {
  go: boolean
  reasons: string[]
  /** Of the day itself, seconds from the opening until no seat was free for the first time; null when some always were. */
  allHeldSeconds: number | null
  /** Until the last seat went; null when seats were left. */
  sellOutSeconds: number | null
  bottleneck: string
  recommended: RoomPlan
  why: string
}

export function judge(rehearsed: Rehearsed): Verdict {
  const reasons = whyNot(rehearsed)
  const bottleneck = bottleneckOf(rehearsed)
  return {
    go: reasons.length === 0,
    reasons,
    allHeldSeconds: allHeldOf(rehearsed),
    sellOutSeconds: sellOutOf(rehearsed),
    bottleneck,
    ...recommend(rehearsed),
  }
}

function whyNot({ report, reservations, auditBroken, sold, redis, minutes }: Rehearsed): string[] {
  if (!report) return ['the crowd did not come to its end']
  const { refused = 0, out_of_time: late = 0 } = report.outcomes
  const reasons = auditBroken.map((line) => `audit: ${line}`)
  if (report.overtakings.length > 0) reasons.push(`${report.overtakings.length} people were overtaken`)
  if (refused > 0) reasons.push(`${refused} buyers were refused for good (${refusalsOf(report)})`)
  if (late > 0) reasons.push(`${late} buyers were still waiting when ${minutes} minutes were over`)
  if (losesPasses(report))
    reasons.push(`${report.passesLost} of ${report.admitted} passes ran out at the seats`)
  if (sold !== report.seatsBought)
    reasons.push(`${report.seatsBought} seats were paid for and ${sold} are sold`)
  const { p95 } = reservations.calm
  if (p95 > BOOK_P95_MAX_MS)
    reasons.push(`95 % of the reservations took up to ${p95} ms, more than ${BOOK_P95_MAX_MS}`)
  if (redis?.killedAt === null) reasons.push('too few had bought for Redis to be killed in the midst of it')
  else if (redis?.backMs === null) reasons.push('Redis did not come back')
  return reasons
}

const losesPasses = ({ passesLost, admitted }: CrowdReport) => passesLost > PASSES_LOST_MAX * admitted

/** What attempts met, not what ended them: of seats that somebody else had taken there are always some. */
function refusalsOf({ refusals }: CrowdReport): string {
  const words = Object.entries(refusals).map(([code, count]) => `${code} ${count}`)
  return words.join(', ') || 'places that were lost three times'
}

function allHeldOf({ progress, speed }: Rehearsed): number | null {
  const first = progress.find(isAllHeld)
  return first ? Math.round(first.seconds * speed) : null
}

/** Nothing free and nothing to wait for: the last moment a seat was free, in seconds of the day itself. */
function sellOutOf({ progress, speed }: Rehearsed): number | null {
  const last = progress.findLast(({ seatsLeft }) => seatsLeft > 0)
  return progress.at(-1)?.seatsLeft === 0 && last ? Math.round(last.seconds * speed) : null
}

/** What held the line back for longest, and for which share of the time; none when it was too short to count. */
function limitOf({ limits }: Rehearsed): string | null {
  const counted = Object.entries(limits).filter(([word]) => !NO_LIMIT.has(word))
  const all = counted.reduce((sum, [, count]) => sum + count, 0)
  const [word, count] = counted.filter(([each]) => each !== 'none').toSorted(([, a], [, b]) => b - a)[0] ?? [
    'none',
    0,
  ]
  return all === 0 || count / all < MOST_OF_IT ? null : word
}

function bottleneckOf(rehearsed: Rehearsed): string {
  const { serverCore, report, reservations, planned } = rehearsed
  if (report && losesPasses(report))
    return `passSeconds: ${planned.passSeconds} s at the seats are too few, and people stand in line again`
  if (serverCore > SERVER_BUSY) return `the servers: the busiest took ${serverCore.toFixed(2)} of a core`
  const word = limitOf(rehearsed)
  const said: Partial<Record<string, string>> = {
    active_max: `activeMax: people at the seats take their time, and only ${planned.activeMax} may be there`,
    rate: `admitPerMinute: only ${planned.admitPerMinute ?? 'so many'} may come in within a minute`,
    seats: 'the seats: all are held, and the line waits for those that come back',
    health: `reservations themselves: the line was braked (95 % took ${reservations.calm.p95} ms)`,
  }
  return word === null ? 'nothing for long' : (said[word] ?? word)
}

/** More at the seats, or a higher rate, while the servers have room for it; fewer when they have none. */
function recommend(rehearsed: Rehearsed): Pick<Verdict, 'recommended' | 'why'> {
  const { planned, serverCore, report, reservations, speed } = rehearsed
  const slow = reservations.calm.p95 > BOOK_P95_MAX_MS
  if (slow && serverCore < SERVER_EASY)
    return {
      recommended: planned,
      why: 'reservations were slow while the servers had little to do: see what else keeps the machine or its stores busy',
    }
  if (slow || serverCore > SERVER_BUSY) {
    const activeMax = Math.max(1, Math.round(planned.activeMax / 2))
    const why = `so much at once was too much at ${speed} times the speed; rehearse at a lower speed before believing it`
    return { recommended: { ...planned, activeMax }, why }
  }
  if (report && losesPasses(report))
    return {
      recommended: { ...planned, passSeconds: planned.passSeconds * 2 },
      why: 'time at the seats ran out for people who were still choosing or paying',
    }
  const limit = limitOf(rehearsed)
  if (serverCore >= SERVER_EASY || (limit !== 'active_max' && limit !== 'rate'))
    return { recommended: planned, why: 'as planned' }
  const times = timesMore(rehearsed)
  const why = `the servers had room for more, and the line waited for ${limit === 'rate' ? 'the rate' : 'people at the seats'}`
  if (limit === 'active_max')
    return { recommended: { ...planned, activeMax: planned.activeMax * times }, why }
  const admitPerMinute = planned.admitPerMinute === null ? null : planned.admitPerMinute * times
  return { recommended: { ...planned, admitPerMinute }, why }
}

/** Twice as many; where some were left waiting, as many times more as would have served them too. */
function timesMore({ buyers, report }: Rehearsed): number {
  const late = report?.outcomes.out_of_time ?? 0
  const times = late === 0 ? 2 : Math.ceil((SPARE * buyers) / Math.max(1, buyers - late))
  return Math.min(TIMES_MAX, Math.max(2, times))
}
