// Decides what the public beacon said: the first round of one drand chain that came after a draw's root was fixed.
import type { BeaconRecord } from '../../db/draws.ts'
import { fromHex, HASH_BYTES, toHex } from '../protocol/draw.ts'
import type { Log } from '../log.ts'

/** Asks for the first round after a moment. Never throws: a beacon that is not heard in time says so in the record. */
export type Beacon = (after: Date) => Promise<BeaconRecord>

/** How long after a round's time it is still asked for; a draw waits no longer. */
const HEARD_WITHIN_MS = 10_000
const ASK_EVERY_MS = 500
const ANSWER_WITHIN_MS = 3_000
const SECOND_MS = 1_000

interface Chain {
  /** Seconds between rounds, and when round 1 was (seconds since 1970). */
  period: number
  genesis_time: number
}

/** `url` is one chain of drand's HTTP interface: `<url>/info` and `<url>/public/<round>`. */
export function createBeacon(url: string, log: Log): Beacon {
  const base = url.replace(/\/+$/, '')
  let chain: Chain | null = null

  async function ask<T>(
    path: string,
    read: (answer: Record<string, unknown>) => T | null,
  ): Promise<T | null> {
    try {
      const answer = await fetch(`${base}${path}`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
      return answer.ok ? read((await answer.json()) as Record<string, unknown>) : null
    } catch {
      return null
    }
  }

  return async (after) => {
    const deadline = Date.now() + HEARD_WITHIN_MS
    const silent: BeaconRecord = {
      url: base,
      genesis: 0,
      period: 0,
      round: 0,
      after: after.toISOString(),
      randomness: null,
      signature: null,
    }
    while (!chain && Date.now() < deadline) {
      chain = await ask('/info', readChain)
      if (!chain) await Bun.sleep(ASK_EVERY_MS)
    }
    if (chain) {
      const { round, at } = firstRoundAfter(chain, after)
      Object.assign(silent, { genesis: chain.genesis_time, period: chain.period, round })
      await Bun.sleep(Math.max(0, at - Date.now()))
      while (Date.now() < at + HEARD_WITHIN_MS) {
        const heard = await ask(`/public/${round}`, (answer) => readRound(answer, round))
        if (heard) return { ...silent, ...heard }
        await Bun.sleep(ASK_EVERY_MS)
      }
    }
    log.warn('draw_beacon_silent', { url: base, round: silent.round })
    return silent
  }
}

/** Round r is due at genesis + (r − 1) periods; `at` in ms. */
function firstRoundAfter({ period, genesis_time }: Chain, after: Date): { round: number; at: number } {
  const seconds = after.getTime() / SECOND_MS - genesis_time
  const round = Math.max(1, Math.floor(seconds / period) + 2)
  return { round, at: (genesis_time + (round - 1) * period) * SECOND_MS }
}

function readChain({ period, genesis_time }: Record<string, unknown>): Chain | null {
  return typeof period === 'number' && period > 0 && typeof genesis_time === 'number'
    ? { period, genesis_time }
    : null
}

/** In every scheme of drand the randomness is the SHA-256 of the signature; an answer that is not, is none. */
function readRound({ round, randomness, signature }: Record<string, unknown>, wanted: number) {
  if (round !== wanted || typeof randomness !== 'string' || typeof signature !== 'string') return null
  const signed = /^(?:[0-9a-f]{2})+$/.test(signature) ? fromHex(signature, signature.length / 2) : null
  if (!signed || !fromHex(randomness, HASH_BYTES)) return null
  return toHex(Bun.SHA256.hash(signed) as Uint8Array) === randomness ? { randomness, signature } : null
}
