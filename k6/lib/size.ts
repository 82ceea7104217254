// Decides how large a run is: what a scenario says of itself, unless `-e NAME=…` says otherwise.

/** A whole number of at least 1. Throws, in words, at anything else. */
export function size(name: string, usual: number): number {
  const said = __ENV[name]
  if (said === undefined || said === '') return usual
  const value = Number(said)
  if (Number.isInteger(value) && value >= 1) return value
  throw new Error(`${name} must be a whole number of at least 1, not ${said}`)
}

const PATIENCE = size('PATIENCE', 1)

/** 95 % within so many ms; `-e PATIENCE=…` allows so many times that, on a machine busy with something else as well. */
export const within = (ms: number): string => `p(95)<=${ms * PATIENCE}`
