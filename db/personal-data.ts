// Decides what a person takes along and what stays when they leave: their bookings, without them.
import { and, desc, eq, gt, sql } from 'drizzle-orm'
import { inTransaction, type Db, type Reader } from './client.ts'
import { forgetPriorityOf, listPriorityOf } from './priority.ts'
import { lockRoles, someoneManagesRoles } from './roles.ts'
import { accountRoles, accounts, bookings, events, idempotencyKeys, mailTokens, sessions } from './schema.ts'
import { endSessionsOf } from './sessions.ts'

/** Everything kept about a person, as plain data; null when there is no such person. */
export async function exportPersonalData(reader: Reader, accountId: string) {
  const [account] = await reader
    .select({
      id: accounts.id,
      email: accounts.email,
      fullName: accounts.fullName,
      language: accounts.language,
      verifiedAt: accounts.verifiedAt,
      createdAt: accounts.createdAt,
    })
    .from(accounts)
    .where(eq(accounts.id, accountId))
  if (!account) return null
  const [itsSessions, itsBookings, itsEvents, itsPriority] = await Promise.all([
    reader
      .select({
        id: sessions.id,
        userAgent: sessions.userAgent,
        createdAt: sessions.createdAt,
        lastUsedAt: sessions.lastUsedAt,
        endedAt: sessions.endedAt,
      })
      .from(sessions)
      .where(eq(sessions.accountId, accountId))
      .orderBy(desc(sessions.createdAt)),
    reader
      .select({
        id: bookings.id,
        eventId: bookings.eventId,
        status: bookings.status,
        total: bookings.total,
        currency: bookings.currency,
        createdAt: bookings.createdAt,
        confirmedAt: bookings.confirmedAt,
        // Drizzle leaves the table's name out of a column in a select of one table.
        seats: sql<number[]>`array(
          select s.n from booking_seats s
          where s.event_id = bookings.event_id and s.booking_id = bookings.id order by 1)`,
      })
      .from(bookings)
      .where(eq(bookings.accountId, accountId))
      .orderBy(desc(bookings.createdAt)),
    reader
      .select({ id: events.id, name: events.name, status: events.status, createdAt: events.createdAt })
      .from(events)
      .where(eq(events.ownerId, accountId))
      .orderBy(desc(events.createdAt)),
    listPriorityOf(reader, account),
  ])
  return {
    account,
    sessions: itsSessions,
    bookings: itsBookings,
    events: itsEvents,
    priority: itsPriority,
  }
}

export type Erasure =
  | { ok: true; endedSessionIds: string[] }
  | { ok: false; refusal: 'not_found' }
  | { ok: false; refusal: 'request_invalid'; message: string }

/** Removes the person from an account; bookings stay, pointing to nobody. Names the sessions it ended. */
export async function eraseAccount(
  db: Db,
  { accountId, now = new Date() }: { accountId: string; now?: Date },
): Promise<Erasure> {
  return inTransaction<Erasure>(db, async (tx) => {
    await lockRoles(tx)
    const manageable = await someoneManagesRoles(tx)
    const [account] = await tx.select().from(accounts).where(eq(accounts.id, accountId)).for('update')
    if (!account || account.email === null) return { ok: false, refusal: 'not_found' }
    const [ahead] = await tx
      .select({ id: events.id })
      .from(events)
      .where(and(eq(events.ownerId, accountId), eq(events.status, 'PUBLISHED'), gt(events.startsAt, now)))
      .limit(1)
    if (ahead)
      return {
        ok: false,
        refusal: 'request_invalid',
        message: 'You still have a published event ahead; cancel it first.',
      }
    await forgetPriorityOf(tx, { id: accountId, email: account.email })
    await tx
      .update(accounts)
      .set({ email: null, fullName: null, language: null, passwordHash: null, disabledAt: now })
      .where(eq(accounts.id, accountId))
    await tx.delete(accountRoles).where(eq(accountRoles.accountId, accountId))
    await tx.delete(mailTokens).where(eq(mailTokens.accountId, accountId))
    await tx.delete(idempotencyKeys).where(eq(idempotencyKeys.accountId, accountId))
    await tx.update(sessions).set({ userAgent: '' }).where(eq(sessions.accountId, accountId))
    if (manageable && !(await someoneManagesRoles(tx)))
      return {
        ok: false,
        refusal: 'request_invalid',
        message:
          'You are the last who can manage users and roles; make somebody else an administrator first.',
      }
    return { ok: true, endedSessionIds: await endSessionsOf(tx, { accountId, because: 'erased', now }) }
  })
}
