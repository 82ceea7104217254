// Owns the invitations of a line: what was made, what is used once, and what its organiser takes back unused.
import { and, asc, desc, eq, inArray, isNull, lt, sql } from 'drizzle-orm'
import { inTransaction, type Db, type Reader } from './client.ts'
import { roomInvitations, roomPriority } from './schema.ts'

const INVITED = 'invitation:'
/** The row that spends an invitation. */
const isUsed = sql`exists (select 1 from ${roomPriority} p
  where p.event_id = ${roomInvitations.eventId} and p.subject = ${INVITED}::text || ${roomInvitations.id}::text)`

export interface NewInvitations {
  eventId: string
  /** Names those made in one go. */
  batch: string
  ids: string[]
  expiresAt: Date
}

/** What became of the invitations made in one go; each is one of used, withdrawn and unused. */
export interface InvitationBatch {
  batch: string
  madeAt: Date
  expiresAt: Date
  made: number
  used: number
  withdrawn: number
}

export async function keepInvitations(db: Db, made: NewInvitations): Promise<void> {
  const { eventId, batch, ids, expiresAt } = made
  await db.insert(roomInvitations).values(ids.map((id) => ({ id, eventId, batch, expiresAt })))
}

export async function countInvitations(reader: Reader, eventId: string): Promise<number> {
  return reader.$count(roomInvitations, eq(roomInvitations.eventId, eventId))
}

/** The newest first, those before `before`. */
export async function listInvitationBatches(
  reader: Reader,
  { eventId, before, limit }: { eventId: string; before?: string; limit: number },
): Promise<InvitationBatch[]> {
  const rows = await reader
    .select({
      batch: roomInvitations.batch,
      madeAt: sql`min(${roomInvitations.createdAt})`.mapWith(roomInvitations.createdAt),
      expiresAt: sql`max(${roomInvitations.expiresAt})`.mapWith(roomInvitations.expiresAt),
      made: sql<number>`count(*)::int`,
      used: sql<number>`(count(*) filter (where ${isUsed}))::int`,
      withdrawn: sql<number>`(count(*) filter (where ${roomInvitations.withdrawnAt} is not null))::int`,
    })
    .from(roomInvitations)
    .where(
      and(
        eq(roomInvitations.eventId, eventId),
        before === undefined ? undefined : lt(roomInvitations.batch, before),
      ),
    )
    .groupBy(roomInvitations.batch)
    .orderBy(desc(roomInvitations.batch))
    .limit(limit)
  return rows
}

/** Takes unused invitations back: a whole batch, or the named ones. Answers how many it were; a used one stays used. */
export async function withdrawInvitations(
  db: Db,
  { eventId, batch, ids }: { eventId: string; batch?: string | undefined; ids?: string[] | undefined },
): Promise<number> {
  const named = and(
    eq(roomInvitations.eventId, eventId),
    isNull(roomInvitations.withdrawnAt),
    batch === undefined ? undefined : eq(roomInvitations.batch, batch),
    ids === undefined ? undefined : inArray(roomInvitations.id, ids),
  )
  return inTransaction(db, async (tx) => {
    // Locked first and judged after: whoever uses one at this moment holds its row, and is seen by the second statement.
    const rows = await tx
      .select({ id: roomInvitations.id })
      .from(roomInvitations)
      .where(named)
      .orderBy(asc(roomInvitations.id))
      .for('update')
    if (rows.length === 0) return 0
    const withdrawn = await tx
      .update(roomInvitations)
      .set({ withdrawnAt: new Date() })
      .where(
        and(
          eq(roomInvitations.eventId, eventId),
          inArray(
            roomInvitations.id,
            rows.map(({ id }) => id),
          ),
          sql`not ${isUsed}`,
        ),
      )
      .returning({ id: roomInvitations.id })
    return withdrawn.length
  })
}

export type InvitationUse =
  { ok: true } | { ok: false; refusal: 'permission_denied'; why: 'used' | 'withdrawn' }

/**
 * Spends an invitation on an account; the same account may do it again. Refused: another account was first, or its
 * organiser has taken it back. The event must exist.
 */
export async function useInvitation(
  db: Db,
  use: { eventId: string; invitationId: string; accountId: string },
): Promise<InvitationUse> {
  const { eventId, accountId, invitationId } = use
  const subject = INVITED + invitationId
  return inTransaction(db, async (tx) => {
    const [made] = await tx
      .select({ withdrawnAt: roomInvitations.withdrawnAt })
      .from(roomInvitations)
      .where(and(eq(roomInvitations.eventId, eventId), eq(roomInvitations.id, invitationId)))
      .for('update')
    if (made?.withdrawnAt) return { ok: false, refusal: 'permission_denied', why: 'withdrawn' }
    await tx.insert(roomPriority).values({ eventId, subject, accountId }).onConflictDoNothing()
    // Read after the insert has met whichever was first: of two accounts at once, one finds the other's name.
    const [row] = await tx
      .select({ accountId: roomPriority.accountId })
      .from(roomPriority)
      .where(and(eq(roomPriority.eventId, eventId), eq(roomPriority.subject, subject)))
    return row?.accountId === accountId
      ? { ok: true }
      : { ok: false, refusal: 'permission_denied', why: 'used' }
  })
}
