// Decides how a lobby's draw goes, step by step: close the list, read it, fix its root, hear the beacon, fix the seed,
// make it true. The holder of the lease drives; each step is saved before the next, so that whoever takes over goes on
// with the same list and the same seed.
import type { BeaconRecord, DrawRecord } from '../../db/draws.ts'
import type { RedisClient } from '../../db/redis.ts'
import type { RoomProgress, RoomSettings } from '../../db/rooms.ts'
import {
  commitmentOf,
  DRAW_ALGORITHM,
  expandDraw,
  fromHex,
  HASH_BYTES,
  hashNow,
  placesOf,
  seedOf,
  toHex,
} from '../protocol/draw.ts'
import { leafBytes, merkleLevels } from '../protocol/merkle.ts'
import type { Beacon } from './beacon.ts'
import { roomKey } from './keys.ts'
import type { Line } from './room.ts'
import { refuseLost } from './scripts.ts'

/** After a lost Redis, whoever was in the lobby has this long to come back before the list is read. */
export const RETURN_MS = 60_000
const SCAN_COUNT = 1_000
const HASHES_PER_SLICE = 2_000
const HOLES_PER_BATCH = 1_000
/** So few who left at the last moment are left to the one script that makes the draw true. */
const LEFT_PER_DRAW = 1_000
const ABSENT_PER_BATCH = 500
const LEAVES_PER_READ = 50_000

/** Where each step is kept for good. Every method answers what is stored, which may be an earlier answer. */
export interface DrawKeeper {
  prepare(eventId: string): Promise<DrawRecord>
  close(eventId: string, list: { closedAt: Date; entrants: number }): Promise<DrawRecord>
  fix(eventId: string, list: { leaves: Uint8Array; root: Uint8Array }): Promise<DrawRecord>
  seal(
    eventId: string,
    of: { beacon: BeaconRecord | null; seed: Uint8Array; drawnAt: Date },
  ): Promise<DrawRecord>
  /** The leaves of numbers [from, to), 32 bytes each. */
  leaves(eventId: string, from: number, to: number): Promise<Uint8Array>
}

export interface DrawParts {
  keeper: DrawKeeper
  beacon: Beacon | null
  /** This machine's time, ms. */
  now(): number
}

export const sha256 = (bytes: Uint8Array): Uint8Array => Bun.SHA256.hash(bytes) as Uint8Array

export const commitmentText = ({ secret }: DrawRecord): string =>
  toHex(hashNow(commitmentOf(secret, DRAW_ALGORITHM), sha256))

/** How far the draw has come, with its seed as soon as its root is fixed: a root never waits for a second try. */
export async function decideDraw(parts: DrawParts, eventId: string): Promise<DrawRecord> {
  const record = await parts.keeper.prepare(eventId)
  return record.root && !record.seed ? sealDraw(parts, record) : record
}

async function sealDraw({ keeper, beacon, now }: DrawParts, record: DrawRecord): Promise<DrawRecord> {
  const heard = beacon && (await beacon(new Date(now())))
  const value = heard?.randomness ? fromHex(heard.randomness, HASH_BYTES)! : new Uint8Array(0)
  const seed = hashNow(seedOf(record.secret, record.root!, value), sha256)
  return keeper.seal(record.eventId, { beacon: heard, seed, drawnAt: new Date(now()) })
}

/** Whether the numbers of a lost epoch still wait for their draw. */
export const waitsForDraw = (draw: DrawRecord, lost: RoomProgress): boolean =>
  draw.entrants === null ? lost.arrivals > 0 && lost.serving === 0 : draw.entrants > 0 && !draw.seed

/** The part of restore.lua's arguments that brings a draw back. */
export function restoredDraw(draw: DrawRecord | null, waits: boolean): (string | number | Buffer)[] {
  if (!draw) return ['', '', '', '', '', '', '']
  const { closedAt, entrants, root, seed } = draw
  return [
    commitmentText(draw),
    waits ? '1' : '',
    entrants ?? '',
    closedAt?.getTime() ?? '',
    root ? toHex(root) : '',
    seed ? toHex(seed) : '',
    seed ? Buffer.from(hashNow(expandDraw(seed, entrants!), sha256).tables) : '',
  ]
}

