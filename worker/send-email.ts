// Decides how a mail goes out: once per outbox row as far as can be known, again when the mail server fails.
import { JOBS } from '../db/jobs.ts'
import type { OutboxRow } from '../db/outbox.ts'
import type { Context } from './context.ts'
import { MAIL_CONNECTIONS, UndeliverableAddress } from './mailer.ts'
import { buryOutboxRow, Hopeless, workOutboxRow } from './outbox-job.ts'
import { readPayload } from './payload.ts'
import { startQueueWorker, type QueueWorker } from './queue-worker.ts'
import { writeMail } from './write-mail.ts'

export function startMailing(context: Context): QueueWorker {
  return startQueueWorker(context, {
    queue: JOBS['send-email'].queue,
    concurrency: MAIL_CONNECTIONS,
    givenUp: (job, fault) => buryOutboxRow(context, job, fault),
    work: (job) => {
      const { outboxId } = readPayload('send-email', job.data)
      return workOutboxRow(context, { job, outboxId }, (row) => sendMail(context, row))
    },
  })
}

async function sendMail(context: Context, row: OutboxRow): Promise<void> {
  const { ledger, links, mailer, telemetry } = context
  const written = await writeMail({ reader: ledger.db, links }, row)
  if (written === null) return telemetry.mailNotNeeded({ outboxId: row.id, kind: row.kind })
  try {
    await mailer.send({ outboxId: row.id, ...written })
  } catch (fault) {
    if (fault instanceof UndeliverableAddress) throw new Hopeless(fault.message)
    throw fault
  }
  telemetry.mailSent({ outboxId: row.id, kind: row.kind })
}
