// Owns a simulated sale: a crowd with habits of its own on a real line.
import type { RoomSnapshot } from '../../server/room/entrant.ts'
import type { TestLine } from './line.ts'

export interface SalePlan {
  name: string
  seed: number
  people: number
  /** Minutes over which all but the first half arrive; the first half is there at the start. */
  arriveMinutes: number
  activeMax: number
  admitPerMinute: number | null
  doorSeconds: number
  passSeconds: number
  noShows: number
  /** Mean minutes a person is inside, and how regular: 1 = exponential, more = steadier. */
  stayMinutes: number
  steadiness: number
  /** Share of those waiting who leave in a minute. */
  leaving: number
  minutes: number
  seats?: number
  /** Seats a buyer takes at most, evenly from none. */
  seatsMost?: number
  change?: { atMinute: number; activeMax?: number; admitPerMinute?: number }
  pause?: { atMinute: number; minutes: number }
}

/** mulberry32 */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const TICK_MS = 1_000
const MINUTE_MS = 60_000
const ASK_EVERY_MS = 20_000
const ASKED_AT_ONCE = 5

interface Person {
  id: string
  place: number
  joinAt: number
  leaveAt: number
  claimAt: number
  doneAt: number
  state: 'away' | 'waiting' | 'called' | 'door' | 'inside' | 'gone'
}

/**
 * Plays the sale to its end. `watch` gets a look at the line every 20 s, the minutes so far in which the line could
 * move, and a few places that wait; `called` each place when it is called, and the seats free at that moment.
 */
export async function playSale(
  room: TestLine,
  plan: SalePlan,
  watch: (view: RoomSnapshot, minutes: number, places: number[]) => void,
  called: (place: number, minutes: number, seatsLeft: number) => void,
): Promise<void> {
  const random = randomOf(plan.seed)
  const exponential = (mean: number) => -Math.log(1 - random()) * mean
  const stay = () => {
    let all = 0
    for (let i = 0; i < plan.steadiness; i++) all += exponential(plan.stayMinutes / plan.steadiness)
    return Math.min(all * MINUTE_MS, plan.passSeconds * 1_000)
  }
  room.seats = { total: plan.seats ?? 1e6, available: plan.seats ?? 1e6, reserved: 0 }
  const crowd: Person[] = Array.from({ length: plan.people }, (_, i) => ({
    id: `p${i}`,
    place: i,
    joinAt: i < plan.people / 2 ? 0 : random() * plan.arriveMinutes * MINUTE_MS,
    leaveAt: 0,
    claimAt: 0,
    doneAt: 0,
    state: 'away' as const,
  })).toSorted((a, b) => a.joinAt - b.joinAt)
  const byPlace: Person[] = []
  const inside = new Set<Person>()
  let [time, flowing, next, serving, paused, changed] = [0, 0, 0, 0, false, false]
  let claiming: Person[] = []
  let waiting: Person[] = []

  while (time < plan.minutes * MINUTE_MS) {
    while (next < crowd.length && crowd[next]!.joinAt <= time) {
      const batch: Person[] = []
      while (next < crowd.length && crowd[next]!.joinAt <= time && batch.length < 200)
        batch.push(crowd[next++]!)
      const moves = await Promise.all(batch.map(({ id }) => room.line.join(room.eventId, id, { socket: id })))
      for (const [i, move] of moves.entries()) {
        if (!move.ok) throw new Error(move.refusal)
        const person = batch[i]!
        person.place = move.entrant.place!
        person.state = 'waiting'
        person.leaveAt = plan.leaving > 0 ? time + exponential(1 / plan.leaving) * MINUTE_MS : Infinity
        byPlace[person.place] = person
        waiting.push(person)
      }
    }
    waiting = waiting.filter(({ state }) => state === 'waiting')
    const leavers = waiting.filter(({ leaveAt }) => leaveAt <= time)
    for (const person of leavers) person.state = 'gone'
    const done = [...inside].filter(({ doneAt }) => doneAt <= time)
    for (const person of done) {
      inside.delete(person)
      person.state = 'gone'
      const taken = Math.floor(random() * ((plan.seatsMost ?? 0) + 1))
      room.seats.available -= Math.min(room.seats.available, taken)
    }
    const ready = claiming.filter(({ claimAt }) => claimAt <= time)
    const [, , claims] = await Promise.all([
      Promise.all(leavers.map(({ id }) => room.line.leave(room.eventId, id))),
      Promise.all(done.map(({ id }) => room.line.leave(room.eventId, id))),
      Promise.all(ready.map(({ id }) => room.line.claim(room.eventId, id))),
    ])
    for (const [i, move] of claims.entries()) {
      const person = ready[i]!
      const state = move.ok ? move.entrant.state : 'outside'
      if (state === 'admitted') {
        person.doneAt = time + stay()
        inside.add(person)
      } else if (state === 'door') person.claimAt = time + 2_000
      person.state = state === 'admitted' ? 'inside' : state === 'door' ? 'door' : 'gone'
    }
    claiming = claiming.filter(({ state }) => state === 'called' || state === 'door')

    const minute = time / MINUTE_MS
    if (plan.change && !changed && minute >= plan.change.atMinute) {
      changed = true
      const { atMinute: _, ...settings } = plan.change
      await room.set(settings)
    }
    const resting =
      plan.pause !== undefined &&
      minute >= plan.pause.atMinute &&
      minute < plan.pause.atMinute + plan.pause.minutes
    if (resting !== paused) await room.set({ control: resting ? 'paused' : 'auto' })
    paused = resting
    const { called: count } = await room.tick()
    if (!resting) flowing += TICK_MS
    if (count > 0 || time % ASK_EVERY_MS === 0) {
      const view = (await room.line.look(room.eventId))!
      for (; serving < view.serving; serving++) {
        const person = byPlace[serving]
        if (person?.state !== 'waiting') continue
        called(serving, flowing / MINUTE_MS, room.seats.available)
        const comes = random() >= plan.noShows
        person.state = comes ? 'called' : 'gone'
        person.claimAt = time + 1_000 + random() * Math.min(plan.doorSeconds * 500, 15_000)
        if (comes) claiming.push(person)
      }
      if (time % ASK_EVERY_MS === 0) {
        const places = waiting.filter(({ state }) => state === 'waiting').map(({ place }) => place)
        const asked = Array.from(
          { length: Math.min(ASKED_AT_ONCE, places.length) },
          () => places[Math.floor(random() * places.length)]!,
        )
        watch(view, flowing / MINUTE_MS, asked)
      }
    }
    room.pass(TICK_MS)
    time += TICK_MS
  }
}
