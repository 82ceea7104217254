// Owns what a challenge takes: asking for it, the worker that solves it, handing it in. Loaded only where a room asks.
import type { ChallengeProof, ChallengeView } from '../../../server/protocol/http.ts'
import { ask, newKey } from './api.ts'

type Solution = ChallengeProof['solution']
const PATIENCE_MS = 120_000

const pathOf = (eventId: string) => `/event/${encodeURIComponent(eventId)}/room/challenge`
export const askChallenge = (eventId: string) => ask<ChallengeView>(pathOf(eventId))
export const proveChallenge = (eventId: string, proof: ChallengeProof) =>
  ask<ChallengeView>(pathOf(eventId), { method: 'POST', body: proof, key: newKey() })

/** Null when this browser cannot solve it. */
export function solve(challenge: ChallengeProof['challenge']): Promise<Solution | null> {
  return new Promise((resolve) => {
    // Browsers keep their cryptography from pages without https, localhost apart.
    if (!isSecureContext) return resolve(null)
    const worker = new Worker(new URL('./solve-worker.ts', import.meta.url), { type: 'module' })
    const end = (solution: Solution | null) => {
      worker.terminate()
      clearTimeout(timer)
      resolve(solution)
    }
    const timer = setTimeout(() => end(null), PATIENCE_MS)
    worker.addEventListener('message', ({ data }: MessageEvent<Solution | null>) => end(data))
    worker.addEventListener('error', () => end(null))
    worker.postMessage(challenge, [])
  })
}
