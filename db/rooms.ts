// Owns the organiser's settings of each waiting room, and how far its line had come: what a wiped Redis starts from.
import { and, desc, eq, gt, sql } from 'drizzle-orm'
import { inTransaction, type Db, type Reader, type Tx } from './client.ts'
import type { EventStatus, RoomChallenge, RoomControl } from './lifecycle.ts'
import { events, roomProgress, rooms } from './schema.ts'
import { servingOfSteps } from './steps.ts'

/** Rooms one server keeps moving; further ones stand still until others end. */
const ACTIVE_ROOMS_MAX = 1_000

/** What the organiser may set (contract 3.3, PUT room). */
export interface RoomChoice {
  enabled: boolean
  lobbyAt: Date | null
  activeMax: number
  /** Null = unlimited. */
  admitPerMinute: number | null
  doorSeconds: number
  passSeconds: number
  graceSeconds: number
}

/** What may be set beside it; absent in an older client's request, and then left as it is. */
export interface RoomExtras {
  /** Of every hundred admissions, at most so many go to those with priority. */
  priorityShare: number
  challenge: RoomChallenge
}

export interface RoomSettings extends RoomChoice, RoomExtras {
  eventId: string
  ownerId: string
  eventStatus: EventStatus
  onSaleAt: Date | null
  control: RoomControl
  /** 0 = no notice yet. */
  noticeId: number
  noticeText: string | null
  /** Rises with every change of the room or of its event, so that an older read never overwrites a newer one. */
  version: number
}

export interface RoomProgress {
  epoch: number
  /** Numbers given out so far. */
  arrivals: number
  serving: number
}

const columns = {
  eventId: events.id,
  ownerId: events.ownerId,
  eventStatus: events.status,
  onSaleAt: events.onSaleAt,
  enabled: sql<boolean>`coalesce(${rooms.enabled}, false)`,
  control: sql<RoomControl>`coalesce(${rooms.control}, 'auto')`,
  lobbyAt: rooms.lobbyAt,
  activeMax: sql<number>`coalesce(${rooms.activeMax}, 100)`,
  admitPerMinute: rooms.admitPerMinute,
  doorSeconds: sql<number>`coalesce(${rooms.doorSeconds}, 60)`,
  passSeconds: sql<number>`coalesce(${rooms.passSeconds}, 600)`,
  graceSeconds: sql<number>`coalesce(${rooms.graceSeconds}, 300)`,
  noticeId: sql<number>`coalesce(${rooms.noticeId}, 0)`,
  noticeText: rooms.noticeText,
  priorityShare: sql<number>`coalesce(${rooms.priorityShare}, 0)`,
  challenge: sql<RoomChallenge>`coalesce(${rooms.challenge}, 'off')`,
  version: sql<number>`(extract(epoch from ${events.updatedAt}) * 1000
    + coalesce(extract(epoch from ${rooms.updatedAt}) * 1000, 0))::bigint`.mapWith(Number),
}
/** Two changes within a millisecond still have an order. */
const nextUpdate = sql`greatest(now(), ${rooms.updatedAt} + interval '1 millisecond')`

/** The room of an event, disabled with default settings while nobody set it; null when there is no such event. */
export async function findRoom(reader: Reader, eventId: string): Promise<RoomSettings | null> {
  const [row] = await reader
    .select(columns)
    .from(events)
    .leftJoin(rooms, eq(rooms.eventId, events.id))
    .where(eq(events.id, eventId))
  return row ?? null
}

/** Enabled rooms of published events, latest performances first, at most 1,000. */
export async function listActiveRooms(reader: Reader): Promise<RoomSettings[]> {
  return reader
    .select(columns)
    .from(events)
    .innerJoin(rooms, eq(rooms.eventId, events.id))
    .where(and(eq(events.status, 'PUBLISHED'), eq(rooms.enabled, true)))
    .orderBy(desc(events.startsAt))
    .limit(ACTIVE_ROOMS_MAX)
}

/** Sets the organiser's choice. The event must exist. */
export async function saveRoom(
  db: Db,
  eventId: string,
  choice: RoomChoice & Partial<RoomExtras>,
): Promise<void> {
  await inTransaction(db, async (tx) => {
    await tx
      .insert(rooms)
      .values({ eventId, ...choice })
      .onConflictDoUpdate({ target: rooms.eventId, set: { ...choice, updatedAt: nextUpdate } })
    await startOpenedSale(tx, eventId)
  })
}

