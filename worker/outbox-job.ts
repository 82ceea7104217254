// Decides how any job of the outbox runs: read the row again, work, settle; give up after the last try.
import { UnrecoverableError, type Job } from 'bullmq'
import { isStoreUnable } from '../db/client.ts'
import { failOutbox, findOpenOutbox, settleOutbox, type OutboxRow } from '../db/outbox.ts'
import type { Context } from './context.ts'
import { describeFault } from './log.ts'

/** The row behind a job that killed worker after worker: without this it would be handed over for ever. */
export async function buryOutboxRow({ ledger, telemetry }: Context, job: Job, fault: Error): Promise<void> {
  const { outboxId } = job.data as { outboxId?: number }
  const row = outboxId === undefined ? null : await findOpenOutbox(ledger.db, outboxId)
  if (!row) return
  await failOutbox(ledger.db, { id: row.id, error: fault.message, final: true })
  telemetry.deadLettered({ outboxId: row.id, kind: row.kind, attempt: row.attempts + 1 }, fault)
}

/** Trying again cannot help: the row goes to the dead letters at once. */
export class Hopeless extends Error {}

/**
 * Runs at least once per row and, short of a kill between work and settling, at most once. Postgres being away or
 * full is nobody's failed try: the row stays open and the relay hands it over again.
 */
export async function workOutboxRow(
  { ledger, telemetry }: Context,
  { job, outboxId }: { job: Job; outboxId: number },
  work: (row: OutboxRow) => Promise<void>,
): Promise<void> {
  const row = await findOpenOutbox(ledger.db, outboxId)
  if (!row) return telemetry.outboxSkipped({ outboxId })
  try {
    await work(row)
  } catch (fault) {
    if (isStoreUnable(fault)) throw fault
    const attempt = job.attemptsMade + 1
    const final = fault instanceof Hopeless || attempt >= (job.opts.attempts ?? 1)
    await failOutbox(ledger.db, { id: outboxId, error: describeFault(fault), final })
    if (!final) throw fault
    telemetry.deadLettered({ outboxId, kind: row.kind, attempt }, fault)
    throw new UnrecoverableError(describeFault(fault))
  }
  await settleOutbox(ledger.db, outboxId)
}
