// Owns what one server knows of its latest reservations, and says it to the line once a second, with who took seats.
import type { BookingHealth } from './brake.ts'
import type { Line } from './room.ts'

const REPORT_EVERY_MS = 1_000
/** A report is about so many seconds, and counts for as long. */
const HEALTH_SECONDS = 5
const LATENCIES_KEPT = 1_000
/** Told in one report; further ones follow a second later. */
const TAKERS_PER_REPORT = 1_000

export interface BookingAttempt {
  eventId: string
  accountId: string
  seats: number
  outcome: 'held' | 'conflict' | 'error' | 'refused'
  ms: number
}

interface Second extends Omit<BookingHealth, 'p95Ms'> {
  latencies: number[]
}
interface Reporting {
  seconds: Second[]
  takers: Map<string, number>
}

/** `server` is a name no other process has. A report that is lost is one second of silence. */
export function reportBookingHealth(line: Pick<Line, 'run'>, server: string) {
  const events = new Map<string, Reporting>()

  async function report(eventId: string, reporting: Reporting): Promise<void> {
    const { attempts, conflicts, errors, p95Ms } = healthOf(reporting.seconds)
    reporting.seconds.push(newSecond())
    if (reporting.seconds.length > HEALTH_SECONDS) reporting.seconds.shift()
    const takers = [...reporting.takers].slice(0, TAKERS_PER_REPORT)
    for (const [accountId] of takers) reporting.takers.delete(accountId)
    if (attempts === 0 && takers.length === 0) return void events.delete(eventId)
    await line.run('report-health', eventId, [server, attempts, conflicts, errors, p95Ms, ...takers.flat()])
  }

  const timer = setInterval(() => {
    for (const [eventId, reporting] of events) report(eventId, reporting).catch(() => {})
  }, REPORT_EVERY_MS)

  return {
    attempted({ eventId, accountId, seats, outcome, ms }: BookingAttempt): void {
      let reporting = events.get(eventId)
      if (!reporting) events.set(eventId, (reporting = { seconds: [newSecond()], takers: new Map() }))
      const second = reporting.seconds.at(-1)!
      second.attempts += 1
      if (outcome === 'conflict') second.conflicts += 1
      if (outcome === 'error') second.errors += 1
      if (second.latencies.length < LATENCIES_KEPT) second.latencies.push(ms)
      if (outcome === 'held') reporting.takers.set(accountId, seats)
    },
    close: () => clearInterval(timer),
  }
}

const newSecond = (): Second => ({ attempts: 0, conflicts: 0, errors: 0, latencies: [] })

function healthOf(seconds: Second[]): BookingHealth {
  const sum = (field: 'attempts' | 'conflicts' | 'errors') =>
    seconds.reduce((all, second) => all + second[field], 0)
  const latencies = seconds.flatMap((second) => second.latencies).toSorted((a, b) => a - b)
  return {
    attempts: sum('attempts'),
    conflicts: sum('conflicts'),
    errors: sum('errors'),
    p95Ms: Math.round(latencies[Math.floor(latencies.length * 0.95)] ?? 0),
  }
}

/** The reports of all servers, as hold-lease.lua answers them: "at attempts conflicts errors p95", fresh ones only. */
export function joinHealth(reports: string[], now: number): BookingHealth {
  const health: BookingHealth = { attempts: 0, conflicts: 0, errors: 0, p95Ms: 0 }
  for (const report of reports) {
    const [at, attempts, conflicts, errors, p95Ms] = report.split(' ').map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ]
    if (now - at > HEALTH_SECONDS * 1_000) continue
    health.attempts += attempts
    health.conflicts += conflicts
    health.errors += errors
    health.p95Ms = Math.max(health.p95Ms, p95Ms)
  }
  return health
}
