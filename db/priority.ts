// Owns who enters a line with priority: the organiser's list of addresses, and who has used an invitation.
import { and, asc, count, eq, inArray, like, sql } from 'drizzle-orm'
import { normalEmail } from './accounts.ts'
import type { Db, Reader } from './client.ts'
import { accounts, roomPriority } from './schema.ts'

const LISTED = 'email:'
const isListed = like(roomPriority.subject, `${LISTED}%`)

export interface PriorityCounts {
  /** Addresses on the list, whether or not an account has them. */
  listed: number
  /** Invitations that an account has used. */
  used: number
}

export interface ListedAddress {
  email: string
  addedAt: Date
}

/** Puts addresses on the list; one that is there stays as it is. Answers how many were new. */
export async function addToPriorityList(db: Db, eventId: string, emails: string[]): Promise<number> {
  const subjects = [...new Set(emails.map(subjectOf))]
  if (subjects.length === 0) return 0
  const added = await db
    .insert(roomPriority)
    .select(
      sql`select ${eventId}::uuid, subject, null::uuid, now() from unnest(${sql.param(subjects)}::text[]) as t(subject)`,
    )
    .onConflictDoNothing()
    .returning({ subject: roomPriority.subject })
  return added.length
}

/** Takes addresses off the list; who has joined with priority keeps it. Answers how many were on it. */
export async function removeFromPriorityList(db: Db, eventId: string, emails: string[]): Promise<number> {
  const removed = await db
    .delete(roomPriority)
    .where(and(eq(roomPriority.eventId, eventId), inArray(roomPriority.subject, emails.map(subjectOf))))
    .returning({ subject: roomPriority.subject })
  return removed.length
}

/** In order of address, without the first `skip`. */
export async function listPriorityAddresses(
  reader: Reader,
  { eventId, skip, limit }: { eventId: string; skip: number; limit: number },
): Promise<ListedAddress[]> {
  const rows = await reader
    .select({ subject: roomPriority.subject, addedAt: roomPriority.createdAt })
    .from(roomPriority)
    .where(and(eq(roomPriority.eventId, eventId), isListed))
    .orderBy(asc(roomPriority.subject))
    .limit(limit)
    .offset(skip)
  return rows.map(({ subject, addedAt }) => ({ email: subject.slice(LISTED.length), addedAt }))
}

export async function countPriority(reader: Reader, eventId: string): Promise<PriorityCounts> {
  const [row] = await reader
    .select({
      listed: sql<number>`(count(*) filter (where ${isListed}))::int`,
      used: sql<number>`(count(*) filter (where not (${isListed})))::int`,
    })
    .from(roomPriority)
    .where(eq(roomPriority.eventId, eventId))
  return row!
}

/** Is the account's address listed, or has it used an invitation? Two look-ups in an index. */
export async function hasPriority(reader: Reader, eventId: string, accountId: string): Promise<boolean> {
  const [found] = await reader
    .select({ found: count() })
    .from(roomPriority)
    .where(
      and(
        eq(roomPriority.eventId, eventId),
        sql`(${roomPriority.subject} = (select ${LISTED}::text || a.email from ${accounts} a where a.id = ${accountId}::uuid)
          or ${roomPriority.accountId} = ${accountId}::uuid)`,
      ),
    )
  return found!.found > 0
}

/** What is kept of a person here: the events whose list has the address, or whose invitation they used. */
export async function listPriorityOf(reader: Reader, { id, email }: { id: string; email: string | null }) {
  const rows = await reader
    .select({
      eventId: roomPriority.eventId,
      subject: roomPriority.subject,
      since: roomPriority.createdAt,
    })
    .from(roomPriority)
    .where(
      sql`${roomPriority.subject} = ${LISTED}::text || ${email ?? ''} or ${roomPriority.accountId} = ${id}::uuid`,
    )
    .orderBy(asc(roomPriority.createdAt))
  return rows.map(({ eventId, subject, since }) => ({
    eventId,
    by: subject.startsWith(LISTED) ? ('list' as const) : ('invitation' as const),
    since,
  }))
}

/** Forgets a person: off every list; an invitation they used stays used, by nobody. */
export async function forgetPriorityOf(
  db: Reader,
  { id, email }: { id: string; email: string },
): Promise<void> {
  await db.delete(roomPriority).where(eq(roomPriority.subject, subjectOf(email)))
  await db.update(roomPriority).set({ accountId: null }).where(eq(roomPriority.accountId, id))
}

const subjectOf = (email: string) => LISTED + normalEmail(email)
