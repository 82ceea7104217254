// Owns what must not be lost: messages staged in the transaction that made them true, relayed at least once.
import { and, asc, eq, gt, isNotNull, isNull, sql } from 'drizzle-orm'
import { inTransaction, type Db, type Reader, type Tx } from './client.ts'
import type { JobName } from './jobs.ts'
import { logOperator } from './operator-log.ts'
import { outbox } from './schema.ts'
import { traceparent } from './trace.ts'

/** Every message there is, and what it carries. Secrets (`token`) are wiped when the message is settled. */
export interface OutboxPayloads {
  send_verification: { accountId: string; token: string }
  send_account_exists: { accountId: string }
  reset_password: { accountId: string; token: string }
  booking_confirmed: { eventId: string; bookingId: string }
  booking_expired: { eventId: string; bookingId: string }
  /** `amount` in minor units. */
  booking_refunded: { eventId: string; bookingId: string; amount: number }
  refund_payment: { eventId: string; paymentId: string }
  cancel_event: { eventId: string }
}
export type OutboxKind = keyof OutboxPayloads
export type OutboxMessage = { [K in OutboxKind]: { kind: K; payload: OutboxPayloads[K] } }[OutboxKind]

/** Which job does the work of a message. */
export const OUTBOX_JOBS = {
  send_verification: 'send-email',
  send_account_exists: 'send-email',
  reset_password: 'send-email',
  booking_confirmed: 'send-email',
  booking_expired: 'send-email',
  booking_refunded: 'send-email',
  refund_payment: 'refund-payment',
  cancel_event: 'cancel-event',
} as const satisfies Record<OutboxKind, JobName>

export type OutboxRow = OutboxMessage & {
  id: number
  createdAt: Date
  /** How often the work failed so far. */
  attempts: number
  lastError: string | null
}

/** A row handed to the queue and not settled is handed over again after this: the queue may have lost it. */
const RELAY_AGAIN_MS = 30_000
const ERROR_LENGTH_MAX = 500
const SETTLED_DAYS = 30

/** Stages messages in the move's own transaction. */
export async function stageOutbox(tx: Tx, ...messages: OutboxMessage[]): Promise<void> {
  if (messages.length === 0) return
  const trace = traceparent()
  const traced = trace === undefined ? messages : messages.map((message) => withTrace(message, trace))
  await tx.insert(outbox).values(traced)
}

/** Beside what the message says, so that a row is no larger when nobody traces. */
const withTrace = ({ kind, payload }: OutboxMessage, trace: string) => ({
  kind,
  payload: { ...payload, traceparent: trace },
})

/** What the work of a message is to be seen as part of. */
export const traceOf = ({ payload }: OutboxRow): string | undefined =>
  'traceparent' in payload && typeof payload.traceparent === 'string' ? payload.traceparent : undefined

const fields = {
  id: outbox.id,
  kind: outbox.kind,
  payload: outbox.payload,
  createdAt: outbox.createdAt,
  attempts: outbox.attempts,
  lastError: outbox.lastError,
}
const asRow = (row: { kind: string; payload: Record<string, unknown> }) => row as unknown as OutboxRow

/**
 * Takes up to `limit` messages that wait to be handed to BullMQ, oldest first; whoever takes one has
 * `relayAgainMs` before it is offered again. Several relays may run at once.
 */
export async function claimOutbox(
  db: Db,
  { limit, relayAgainMs = RELAY_AGAIN_MS }: { limit: number; relayAgainMs?: number },
): Promise<OutboxRow[]> {
  const waiting = db
    .select({ id: outbox.id })
    .from(outbox)
    .where(
      and(
        isNull(outbox.settledAt),
        isNull(outbox.deadAt),
        sql`(${outbox.relayedAt} is null or ${outbox.relayedAt} < now() - make_interval(secs => ${relayAgainMs / 1_000}))`,
      ),
    )
    .orderBy(asc(outbox.id))
    .limit(limit)
    .for('update', { skipLocked: true })
  const rows = await db
    .update(outbox)
    .set({ relayedAt: sql`now()` })
    // As an array the choice is made once; joined, a planner may make it again for each row and take more than `limit`.
    .where(sql`${outbox.id} = any(array(${waiting}))`)
    .returning(fields)
  return rows.map(asRow).toSorted((a, b) => a.id - b.id)
}

