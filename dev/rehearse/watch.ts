// Owns what a rehearsal notes while it runs: what held the line back, what the servers took, and reservations by when they came.
import type { FlowLimit } from '../../server/protocol/codes.ts'
import { measureCpu } from '../bench/processes.ts'
import { percentiles, type CrowdProgress, type Percentiles } from '../crowd/report.ts'
import type { RunFile } from '../up/run-file.ts'
import type { RedisFault } from './faults.ts'
import type { Told } from './send-crowd.ts'
import type { Shadow } from './shadow.ts'

const STATS_EVERY_MS = 1_000
/** Fewer say nothing of what held a line back. */
const SAMPLES_LEAST = 5
/** After Redis is back: connections come back and buyers ask again within it. */
const SHAKEN_MS = 5_000

export interface Reservations {
  /** Undisturbed: what is judged. */
  calm: Percentiles
  /** Answered from the death of Redis until all had come back. */
  shaken: Percentiles
}

export interface Noted {
  progress: CrowdProgress[]
  /** Samples of what held the line back while seats were free; where they went at once, while there was a line. */
  limits: Partial<Record<FlowLimit, number>>
  /** Share of one core, of the busiest server, from the opening until no seat was free. */
  serverCore: number
  reservations: Reservations
}

/** `hear` takes what the crowd tells; in what is noted, seconds count from `onSaleAt`. */
export function watchRehearsal(run: RunFile, shadow: Shadow, onSaleAt: Date) {
  const progress: CrowdProgress[] = []
  const limits: Record<'free' | 'gone', Noted['limits']> = { free: {}, gone: {} }
  const told: { at: number; bookedMs: number[] }[] = []
  const busiest = watchServers(run)
  const sinceOpening = () => (Date.now() - onSaleAt.getTime()) / 1_000
  const stats = setInterval(() => {
    void shadow.stats().then((now) => {
      if (!now || sinceOpening() <= 0 || now.waiting === 0) return
      const counts = progress.some(isAllHeld) ? limits.gone : limits.free
      counts[now.limit] = (counts[now.limit] ?? 0) + 1
    })
  }, STATS_EVERY_MS)
  return {
    hear({ progress: now, bookedMs }: Told) {
      progress.push({ ...now, seconds: sinceOpening() })
      told.push({ at: Date.now(), bookedMs })
      busiest.hear({ open: sinceOpening() > 0, seatsLeft: now.seatsLeft })
    },
    /** Once the crowd has gone. */
    end(redis: RedisFault | null): Noted {
      clearInterval(stats)
      const reservations = splitReservations(told, redis)
      const { free, gone } = limits
      return {
        progress,
        limits: countOf(free) >= SAMPLES_LEAST ? free : gone,
        serverCore: busiest.share(),
        reservations,
      }
    },
  }
}

const countOf = (limits: Noted['limits']) => Object.values(limits).reduce((sum, count) => sum + count, 0)

/** Sold or held; a hold that is not paid gives its seats back. */
export const isAllHeld = ({ seconds, seatsLeft }: CrowdProgress) => seconds > 0 && seatsLeft === 0

/** What Redis' death costs is told, and is not held against the plan; without a death all is calm. */
export function splitReservations(
  told: { at: number; bookedMs: number[] }[],
  redis: RedisFault | null,
): Reservations {
  const from = redis?.killedAt ?? Infinity
  const to = from + (redis?.backMs ?? Infinity) + SHAKEN_MS
  const isShaken = ({ at }: { at: number }) => at > from && at <= to
  return {
    calm: percentiles(told.filter((each) => !isShaken(each)).flatMap(({ bookedMs }) => bookedMs)),
    shaken: percentiles(told.filter(isShaken).flatMap(({ bookedMs }) => bookedMs)),
  }
}

/** What comes before the opening and after the last seat would only dilute it. */
function watchServers({ servers }: RunFile) {
  let cpu: ReturnType<typeof measureCpu> | undefined
  let share: number | undefined
  const take = () => Math.max(0, ...Object.values(cpu?.().cores ?? {}))
  return {
    hear({ open, seatsLeft }: { open: boolean; seatsLeft: number }) {
      if (open) cpu ??= measureCpu(Object.fromEntries(servers.map(({ pid }, n) => [`server ${n}`, [pid]])))
      if (cpu && seatsLeft === 0) share ??= take()
    },
    share: () => share ?? take(),
  }
}
