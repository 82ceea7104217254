// Decides go or no-go of a rehearsed sale, what held it back, and which settings it recommends. Figures only; asks nobody.
import type { FlowLimit } from '../../server/protocol/codes.ts'
import type { CrowdProgress, CrowdReport } from '../crowd/report.ts'
import type { RoomPlan } from './shadow.ts'

/** A reservation that takes longer is felt. */
const BOOK_P95_MAX_MS = 500
/** Of one core: beyond it a server answers late whenever something else happens. */
const SERVER_BUSY = 0.75
const SERVER_EASY = 0.4
/** A limit counts as what holds a sale back when it did for so much of it. */
const MOST_OF_IT = 0.3

export interface Rehearsed {
  speed: number
  planned: RoomPlan
  seats: number
  buyers: number
  progress: CrowdProgress[]
  report: CrowdReport | null
  /** Samples of what held the line back, while there was a line. */
  limits: Partial<Record<FlowLimit, number>>
  /** Share of one core, of the busiest server. */
  serverCore: number
  sold: number
  auditBroken: string[]
  /** Null when no Redis came back. */
  redisBackMs: number | null
}

export interface Verdict {
  go: boolean
  reasons: string[]
  /** Of the day itself, seconds from the opening; null when seats were left. */
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
    sellOutSeconds: sellOutOf(rehearsed),
    bottleneck,
    ...recommend(rehearsed),
  }
}

function whyNot({ report, auditBroken, sold, redisBackMs }: Rehearsed): string[] {
  if (!report) return ['the crowd did not come to its end']
  const { refused = 0, out_of_time: late = 0 } = report.outcomes
  const reasons = auditBroken.map((line) => `audit: ${line}`)
  if (report.overtakings.length > 0) reasons.push(`${report.overtakings.length} people were overtaken`)
  if (refused > 0) reasons.push(`${refused} buyers were refused for good`)
  if (late > 0) reasons.push(`${late} buyers were still waiting when the time was over`)
  if (sold !== report.seatsBought)
    reasons.push(`${report.seatsBought} seats were paid for and ${sold} are sold`)
  if (report.latencyMs.book.p95 > BOOK_P95_MAX_MS)
    reasons.push(
      `95 % of the reservations took ${report.latencyMs.book.p95} ms, more than ${BOOK_P95_MAX_MS}`,
    )
  if (redisBackMs === null) reasons.push('Redis did not come back')
  return reasons
}

/** Nothing free and nothing to wait for: the last moment a seat was free, in seconds of the day itself. */
function sellOutOf({ progress, speed }: Rehearsed): number | null {
  const last = progress.findLast(({ seatsLeft }) => seatsLeft > 0)
  return progress.at(-1)?.seatsLeft === 0 && last ? Math.round(last.seconds * speed) : null
}

function bottleneckOf({ limits, serverCore, report }: Rehearsed): string {
  if (serverCore > SERVER_BUSY) return `the servers: the busiest took ${serverCore.toFixed(2)} of a core`
  const counted = Object.entries(limits).filter(([word]) => word !== 'none' && word !== 'no_one')
  const all = counted.reduce((sum, [, count]) => sum + count, 0)
  const [word, count] = counted.toSorted(([, a], [, b]) => b - a)[0] ?? ['none', 0]
  if (all === 0 || count / all < MOST_OF_IT) return 'nothing for long'
  const said: Partial<Record<string, string>> = {
    active_max: 'activeMax: people at the seats take their time, and nobody else may come in',
    rate: 'admitPerMinute',
    seats: 'the seats: all are held, and the line waits for those that come back',
    health: `reservations themselves: the line was braked (95 % took ${report?.latencyMs.book.p95 ?? 0} ms)`,
    sold_out: 'the seats: there are no more',
  }
  return said[word] ?? word
}

/** Twice as many at the seats while the servers have room for it; fewer when they have none. */
function recommend({ planned, limits, serverCore, report, speed }: Rehearsed) {
  const slow = (report?.latencyMs.book.p95 ?? Infinity) > BOOK_P95_MAX_MS
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
  const most = Object.entries(limits).toSorted(([, a], [, b]) => b - a)[0]?.[0]
  if (serverCore < SERVER_EASY && most === 'active_max')
    return {
      recommended: { ...planned, activeMax: planned.activeMax * 2 },
      why: 'the servers had room for more at the seats, and the line waited for nothing else',
    }
  if (serverCore < SERVER_EASY && most === 'rate' && planned.admitPerMinute !== null)
    return {
      recommended: { ...planned, admitPerMinute: planned.admitPerMinute * 2 },
      why: 'the servers had room for more, and the line waited for the rate alone',
    }
  return { recommended: planned, why: 'as planned' }
}
