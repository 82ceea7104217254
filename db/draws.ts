// Owns the draw of each event's lobby: its one secret, and each step that fixed it, every step taken once and for all.
import { and, eq, isNotNull, isNull, sql } from 'drizzle-orm'
import type { Db, Reader } from './client.ts'
import { roomDraws } from './schema.ts'

const SECRET_BYTES = 32
const HASH_BYTES = 32

/** What the public beacon said; with no randomness, that it was not heard in time. */
export interface BeaconRecord {
  /** Where it was asked: the chain's address. */
  url: string
  /** Seconds since 1970 of the chain's round 1, and between two rounds; 0 = the chain itself was not heard. */
  genesis: number
  period: number
  round: number
  /** When the root was fixed: `round` is the first of the chain that came after it. ISO 8601. */
  after: string
  /** 32 bytes in hex; null when it was not heard in time. */
  randomness: string | null
  /** The chain's signature in hex, of which `randomness` is the SHA-256. */
  signature: string | null
}

/** How far a draw has come; each null is still to be decided. */
export interface DrawRecord {
  eventId: string
  secret: Uint8Array
  closedAt: Date | null
  /** 0: the sale started with nobody in the lobby, and there is no draw. */
  entrants: number | null
  root: Uint8Array | null
  beacon: BeaconRecord | null
  seed: Uint8Array | null
  drawnAt: Date | null
}

const columns = {
  eventId: roomDraws.eventId,
  secret: roomDraws.secret,
  closedAt: roomDraws.closedAt,
  entrants: roomDraws.entrants,
  root: roomDraws.root,
  beacon: sql<BeaconRecord | null>`${roomDraws.beacon}`,
  seed: roomDraws.seed,
  drawnAt: roomDraws.drawnAt,
}

/** How far an event's draw has come; null when its room was never enabled. */
export async function findDraw(reader: Reader, eventId: string): Promise<DrawRecord | null> {
  const [row] = await reader.select(columns).from(roomDraws).where(eq(roomDraws.eventId, eventId))
  return row ?? null
}

/** Makes the event's secret unless it has one. The event must exist. */
export async function prepareDraw(db: Db, eventId: string): Promise<DrawRecord> {
  const known = await findDraw(db, eventId)
  if (known) return known
  const secret = crypto.getRandomValues(new Uint8Array(SECRET_BYTES))
  await db.insert(roomDraws).values({ eventId, secret }).onConflictDoNothing()
  return (await findDraw(db, eventId))!
}

/** Closes the list unless it is closed; answers what is stored, which may be an earlier close. */
export async function closeDrawList(
  db: Db,
  eventId: string,
  { closedAt, entrants }: { closedAt: Date; entrants: number },
): Promise<DrawRecord> {
  await db
    .update(roomDraws)
    .set({ closedAt, entrants })
    .where(and(eq(roomDraws.eventId, eventId), isNull(roomDraws.closedAt)))
  return (await findDraw(db, eventId))!
}

/** Fixes who is on the list unless that is fixed; answers what is stored. `leaves`: 32 bytes a number, by number. */
export async function fixDrawRoot(
  db: Db,
  eventId: string,
  { leaves, root }: { leaves: Uint8Array; root: Uint8Array },
): Promise<DrawRecord> {
  await db
    .update(roomDraws)
    .set({ leaves, root })
    .where(and(eq(roomDraws.eventId, eventId), isNotNull(roomDraws.closedAt), isNull(roomDraws.root)))
  return (await findDraw(db, eventId))!
}

/** Fixes the seed unless it is fixed; answers what is stored. From here on the draw is decided, whatever is lost. */
export async function fixDrawSeed(
  db: Db,
  eventId: string,
  { beacon, seed, drawnAt }: { beacon: BeaconRecord | null; seed: Uint8Array; drawnAt: Date },
): Promise<DrawRecord> {
  await db
    .update(roomDraws)
    .set({ beacon, seed, drawnAt })
    .where(and(eq(roomDraws.eventId, eventId), isNotNull(roomDraws.root), isNull(roomDraws.seed)))
  return (await findDraw(db, eventId))!
}

/** The leaves of numbers [from, to), 32 bytes each; empty while none are fixed. */
export async function readDrawLeaves(
  reader: Reader,
  eventId: string,
  from: number,
  to: number,
): Promise<Uint8Array> {
  const [row] = await reader
    .select({
      part: sql<Uint8Array>`substring(${roomDraws.leaves} from ${from * HASH_BYTES + 1}::int for ${(to - from) * HASH_BYTES}::int)`,
    })
    .from(roomDraws)
    .where(eq(roomDraws.eventId, eventId))
  return row?.part ?? new Uint8Array(0)
}