/** Gives claimed messages back at once: the queue could not be reached. */
export async function unclaimOutbox(db: Db, idList: number[]): Promise<void> {
  if (idList.length === 0) return
  await db
    .update(outbox)
    .set({ relayedAt: null })
    .where(and(sql`${outbox.id} = any(${`{${idList.join(',')}}`}::bigint[])`, isNull(outbox.settledAt)))
}

/** The message, unless it is settled: what a job reads before it works, so that a repeated job does nothing. */
export async function findOpenOutbox(reader: Reader, id: number): Promise<OutboxRow | null> {
  const [row] = await reader
    .select(fields)
    .from(outbox)
    .where(and(eq(outbox.id, id), isNull(outbox.settledAt)))
  return row ? asRow(row) : null
}

/** The work is done; secrets are wiped. */
export async function settleOutbox(db: Reader, id: number): Promise<void> {
  await db
    .update(outbox)
    .set({ settledAt: sql`now()`, deadAt: null, payload: sql`${outbox.payload} - 'token'` })
    .where(and(eq(outbox.id, id), isNull(outbox.settledAt)))
}

/** The work failed; `final` gives up, and the message waits among the dead letters for a person. */
export async function failOutbox(
  db: Reader,
  { id, error, final }: { id: number; error: string; final: boolean },
): Promise<void> {
  await db
    .update(outbox)
    .set({
      attempts: sql`${outbox.attempts} + 1`,
      lastError: error.slice(0, ERROR_LENGTH_MAX),
      ...(final ? { deadAt: sql`now()` } : {}),
    })
    .where(and(eq(outbox.id, id), isNull(outbox.settledAt)))
}

const isDead = and(isNotNull(outbox.deadAt), isNull(outbox.settledAt))

/** What was given up, oldest first, after the one with the id `after`. Secrets are left out. */
export async function listDeadLetters(
  reader: Reader,
  { limit, after = 0 }: { limit: number; after?: number },
): Promise<(OutboxRow & { deadAt: Date })[]> {
  const rows = await reader
    .select({
      ...fields,
      payload: sql<Record<string, unknown>>`${outbox.payload} - 'token'`,
      deadAt: outbox.deadAt,
    })
    .from(outbox)
    .where(and(isDead, gt(outbox.id, after)))
    .orderBy(asc(outbox.id))
    .limit(limit)
  return rows.map((row) => ({ ...asRow(row), deadAt: row.deadAt! }))
}

/** How many were given up: the gauge `dead_letters`. */
export const countDeadLetters = (reader: Reader): Promise<number> => reader.$count(outbox, isDead)

/** Offers a dead letter to the relay again, and notes who did; false when it is none, or no longer. */
export async function retryDeadLetter(
  db: Db,
  { id, accountId }: { id: number; accountId: string },
): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const [retried] = await tx
      .update(outbox)
      .set({ deadAt: null, relayedAt: null })
      .where(and(eq(outbox.id, id), isDead))
      .returning({ kind: outbox.kind, attempts: outbox.attempts, error: outbox.lastError })
    if (retried) await logOperator(tx, { accountId, what: 'dead_letter_retried', detail: { id, ...retried } })
    return retried !== undefined
  })
}

/** Age in seconds of the oldest message still open, 0 when there is none: the gauge `outbox_oldest_seconds`. */
export async function outboxOldestSeconds(reader: Reader): Promise<number> {
  const [row] = await reader
    .select({ age: sql<number>`coalesce(extract(epoch from now() - min(${outbox.createdAt})), 0)::float8` })
    .from(outbox)
    .where(and(isNull(outbox.settledAt), isNull(outbox.deadAt)))
  return row!.age
}

/** Forgets messages settled more than a month ago. */
export async function deleteOldOutbox(db: Db): Promise<void> {
  await db.delete(outbox).where(sql`${outbox.settledAt} < now() - make_interval(days => ${SETTLED_DAYS})`)
}
