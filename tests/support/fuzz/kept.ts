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
  {
    name: 'seed 20261134: a server stopped before Redis was lost had the fencing number of the next holder',
    options: { ...options, settings: { ...options.settings, passSeconds: 5 } },
    moves: [
      { do: 'join', who: 'p1', node: 0, ticket: 'none' },
      { do: 'stall', node: 2, steps: 0 },
      { do: 'wipe' },
      { do: 'join', who: 'p1', node: 0, ticket: 'own' },
      { do: 'pass', ms: 61_000 },
      { do: 'tick', node: 0 },
      { do: 'join', who: 'p2', node: 0, ticket: 'none' },
      { do: 'resume', node: 2 },
    ],
  },
  {
    name: 'seed 20261940: a lease that Redis forgot had the fencing number of the next one',
    options: { ...options, settings: { ...options.settings, passSeconds: 5 } },
    moves: [
      { do: 'keep' },
      { do: 'stall', node: 0, steps: 5 },
      { do: 'rollback' },
      { do: 'join', who: 'p7', node: 1, ticket: 'none' },
      { do: 'tick', node: 1 },
      { do: 'defer', who: 'p7', node: 0 },
      { do: 'resume', node: 0 },
    ],
  },
  {
    name: 'seed 20261469: priority called more than the passes there were, by credit left over',
    options: { ...options, settings: { ...options.settings, activeMax: 1, priorityShare: 100 } },
    moves: [
      { do: 'join', who: 'p1', node: 0, ticket: 'none' },
      { do: 'join', who: 'p2', node: 0, ticket: 'none' },
      { do: 'tick', node: 0 },
      { do: 'join', who: 'p3', node: 0, priority: true, ticket: 'none' },
      { do: 'join', who: 'p4', node: 0, priority: true, ticket: 'none' },
      { do: 'leave', who: 'p1', node: 0 },
      { do: 'tick', node: 0 },
    ],
  },
  {
    name: 'seed 20261396: who asked over HTTP from the door on lost the place there',
    options: { ...options, settings: { ...options.settings, activeMax: 2 } },
    moves: [
      { do: 'join', who: 'p1', node: 0, http: true, ticket: 'none' },
      { do: 'join', who: 'p2', node: 0, http: true, ticket: 'none' },
      { do: 'tick', node: 0 },
      { do: 'set', node: 0, change: { activeMax: 1, passSeconds: 3_600 } },
      { do: 'claim', who: 'p1', node: 0 },
      { do: 'claim', who: 'p2', node: 0 },
      { do: 'join', who: 'p2', node: 0, http: true, ticket: 'own' },
      { do: 'pass', ms: 50_000 },
      { do: 'ask', who: 'p2', node: 0 },
      { do: 'pass', ms: 50_000 },
      { do: 'tick', node: 0 },
    ],
  },
  {
    name: 'seed 90295: a place told in a pause was taken back when the start of the sale was moved',
    options: { ...options, settings: { ...options.settings, control: 'open' } },
    moves: [
      { do: 'set', node: 1, change: { control: 'paused' } },
      { do: 'join', who: 'p8', node: 0, http: true, ticket: 'own' },
      { do: 'set', node: 2, change: { saleIn: 60_000, lobbyIn: null } },
      { do: 'join', who: 'p5', node: 1, priority: true, ticket: 'own' },
    ],
  },
]
