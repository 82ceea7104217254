// Decides whether this server can take payments, and says so to the ledger's clock of holds about once a second.
//
// While no server says so, holds stand still (db/bookings/hold-clock.ts). What is told of it here comes from memory, so
// that it can be told while Postgres is away.
import {
  BEAT_EVERY_MS,
  beatHoldClock,
  CLOCK_STOPS_AFTER_MS,
  FROZEN_MAX_MS,
  readHoldClock,
  type FreezeReason,
} from '../db/bookings/hold-clock.ts'
import type { Gate } from '../db/bookings/gate.ts'
import { isStoreUnable } from '../db/client.ts'
import { probeProvider } from '../db/payments.ts'
import type { HoldsView } from './protocol/http.ts'
import type { Telemetry } from './telemetry.ts'

/** A payment turned away for want of room says for so long that this server cannot take any. */
const TURNED_AWAY_MS = 2_000
/** A store or a provider that takes longer is away; should it answer after all, the answer counts. */
const PATIENCE_MS = 3_000

export interface HoldClock {
  state(): HoldsView
  /** The door refused a payment. */
  turnedAway(): void
  stop(): void
}

interface Parts {
  gate: Gate
  /** No other process has it. */
  name: string
  telemetry: Pick<Telemetry, 'holdsFrozen' | 'holdsGivenBack'>
}

export function createHoldClock({ gate, name, telemetry }: Parts): HoldClock {
  let turnedAwayAt = -Infinity
  let answeredAt = performance.now()
  let since: Date | null = null
  /** Why the last beat did not come about; null after one that did. */
  let trouble: FreezeReason | null = null
  let timer: ReturnType<typeof setTimeout>

  async function findTrouble(): Promise<FreezeReason | null> {
    if (performance.now() - turnedAwayAt < TURNED_AWAY_MS) return 'overloaded'
    try {
      await within(PATIENCE_MS, probeProvider(gate.db))
      return null
    } catch (fault) {
      return isStoreUnable(fault) ? 'postgres' : 'payment_provider'
    }
  }

  /** A beat when all is well, else what the clock does without this server. */
  async function look(): Promise<void> {
    const found = await findTrouble()
    if (found !== null) {
      trouble = found
      since = (await readHoldClock(gate.db)).since
    } else {
      const reason = trouble ?? 'servers_away'
      const given = await beatHoldClock(gate, { by: name, reason })
      if (given) telemetry.holdsGivenBack({ ...given, reason })
      trouble = null
      since = null
    }
    answeredAt = performance.now()
  }

  async function round(): Promise<void> {
    try {
      await within(PATIENCE_MS, look())
    } catch {
      trouble = 'postgres'
    }
    const { frozen, reason } = state()
    telemetry.holdsFrozen(frozen, reason)
    timer = setTimeout(() => void round(), BEAT_EVERY_MS)
  }

  /** A ledger that no longer answers has no servers that say anything to it either. */
  function state(): HoldsView {
    const silent = performance.now() - answeredAt > CLOCK_STOPS_AFTER_MS
    const stands = since ?? (silent ? new Date(answeredAt) : null)
    return {
      frozen: stands !== null,
      since: stands?.toISOString() ?? null,
      reason: stands === null ? null : (trouble ?? 'servers_away'),
      maxSeconds: FROZEN_MAX_MS / 1_000,
    }
  }

  timer = setTimeout(() => void round(), 0)
  return {
    state,
    turnedAway: () => void (turnedAwayAt = performance.now()),
    stop: () => clearTimeout(timer),
  }
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
