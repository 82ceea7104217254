// Owns the worker that solves a challenge: loaded only when there is one, ended when it is solved.
import type { ChallengeProof } from '../../../server/protocol/http.ts'

type Solution = ChallengeProof['solution']
const PATIENCE_MS = 120_000

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
