// Owns what tests of money share: the payments of a booking, and a round of the sweep without its worker.
import { and, asc, eq } from 'drizzle-orm'
import type { Gate } from '../../db/bookings/gate.ts'
import type { Reader } from '../../db/client.ts'
import { listOpenPayments, refundPayment, settlePayment, type Payment } from '../../db/payments.ts'
import { payments } from '../../db/schema.ts'

const OLDER_THAN_MS = 1_000
const BATCH = 10

/** Oldest first. */
export function listPaymentsOf(reader: Reader, booking: { eventId: string; id: string }): Promise<Payment[]> {
  return reader
    .select()
    .from(payments)
    .where(and(eq(payments.eventId, booking.eventId), eq(payments.bookingId, booking.id)))
    .orderBy(asc(payments.id))
}

/** Settles or refunds what is open, whatever was lost: queue, webhook or answer. */
export async function settleOpenPayments(gate: Gate): Promise<void> {
  const open = await listOpenPayments(gate.db, { limit: BATCH, olderThanMs: OLDER_THAN_MS })
  for (const { eventId, id: paymentId, status } of open) {
    if (status === 'REFUND_DUE') await refundPayment(gate, { eventId, paymentId })
    else await settlePayment(gate, { eventId, paymentId })
  }
}
