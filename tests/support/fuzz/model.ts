// Owns the onlooker's own picture of a line: who stands where, what time it is in the room, which limits are in force.
//
// It shares nothing with the code under test. It learns only from what the line answers and announces, and from what
// was done to it, and throws Broken as soon as one of these cannot be if the promises are kept.
import type { RoomSettings } from '../../../db/rooms.ts'
import type { RoomPhase } from '../../../server/protocol/codes.ts'
import type { SeatCounts } from '../../../server/room/room.ts'

/** A promise that was not kept, in words. */
export class Broken extends Error {}
export function hold(kept: boolean, broken: () => string): void {
  if (!kept) throw new Broken(broken())
}

export type State = 'outside' | 'waiting' | 'called' | 'door' | 'admitted'

export interface Person {
  id: string
  state: State
  number: number
  /** Null while the draw has not decided. */
  place: number | null
  epoch: number
  /** Called one by one: stepped back, or came back when the line had passed the place. */
  alone: boolean
  deferred: boolean
  /** May be called by the separate share as well. */
  priority: boolean
  /** The connection was lost; the line goes on over the place, which is kept for the grace. */
  absent: boolean
  /** Lost the connection while called; `again` when called once more for it, which happens once. */
  turnLost: boolean
  again: boolean
  socket: string
  /** Room time (ms) until which the place is safe without a connection; null while connected. */
  safeUntil: number | null
  /** Room time (ms) until which the turn can be taken. */
  due: number
  /** When the pass ends, ms. */
  ends: number
}

export interface Pass {
  id: string
  ends: number
}

/** Plain data, so that an older state can be kept and gone back to. */
export interface Line {
  people: Map<string, Person>
  epoch: number
  arrivals: number
  serving: number
  restoredTo: number
  /** Tickets of lost epochs below it are worth nothing: they had to come back before the draw. */
  restoredFrom: number
  voidBelow: number
  heldUntil: number
  /** As last pushed; null until then. */
  settings: RoomSettings | null
  seats: SeatCounts
  frozenAt: number | null
  frozenMs: number
  /** Somebody came once the sale had started, so there is no draw. */
  plain: boolean
  /** Somebody came before the sale started, so there is a draw. */
  lobby: boolean
  /** Numbers below it are on the closed list; null while it is open. */
  entrants: number | null
  /** The same when their places are drawn. */
  drawn: number | null
  placeOf: (number: number) => number
  /** Redis knows nothing of this line until somebody asks. */
  lost: boolean
  /** Somebody did not come when called; until then nobody is called beyond the free passes. */
  missed: boolean
  /** Passes issued in this epoch. */
  issued: number
}

export const emptyLine = (): Line => ({
  people: new Map(),
  epoch: 0,
  arrivals: 0,
  serving: 0,
  restoredTo: 0,
  restoredFrom: 0,
  voidBelow: 0,
  heldUntil: 0,
  settings: null,
  seats: { total: 0, available: 0, reserved: 0 },
  frozenAt: null,
  frozenMs: 0,
  plain: false,
  lobby: false,
  entrants: null,
  drawn: null,
  placeOf: (number) => number,
  lost: true,
  missed: false,
  issued: 0,
})

export const copyOf = (line: Line): Line => ({
  ...line,
  people: new Map([...line.people].map(([id, person]) => [id, { ...person }])),
})

export const roomNow = (line: Line, at: number) => (line.frozenAt ?? at) - line.frozenMs

export function phaseOf({ settings, seats, lost, lobby, drawn }: Line, at: number): RoomPhase {
  if (lost || !settings?.enabled) return 'off'
  const { control, eventStatus, onSaleAt, lobbyAt } = settings
  if (control === 'closed' || eventStatus === 'CANCELLED') return 'closed'
  if (control === 'paused') return 'paused'
  if (eventStatus === 'DRAFT') return 'scheduled'
  if (control !== 'open' && onSaleAt && at < onSaleAt.getTime())
    return lobbyAt && at < lobbyAt.getTime() ? 'scheduled' : 'lobby'
  if (lobby && drawn === null) return 'lobby'
  if (seats.total > 0 && seats.available === 0 && seats.reserved === 0) return 'sold_out'
  return 'open'
}

export function newPerson(id: string): Person {
  return {
    id,
    state: 'outside',
    number: -1,
    place: null,
    epoch: 0,
    alone: false,
    deferred: false,
    priority: false,
    absent: false,
    turnLost: false,
    again: false,
    socket: '',
    safeUntil: null,
    due: 0,
    ends: 0,
  }
}

/** Where somebody stands at a moment: turns and passes run out by themselves. */
export function standing(line: Line, person: Person, at: number): State {
  if (line.lost) return 'outside'
  if (person.state === 'called' && person.due <= roomNow(line, at))
    return person.absent ? 'waiting' : 'outside'
  if (person.state === 'admitted' && person.ends <= at) return 'outside'
  return person.state
}

/**
 * Whether the line may tell somebody so. Who is away may be told of a turn that was opened over the place, or that the
 * place is kept: which of both, the turn's own bounds decide.
 */
export function mayBeTold(line: Line, person: Person, told: State, at: number): boolean {
  const state = standing(line, person, at)
  return told === state || (person.absent && state === 'called' && told === 'waiting' && !line.lost)
}

export function personOf(line: Line, id: string): Person {
  let person = line.people.get(id)
  if (!person) line.people.set(id, (person = newPerson(id)))
  return person
}

/** Takes what was pushed, as an older push never overwrites a newer one. */
export function configured(line: Line, settings: RoomSettings, at: number): void {
  if (line.lost || (line.settings && line.settings.version > settings.version)) return
  line.settings = { ...settings }
  const phase = phaseOf(line, at)
  const frozen = phase === 'paused' || phase === 'off'
  if (frozen && line.frozenAt === null) line.frozenAt = at
  if (!frozen && line.frozenAt !== null) {
    line.frozenMs += at - line.frozenAt
    line.frozenAt = null
  }
  if (phase !== 'closed' || line.voidBelow >= line.arrivals) return
  line.voidBelow = line.arrivals
  if (line.lobby && line.drawn === null) line.restoredTo = line.arrivals
  else line.serving = line.arrivals
  for (const person of line.people.values()) if (person.state !== 'admitted') person.state = 'outside'
}

/** Where a number stands; null while it waits for the draw. */
export function placeOf(
  { drawn, lobby, entrants, placeOf: drawnPlace }: Line,
  number: number,
): number | null {
  if (drawn !== null && number < drawn) return drawnPlace(number)
  if (lobby && drawn === null && number < (entrants ?? Infinity)) return null
  return number
}