/** Opens, pauses or closes the room by hand, or (`auto`) leaves it to the clock. The event must exist. */
export async function setRoomControl(db: Db, eventId: string, control: RoomControl): Promise<void> {
  await inTransaction(db, async (tx) => {
    await tx
      .insert(rooms)
      .values({ eventId, control })
      .onConflictDoUpdate({ target: rooms.eventId, set: { control, updatedAt: nextUpdate } })
    await startOpenedSale(tx, eventId)
  })
}

/**
 * Whoever is admitted may book: the sale of a published event whose room is open by hand has begun, whatever was
 * planned. It stays begun when the room is paused or closed afterwards, since the admitted go on.
 */
export async function startOpenedSale(tx: Tx, eventId: string): Promise<void> {
  const isOpenByHand = sql`exists (select from ${rooms}
    where ${rooms.eventId} = ${eventId} and ${rooms.enabled} and ${rooms.control} = 'open')`
  await tx
    .update(events)
    .set({
      onSaleAt: sql`now()`,
      updatedAt: sql`greatest(now(), ${events.updatedAt} + interval '1 millisecond')`,
    })
    .where(
      and(
        eq(events.id, eventId),
        eq(events.status, 'PUBLISHED'),
        gt(events.onSaleAt, sql`now()`),
        isOpenByHand,
      ),
    )
}

/** `share`: of every hundred admissions, at most so many go to priority. The event must exist. */
export async function setPriorityShare(db: Reader, eventId: string, share: number): Promise<void> {
  await db
    .insert(rooms)
    .values({ eventId, priorityShare: share })
    .onConflictDoUpdate({ target: rooms.eventId, set: { priorityShare: share, updatedAt: nextUpdate } })
}

/** Replaces the notice shown to everyone; each notice gets the next id. */
export async function saveNotice(db: Reader, eventId: string, text: string): Promise<{ noticeId: number }> {
  const [row] = await db
    .insert(rooms)
    .values({ eventId, noticeId: 1, noticeText: text })
    .onConflictDoUpdate({
      target: rooms.eventId,
      set: { noticeId: sql`${rooms.noticeId} + 1`, noticeText: text, updatedAt: nextUpdate },
    })
    .returning({ noticeId: rooms.noticeId })
  return row!
}

/** How far the line had come when last saved; null when it never moved. */
export async function findRoomProgress(reader: Reader, eventId: string): Promise<RoomProgress | null> {
  const [row] = await reader
    .select({ epoch: roomProgress.epoch, arrivals: roomProgress.arrivals, serving: roomProgress.serving })
    .from(roomProgress)
    .where(eq(roomProgress.eventId, eventId))
  return row ?? null
}

/** Saves how far the line has come. Nothing ever goes back, however late a save arrives; answers what is stored now. */
export async function saveRoomProgress(
  db: Db,
  eventId: string,
  progress: RoomProgress,
): Promise<RoomProgress> {
  const [row] = await db
    .insert(roomProgress)
    .values({ eventId, ...progress })
    .onConflictDoUpdate({
      target: roomProgress.eventId,
      set: {
        epoch: sql`greatest(${roomProgress.epoch}, excluded.epoch)`,
        arrivals: sql`greatest(${roomProgress.arrivals}, excluded.arrivals)`,
        serving: sql`greatest(${roomProgress.serving}, excluded.serving)`,
        savedAt: sql`now()`,
      },
    })
    .returning({ epoch: roomProgress.epoch, arrivals: roomProgress.arrivals, serving: roomProgress.serving })
  return row!
}

/**
 * Reserves the next epoch of a line and leaves `gap` numbers unused, so that a number given out after the last save is
 * never given again. Atomic: two servers that start an epoch at once get different ones.
 */
export async function startRoomEpoch(db: Db, eventId: string, gap: number): Promise<RoomProgress> {
  const [row] = await db
    .insert(roomProgress)
    .values({ eventId, epoch: 1, arrivals: 0, serving: 0 })
    .onConflictDoUpdate({
      target: roomProgress.eventId,
      set: {
        epoch: sql`${roomProgress.epoch} + 1`,
        serving: sql`greatest(${roomProgress.serving}, ${servingOfSteps(eventId)})`,
        arrivals: sql`least(${roomProgress.arrivals}::bigint + ${gap}, 2147483647)::int`,
        savedAt: sql`now()`,
      },
    })
    .returning({ epoch: roomProgress.epoch, arrivals: roomProgress.arrivals, serving: roomProgress.serving })
  return row!
}
