// Decides which requests a server turns away when it has more than it can do, and that the admitted come last in that.
import { createConcurrency, type Concurrency } from './concurrency.ts'
import { Refusal } from './errors.ts'
import type { Tokens } from './tokens.ts'

/**
 * How far behind its timers the process may be, and which share of the measured limit (server/concurrency.ts) may be
 * under way: reading is turned away first, then whoever is new, and last who has a pass or pays.
 */
export const LIMITS_OF = {
  reading: { lateMs: 500, share: 0.75 },
  everybody: { lateMs: 500, share: 1 },
  admitted: { lateMs: 2_000, share: 2 },
}
const LOOK_EVERY_MS = 50
/** Of each look in the figure: one long pause is no overload, several in a row are. */
const SHARE = 0.2
/** Paying is the end of what somebody was admitted for. */
const PAYMENT = '/api/v1/payment/'
const READING = new Set(['GET', 'HEAD'])

export interface Door {
  /** Counts a request in; the returned function counts it out. A Refusal when there is no room for it. */
  enter(request: Request, path: string): (() => void) | Refusal
  stop(): void
}

export interface DoorParts {
  tokens: Pick<Tokens, 'verifyPass'>
  /** Told when a payment is refused: whoever cannot pay must not lose the seats for it. */
  turnedAway?: () => void
  /** How late the process is, ms; without it, measured here. */
  lateMs?: () => number
  concurrency?: Concurrency
}

export function createDoor({
  tokens,
  turnedAway,
  lateMs,
  concurrency = createConcurrency(),
}: DoorParts): Door {
  const lag = lateMs ? { ms: lateMs, stop: () => {} } : measureLag()
  let underWay = 0
  const fits = ({ lateMs: late, share }: { lateMs: number; share: number }) =>
    lag.ms() <= late && underWay < concurrency.limit * share

  return {
    enter(request, path) {
      const usual = READING.has(request.method) ? LIMITS_OF.reading : LIMITS_OF.everybody
      if (!fits(usual) && !(fits(LIMITS_OF.admitted) && isAdmitted(tokens, request, path))) {
        if (path.startsWith(PAYMENT)) turnedAway?.()
        return new Refusal('overloaded')
      }
      underWay += 1
      concurrency.came(underWay)
      const cameAt = performance.now()
      return () => {
        underWay -= 1
        concurrency.answered(cameAt)
      }
    },
    stop: lag.stop,
  }
}

/** The signature alone: whoever has a pass was let in, for whichever event. */
function isAdmitted(tokens: DoorParts['tokens'], { headers }: Request, path: string): boolean {
  if (path.startsWith(PAYMENT)) return true
  const pass = headers.get('x-admission-pass')
  if (pass === null) return false
  const claims = tokens.verifyPass(pass)
  return claims !== null && claims !== 'expired'
}

function measureLag(): { ms: () => number; stop: () => void } {
  let late = 0
  let looked = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    late += SHARE * (Math.max(0, now - looked - LOOK_EVERY_MS) - late)
    looked = now
  }, LOOK_EVERY_MS)
  return { ms: () => late, stop: () => clearInterval(timer) }
}