/** The places of a line whose draw is over (`drawn` > 0). */
export const drawnPlaces = ({ seed, drawn }: { seed: string | null; drawn: number }) =>
  placesOf(hashNow(expandDraw(fromHex(seed!, HASH_BYTES)!, drawn), sha256))

export type DrawStep = 'drawn' | 'waiting' | 'none' | 'stale' | 'restarted'

/** Takes the draw of one room as far as it can go now. `fence` is the caller's; a holder that lost the lease stops. */
export async function driveDraw(
  parts: DrawParts & { line: Line; redis: RedisClient },
  settings: RoomSettings,
  fence: string,
): Promise<DrawStep> {
  const { eventId } = settings
  const { keeper, line } = parts
  const list = await closeList(line, eventId, fence)
  if (!list) return 'stale'
  let record = await keeper.close(eventId, { closedAt: new Date(list.closedAt), entrants: list.entrants })
  // Redis and the ledger differ, or the list was read in an epoch that is lost: the next epoch starts from the ledger.
  if (record.entrants !== list.entrants || (record.root && !list.read)) {
    if (record.root) await decideDraw(parts, eventId)
    await line.restart(settings)
    return 'restarted'
  }
  if (record.entrants === 0) return 'none'
  let nobody: number[]
  if (record.root) nobody = await findNobody(keeper, record)
  else {
    if (!list.mayRead) return 'waiting'
    if (!(await closeList(line, eventId, fence, 'read'))) return 'stale'
    const read = await readList(parts.redis, eventId, list)
    const root = (await inSlices(merkleLevels(read.leaves, sha256))).at(-1)!
    // A Redis that was lost meanwhile has told only a part of the list.
    const still = await closeList(line, eventId, fence, toHex(root))
    if (still?.epoch !== list.epoch) return 'stale'
    record = await keeper.fix(eventId, { leaves: read.leaves, root })
    nobody = toHex(record.root!) === toHex(root) ? read.nobody : await findNobody(keeper, record)
  }
  if (!record.seed) record = await sealDraw(parts, record)
  return makeTrue(parts, record, nobody, { fence, epoch: list.epoch })
}

interface List {
  entrants: number
  closedAt: number
  voidBelow: number
  mayRead: boolean
  /** Reading began in this epoch. */
  read: boolean
  epoch: string
}

/** `step`: 'read' starts reading; a root is shown to everybody, before any beacon can have spoken. */
async function closeList(line: Line, eventId: string, fence: string, step = ''): Promise<List | null> {
  const answer = await line.run('close-list', eventId, [fence, RETURN_MS, step])
  if (answer?.[0] !== 'closed') return null
  const [, entrants, closedAt, voidBelow, mayRead, read, epoch] = answer as string[]
  return {
    entrants: Number(entrants),
    closedAt: Number(closedAt),
    voidBelow: Number(voidBelow),
    mayRead: mayRead === '1',
    read: read === '1',
    epoch: epoch!,
  }
}

/** Who holds which number below `entrants`, as leaves; and the numbers nobody holds. */
async function readList(redis: RedisClient, eventId: string, { entrants, voidBelow }: List) {
  const leaves = new Uint8Array(entrants * HASH_BYTES)
  const held = new Uint8Array(entrants)
  let cursor = '0'
  do {
    const [next, flat] = await redis
      .hscan(roomKey(eventId, 'entrants'), cursor, 'COUNT', SCAN_COUNT)
      .catch(refuseLost)
    for (let i = 0; i < flat.length; i += 2) {
      const [number, , flag] = flat[i + 1]!.split(':', 3)
      const at = Number(number)
      if (at >= entrants || at < voidBelow || flag === 'x') continue
      held[at] = 1
      leaves.set(sha256(leafBytes(at, flat[i]!)), at * HASH_BYTES)
    }
    cursor = next
  } while (cursor !== '0')
  const nobody: number[] = []
  await inSlices(
    (function* () {
      for (let number = 0; number < entrants; number++) {
        if (held[number]) continue
        nobody.push(number)
        leaves.set(sha256(leafBytes(number, '')), number * HASH_BYTES)
        if (nobody.length % HASHES_PER_SLICE === 0) yield
      }
    })(),
  )
  return { leaves, nobody }
}

