// Solves one challenge, apart from the page, so that nothing on it stands still meanwhile.
import { solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2'
import type { ChallengeProof } from '../../../server/protocol/http.ts'

addEventListener('message', async ({ data }: MessageEvent<ChallengeProof['challenge']>) => {
  postMessage(await solveChallenge({ challenge: data, deriveKey }).catch(() => null))
})
