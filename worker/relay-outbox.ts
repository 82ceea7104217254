// Owns the way from the outbox to BullMQ: every open row reaches its queue, again when the queue has lost it.
import type { Queue } from 'bullmq'
import { JOBS, jobIds, jobOptions, type QueueName, type Queues } from '../db/jobs.ts'
import { OUTBOX_JOBS, claimOutbox, failOutbox, traceOf, unclaimOutbox, type OutboxRow } from '../db/outbox.ts'
import type { Context } from './context.ts'
import type { LoopPlan } from './loop.ts'

const PACE_MS = 200
const BATCH = 200
/** A row still open this long after it was handed over is handed over again: its job may be lost with Redis. */
const RELAY_AGAIN_MS = 15_000

export function relaying({ ledger, queues, telemetry }: Context): LoopPlan {
  return {
    name: 'relay-outbox',
    paceMs: PACE_MS,
    round: async () => {
      const rows = await claimOutbox(ledger.db, { limit: BATCH, relayAgainMs: RELAY_AGAIN_MS })
      if (rows.length === 0) return false
      const [known, unknown] = [rows.filter(isKnown), rows.filter((row) => !isKnown(row))]
      // Of a newer version that was here before: it must not keep the others from being handed over.
      for (const { id, kind } of unknown)
        await failOutbox(ledger.db, { id, error: `no work is known for ${kind}`, final: true })
      try {
        await handOver(queues, known)
      } catch (fault) {
        await unclaimOutbox(
          ledger.db,
          known.map(({ id }) => id),
        )
        throw fault
      }
      telemetry.outboxRelayed(known.length)
      return rows.length >= BATCH
    },
  }
}

const isKnown = ({ kind }: OutboxRow) => Object.hasOwn(OUTBOX_JOBS, kind)

/** A job that is still under way keeps its place: its id is the row's, so adding it again changes nothing. */
async function handOver(queues: Queues, rows: OutboxRow[]): Promise<void> {
  for (const [queue, group] of Map.groupBy(rows, (row) => JOBS[OUTBOX_JOBS[row.kind]].queue))
    await queueNamed(queues, queue).addBulk(
      group.map((row) => {
        const name = OUTBOX_JOBS[row.kind]
        // Only the row's id: what the row says, with its secrets, stays in Postgres.
        const traceparent = traceOf(row)
        const data = { outboxId: row.id, ...(traceparent === undefined ? {} : { traceparent }) }
        return { name, data, opts: jobOptions(name, jobIds.outbox(row.id)) }
      }),
    )
}

function queueNamed(queues: Queues, name: QueueName): Queue {
  return { 'ticket-cleanup': queues.ticketCleanup, email: queues.email, payment: queues.payment }[name]
}
