// Decides how open money is brought to an end: charges settled, refunds made, cancelled events paid back.
import { DelayedError, type Job } from 'bullmq'
import { findBooking } from '../db/bookings/read-bookings.ts'
import { JOBS } from '../db/jobs.ts'
import type { OutboxRow } from '../db/outbox.ts'
import { findPayment, listOpenPayments, refundPayment, settlePayment } from '../db/payments.ts'
import { windUpEvent } from './cancel-event.ts'
import type { Context } from './context.ts'
import { describeFault } from './log.ts'
import type { LoopPlan } from './loop.ts'
import { buryOutboxRow, Hopeless, workOutboxRow } from './outbox-job.ts'
import { readPayload } from './payload.ts'
import { startQueueWorker, type QueueWorker } from './queue-worker.ts'

/** Each asks the provider once; more at a time would only be throttled there. */
const CONCURRENCY = 4
/** Between two questions about a charge the provider does not know yet. */
const ASK_AGAIN_MS = 2_000
const SWEEP_PACE_MS = 2_000
const SWEEP_BATCH = 50
/** Younger ones are still in the hands of the request that started them. */
const SWEEP_OLDER_THAN_MS = 3_000

interface PaymentKey {
  eventId: string
  paymentId: string
}

export function startSettling(context: Context): QueueWorker {
  return startQueueWorker(context, {
    queue: JOBS['settle-payment'].queue,
    concurrency: CONCURRENCY,
    givenUp: (job, fault) => buryOutboxRow(context, job, fault),
    work: (job, token) => workPayment(context, job, token),
  })
}

async function workPayment(context: Context, job: Job, token: string | undefined): Promise<void> {
  if (job.name !== 'settle-payment') {
    const { outboxId } = readPayload('refund-payment', job.data)
    return workOutboxRow(context, { job, outboxId }, (row) => workMoneyRow(context, row))
  }
  const settled = await settle(context, readPayload('settle-payment', job.data))
  if (settled !== 'waiting') return
  await job.moveToDelayed(Date.now() + ASK_AGAIN_MS, token)
  throw new DelayedError()
}

async function workMoneyRow(context: Context, row: OutboxRow): Promise<void> {
  if (row.kind === 'refund_payment') return refundPayment(context.gate, row.payload)
  if (row.kind === 'cancel_event') return windUpEvent(context, row.payload.eventId)
  throw new Hopeless(`no payment work is known for ${row.kind}`)
}

/** What jobs and answers may have lost: every charge without an outcome, and every refund that is due. */
export function sweepingPayments(context: Context): LoopPlan {
  const { ledger, gate } = context
  return {
    name: 'sweep-payments',
    paceMs: SWEEP_PACE_MS,
    round: async () => {
      const open = await listOpenPayments(ledger.db, { limit: SWEEP_BATCH, olderThanMs: SWEEP_OLDER_THAN_MS })
      const faults: unknown[] = []
      for (const { eventId, id: paymentId, status } of open) {
        const key = { eventId, paymentId }
        try {
          if (status === 'REFUND_DUE') await refundPayment(gate, key)
          else await settle(context, key)
        } catch (fault) {
          // One payment that fails must not keep those behind it waiting.
          faults.push(fault)
        }
      }
      if (faults.length > 0) throw new Error(`${faults.length} payments failed: ${describeFault(faults[0])}`)
    },
  }
}

async function settle({ gate, ledger, telemetry }: Context, key: PaymentKey) {
  const outcome = await settlePayment(gate, key)
  if (outcome === 'waiting' || outcome === 'nothing_to_do') return outcome
  const payment = outcome === 'confirmed' ? await findPayment(ledger.db, key) : null
  const booking = payment && (await findBooking(ledger.db, payment.bookingId))
  const seats = booking?.seats.filter(({ live }) => live).length ?? 0
  telemetry.paymentSettled({ paymentId: key.paymentId, outcome, seats })
  return outcome
}
