// Decides which steps of a line are still to be kept in Postgres: those Redis wrote since the last that was kept.
import type { NewStep } from '../../db/steps.ts'
import type { RedisClient } from '../../db/redis.ts'
import { roomKey } from './keys.ts'
import { refuseLost } from './scripts.ts'

/** Read and kept at once; what is beyond it is kept a second later. */
const STEPS_AT_ONCE = 500

/** What a server knows of the steps it kept; forget it when the epoch changes. */
export interface KeptSteps {
  epoch: number
  seq: number
}

/** Keeps what is new and answers how far it came. Safe to run from many servers: a step is kept once. */
export async function keepSteps(
  { redis, saveSteps }: { redis: RedisClient; saveSteps(eventId: string, steps: NewStep[]): Promise<void> },
  eventId: string,
  epoch: number,
  kept: KeptSteps | null,
): Promise<KeptSteps> {
  const after = kept?.epoch === epoch ? kept.seq : 0
  const key = roomKey(eventId, 'steps')
  const entries = await redis.xrange(key, `(${after}`, '+', 'COUNT', STEPS_AT_ONCE).catch(refuseLost)
  const steps = entries
    .map(([, fields]) => JSON.parse(fields[1]!) as NewStep)
    .filter((step) => step.epoch === epoch)
  await saveSteps(eventId, steps)
  return { epoch, seq: steps.at(-1)?.seq ?? after }
}
