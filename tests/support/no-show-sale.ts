// Owns a sale of a test in which some of those called do not come: real scripts, a fake clock, a seeded crowd.
import type { RoomSettings } from '../../db/rooms.ts'
import { roomKey } from '../../server/room/keys.ts'
import { randomOf } from './fuzz/random.ts'
import { enter, type openLines, type TestLine } from './line.ts'

const TICK_MS = 250
const JOINS_AT_ONCE = 500

export interface SaleWishes {
  seed: number
  seconds: number
  settings: Partial<RoomSettings>
  /** The share of people called at a moment who do not come, 0–1. */
  noShows(second: number): number
  /** From the call to the claim, ms; never beyond the door. */
  claimWithin: [shortest: number, longest: number]
  /** Passes are given up after so long; null keeps them. */
  leaveAfterMs?: number
}

export interface SaleTick {
  /** ms since the start. */
  at: number
  called: number
  claimed: number
  admitted: number
  live: number
  atDoor: number
}

/** Plays the sale with as many people as it needs and answers what every tick saw. */
export async function playSale(
  lines: Awaited<ReturnType<typeof openLines>>,
  wishes: SaleWishes,
): Promise<{ room: TestLine; ticks: SaleTick[] }> {
  const room = await lines.make({
    activeMax: 100_000,
    doorSeconds: 10,
    passSeconds: 3_600,
    ...wishes.settings,
  })
  const random = randomOf(wishes.seed).next
  const due = new Map<number, (() => Promise<unknown>)[]>()
  const later = (at: number, move: () => Promise<unknown>) => {
    const tick = Math.ceil(at / TICK_MS) * TICK_MS
    due.set(tick, [...(due.get(tick) ?? []), move])
  }
  const ticks: SaleTick[] = []
  let joined = 0
  let serving = 0
  for (let at = 0; at <= wishes.seconds * 1_000; at += TICK_MS) {
    // Nobody is to be missing at the end of the line.
    while (joined < serving + 3_000)
      joined += (
        await Promise.all(Array.from({ length: JOINS_AT_ONCE }, (_, i) => enter(room, `p${joined + i}`)))
      ).length
    await Promise.all((due.get(at) ?? []).map((move) => move()))
    due.delete(at)
    await room.tick()
    const seen = await readTick(room, at)
    for (; serving < seen.serving; serving++) {
      const who = `p${serving}`
      if (random() < wishes.noShows(at / 1_000)) continue
      const [shortest, longest] = wishes.claimWithin
      const comes = at + shortest + random() * (longest - shortest)
      later(comes, () => room.line.claim(room.eventId, who))
      if (wishes.leaveAfterMs)
        later(comes + wishes.leaveAfterMs * (0.5 + random()), () => room.line.leave(room.eventId, who))
    }
    ticks.push(seen)
    room.pass(TICK_MS)
  }
  return { room, ticks }
}

async function readTick(room: TestLine, at: number): Promise<SaleTick & { serving: number }> {
  const [meta, view] = await Promise.all([
    room.redis.hgetall(roomKey(room.eventId, 'meta')),
    room.line.look(room.eventId),
  ])
  const count = (field: string) => Number(meta[field] ?? 0)
  return {
    at,
    serving: count('serving'),
    called: count('calls'),
    claimed: count('claims'),
    admitted: count('admitted'),
    live: view!.active,
    atDoor: view!.door,
  }
}

/** Per interval, what a count grew by. */
export function perInterval(
  ticks: SaleTick[],
  field: 'called' | 'claimed' | 'admitted',
  intervalMs: number,
): number[] {
  const ends = ticks.filter(({ at }) => at % intervalMs === 0)
  return ends.slice(1).map((tick, i) => tick[field] - ends[i]![field])
}

/** The most passes of any 60 s. */
export function busiestMinuteOf(ticks: SaleTick[]): number {
  const minute = 60_000 / TICK_MS
  return Math.max(...ticks.map((tick, i) => tick.admitted - (ticks[i - minute]?.admitted ?? 0)))
}
