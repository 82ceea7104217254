// Decides whether what a job brings is what its catalogue entry says; Redis is no place to trust blindly.
import { UnrecoverableError } from 'bullmq'
import { Compile } from 'typebox/compile'
import { JOBS, type JobName, type JobPayload } from '../db/jobs.ts'

const validators = new Map<JobName, { Check(value: unknown): boolean }>()

/** Throws a fault that is not tried again: a wrong payload stays wrong. */
export function readPayload<N extends JobName>(name: N, data: unknown): JobPayload<N> {
  let validator = validators.get(name)
  if (!validator) validators.set(name, (validator = Compile(JOBS[name].payload)))
  if (!validator.Check(data)) throw new UnrecoverableError(`the payload of a ${name} job is malformed`)
  return data as JobPayload<N>
}
