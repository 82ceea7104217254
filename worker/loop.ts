// Owns how the worker repeats a round for ever: at its pace, slower while it fails, until it is stopped.
import type { Telemetry } from './telemetry.ts'

export interface LoopPlan {
  name: string
  /** Between the end of a round and the start of the next. */
  paceMs: number
  /** One bounded piece of work. True asks for another round at once: there was more than one batch. */
  round: () => Promise<boolean | void>
}

export interface Loop {
  /** Resolves when the round under way has ended; no other begins. */
  stop(): Promise<void>
}

/** While a store is gone a loop asks again no slower than this, so that work resumes soon after it is back. */
const FAILING_PACE_MAX_MS = 2_000
/** A loop that always finds more must still let others run. */
const ROUNDS_AT_ONCE_MAX = 20
/** Of a long outage the log tells the first failure, then one in so many. */
const FAILURES_BETWEEN_LINES = 30

export function startLoop(telemetry: Telemetry, { name, paceMs, round }: LoopPlan): Loop {
  const stopping = new AbortController()
  let failures = 0
  let inARow = 0

  async function once(): Promise<number> {
    try {
      const more = await round()
      if (failures > 0) telemetry.loopRecovered(name, failures)
      failures = 0
      inARow = more === true ? inARow + 1 : 0
      return inARow > 0 && inARow < ROUNDS_AT_ONCE_MAX ? 0 : paceMs
    } catch (fault) {
      telemetry.roundFailed(name)
      if (failures % FAILURES_BETWEEN_LINES === 0) telemetry.loopFailed(name, failures + 1, fault)
      failures += 1
      inARow = 0
      return Math.max(paceMs, Math.min(paceMs * 2 ** failures, FAILING_PACE_MAX_MS))
    }
  }

  async function run() {
    while (!stopping.signal.aborted) {
      const pauseMs = await once()
      if (inARow >= ROUNDS_AT_ONCE_MAX) inARow = 0
      await pause(pauseMs, stopping.signal)
    }
  }

  const ended = run()
  return {
    stop: () => {
      stopping.abort()
      return ended
    },
  }
}

function pause(ms: number, until: AbortSignal): Promise<void> {
  if (until.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      until.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    until.addEventListener('abort', done)
  })
}
