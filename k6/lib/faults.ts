// Decides what else is asked of a run: nothing had to be asked twice, unless something is broken on purpose meanwhile.
import { size } from './size.ts'

/** `-e FAULTS=1`: servers are restarted, stores fail. Says so where a run would otherwise fail by it. */
const FAULTS = size('FAULTS', 0) > 0

/** Thresholds of every scenario. */
export const undisturbed: Record<string, string[]> = FAULTS
  ? {}
  : { retries_told: ['count==0'], retries_unanswered: ['count==0'] }