/** The same numbers again, from the leaves that were saved. */
async function findNobody(keeper: DrawKeeper, { eventId, entrants }: DrawRecord): Promise<number[]> {
  const nobody: number[] = []
  for (let from = 0; from < entrants!; from += LEAVES_PER_READ) {
    const to = Math.min(entrants!, from + LEAVES_PER_READ)
    const leaves = Buffer.from(await keeper.leaves(eventId, from, to))
    for (let number = from; number < to; number++) {
      const leaf = leaves.subarray((number - from) * HASH_BYTES, (number - from + 1) * HASH_BYTES)
      if (leaf.equals(sha256(leafBytes(number, '')))) nobody.push(number)
    }
  }
  return nobody
}

async function makeTrue(
  { line, redis }: { line: Line; redis: RedisClient },
  { eventId, entrants, root, seed }: DrawRecord,
  nobody: number[],
  { fence, epoch }: { fence: string; epoch: string },
): Promise<DrawStep> {
  const draw = hashNow(expandDraw(seed!, entrants!), sha256)
  const placeOf = placesOf(draw)
  const stage = async (numbers: number[]) => {
    for (let from = 0; from < numbers.length; from += HOLES_PER_BATCH) {
      const places = numbers.slice(from, from + HOLES_PER_BATCH).map(placeOf)
      await redis
        .zadd(roomKey(eventId, 'holes'), ...places.flatMap((place) => [place, place]))
        .catch(refuseLost)
    }
  }
  await stage(nobody)
  let staged = 0
  for (;;) {
    const left = await redis
      .lrange(roomKey(eventId, 'left'), staged, staged + LEFT_PER_DRAW - 1)
      .catch(refuseLost)
    if (left.length < LEFT_PER_DRAW) break
    await stage(left.map(Number))
    staged += left.length
  }
  if (!(await placeAbsent({ line, redis }, eventId, fence, placeOf))) return 'stale'
  const tables = Buffer.from(draw.tables)
  const args = [fence, epoch, entrants!, toHex(root!), toHex(seed!), tables, staged]
  const [word] = (await line.run('draw-places', eventId, args)) ?? ['stale']
  return word === 'drawn' || word === 'already' ? 'drawn' : 'stale'
}

/** Whoever is away when the draw comes: told their places beforehand, in batches. False when the lease was lost. */
async function placeAbsent(
  { line, redis }: { line: Line; redis: RedisClient },
  eventId: string,
  fence: string,
  placeOf: (number: number) => number,
): Promise<boolean> {
  for (let last = ABSENT_PER_BATCH; last === ABSENT_PER_BATCH;) {
    const accounts = await redis
      .zrangebyscore(roomKey(eventId, 'absent'), '+inf', '+inf', 'LIMIT', 0, ABSENT_PER_BATCH)
      .catch(refuseLost)
    last = accounts.length
    if (last === 0) return true
    const records = await redis.hmget(roomKey(eventId, 'entrants'), ...accounts).catch(refuseLost)
    const pairs = accounts.flatMap((account, i) => {
      const number = Number(records[i]?.split(':', 1)[0])
      return Number.isInteger(number) ? [account, placeOf(number)] : []
    })
    if (pairs.length === 0) return true
    const answer = await line.run('place-absent', eventId, [fence, ...pairs])
    if (answer?.[0] !== 'placed') return false
  }
  return true
}

/** Does long work in short pieces, other work in between. */
export async function inSlices<T>(work: Generator<void, T>): Promise<T> {
  let step = work.next()
  while (!step.done) {
    await Bun.sleep(0)
    step = work.next()
  }
  return step.value
}
