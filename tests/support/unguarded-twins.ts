// Owns the wrong ways: what the ledger would be without its guards, so that a race test can show the race first.
import { and, eq, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { bookings, bookingSeats, seats } from '../../db/schema.ts'

/** Takes the last line of defence away, as if the schema had forgotten it. */
export async function dropSeatConstraints(db: Db): Promise<void> {
  await db.execute(sql`drop index booking_seats_live_key`)
}

/** Reads whether a seat is free, then takes it: no lock, no version, no status in the UPDATE. */
export async function holdUnguarded(
  db: Db,
  {
    eventId,
    accountId,
    n,
    beforeWriting = async () => {},
  }: { eventId: string; accountId: string; n: number; beforeWriting?: () => Promise<void> },
): Promise<boolean> {
  const id = Bun.randomUUIDv7()
  return db.transaction(async (tx) => {
    const [seat] = await tx
      .select()
      .from(seats)
      .where(and(eq(seats.eventId, eventId), eq(seats.n, n)))
    if (seat?.status !== 'AVAILABLE') return false
    await beforeWriting()
    await tx.insert(bookings).values({
      eventId,
      id,
      accountId,
      seatCount: 1,
      total: 0,
      currency: 'EUR',
      expiresAt: new Date(Date.now() + 60_000),
    })
    await tx.insert(bookingSeats).values({ eventId, bookingId: id, n, price: 0 })
    await tx
      .update(seats)
      .set({ status: 'RESERVED', bookingId: id })
      .where(and(eq(seats.eventId, eventId), eq(seats.n, n)))
    return true
  })
}

/** Expires by id alone, as read before: what was paid in between is undone. */
export async function expireUnguarded(
  db: Db,
  {
    eventId,
    bookingId,
    beforeWriting,
  }: { eventId: string; bookingId: string; beforeWriting: () => Promise<void> },
): Promise<void> {
  const [booking] = await db.select().from(bookings).where(eq(bookings.id, bookingId))
  if (booking?.status !== 'PENDING') return
  await beforeWriting()
  await db.transaction(async (tx) => {
    await tx.update(bookings).set({ status: 'EXPIRED', confirmedAt: null }).where(eq(bookings.id, bookingId))
    await tx
      .update(seats)
      .set({ status: 'AVAILABLE', bookingId: null })
      .where(and(eq(seats.eventId, eventId), eq(seats.bookingId, bookingId)))
  })
}
