// Owns the runs that once failed, each with as few moves as show it: what was wrong is its name.
import type { Move } from './moves.ts'
import type { WorldOptions } from './world.ts'

export interface Kept {
  name: string
  options: WorldOptions
  moves: Move[]
}

const options: WorldOptions = {
  accounts: 10,
  skewMs: 0,
  settings: { control: 'open', activeMax: 3, doorSeconds: 30, passSeconds: 25, graceSeconds: 60 },
}

export const KEPT: Kept[] = [
  {
    name: 'seed 1001: an old ticket gave its place back after every leave, ahead of everybody',
    options,
    moves: [
      { do: 'join', who: 'p1', node: 0, ticket: 'none' },
      { do: 'join', who: 'p2', node: 0, ticket: 'none' },
      { do: 'wipe' },
      { do: 'join', who: 'p1', node: 1, ticket: 'own' },
      { do: 'leave', who: 'p1', node: 1 },
      { do: 'join', who: 'p1', node: 2, ticket: 'own' },
    ],
  },
  {
    name: 'seed 8: a sweep forgot that somebody called was away, and coming back was not counted',
    options: { ...options, settings: { ...options.settings, graceSeconds: 0 } },
    moves: [
      { do: 'join', who: 'p1', node: 0, ticket: 'none' },
      { do: 'tick', node: 2 },
      { do: 'drop', who: 'p1', node: 2 },
      { do: 'tick', node: 2 },
      { do: 'join', who: 'p1', node: 1, ticket: 'none' },
    ],
  },
]
