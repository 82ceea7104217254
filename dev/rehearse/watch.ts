// Owns what a rehearsal notes while it runs: what held the line back, what the servers took, and reservations by when they came.
import type { FlowLimit } from '../../server/protocol/codes.ts'
import { measureCpu } from '../bench/processes.ts'
import { percentiles, type CrowdProgress, type Percentiles } from '../crowd/report.ts'
import type { RunFile } from '../up/run-file.ts'
import type { RedisFault } from './faults.ts'
import type { Told } from './send-crowd.ts'
import type { Shadow } from './shadow.ts'

const STATS_EVERY_MS = 1_000
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
  limits: Partial<Record<FlowLimit, number>>
  /** Share of one core, of the busiest server, from the opening until no seat was free. */
  serverCore: number
  reservations: Reservations
}

/** `hear` takes what the crowd tells; in what is noted, seconds count from `onSaleAt`. */
export function watchRehearsal(run: RunFile, shadow: Shadow, onSaleAt: Date) {
  const progress: CrowdProgress[] = []
  const limits: Partial<Record<FlowLimit, number>> = {}
  const told: { at: number; bookedMs: number[] }[] = []
  const busiest = watchServers(run)
  const sinceOpening = () => (Date.now() - onSaleAt.getTime()) / 1_000
  const stats = setInterval(() => {
    void shadow.stats().then((now) => {
      if (now && sinceOpening() > 0 && now.waiting > 0) limits[now.limit] = (limits[now.limit] ?? 0) + 1
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
      return { progress, limits, serverCore: busiest.share(), reservations }
    },
  }
}

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
