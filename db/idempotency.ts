// Owns the answers to requests that carry an Idempotency-Key: the first of a key stays, and is told again.
import { and, eq, lt, sql } from 'drizzle-orm'
import type { Db, Reader, Tx } from './client.ts'
import { idempotencyKeys } from './schema.ts'

/** Answers are kept this long. */
const ANSWER_HOURS = 24

export interface StoredAnswer {
  statusCode: number
  /** The body that was answered. */
  response: unknown
}

/** How a move stores the answer of its own success: `answer` makes the body from what came out. */
export interface StagedAnswer<T> {
  key: string
  /** SHA-256 of method, path and body. */
  requestHash: Uint8Array
  answer(outcome: T): StoredAnswer
}

type KeyRefusal = { ok: false; refusal: 'idempotency_key_reused' | 'idempotency_in_progress' }

/** What was answered, with the hash of the request it answers; null when the key is new. */
export async function findAnswer(
  reader: Reader,
  { accountId, key }: { accountId: string; key: string },
): Promise<(StoredAnswer & { requestHash: Uint8Array }) | null> {
  const [row] = await reader
    .select({
      requestHash: idempotencyKeys.requestHash,
      statusCode: idempotencyKeys.statusCode,
      response: idempotencyKeys.response,
    })
    .from(idempotencyKeys)
    .where(and(eq(idempotencyKeys.accountId, accountId), eq(idempotencyKeys.key, key)))
  return row ?? null
}

/** Stores an answer; false when the key has one already, which stays. */
export async function storeAnswer(
  writer: Reader,
  {
    accountId,
    key,
    requestHash,
    statusCode,
    response,
  }: { accountId: string; key: string; requestHash: Uint8Array } & StoredAnswer,
): Promise<boolean> {
  const stored = await writer
    .insert(idempotencyKeys)
    .values({ accountId, key, requestHash, statusCode, response })
    .onConflictDoNothing()
    .returning({ key: idempotencyKeys.key })
  return stored.length > 0
}

/** Stores a move's answer in its transaction; refuses, and so undoes the move, when the key has an answer already. */
export async function stageAnswer<T>(
  tx: Tx,
  accountId: string,
  { key, requestHash, answer }: StagedAnswer<T>,
  outcome: T,
): Promise<{ ok: true } | KeyRefusal> {
  if (await storeAnswer(tx, { accountId, key, requestHash, ...answer(outcome) })) return { ok: true }
  const known = await findAnswer(tx, { accountId, key })
  const same = known !== null && Buffer.compare(known.requestHash, requestHash) === 0
  return { ok: false, refusal: same ? 'idempotency_in_progress' : 'idempotency_key_reused' }
}

/** Forgets answers older than a day. */
export async function deleteOldAnswers(db: Db): Promise<void> {
  await db
    .delete(idempotencyKeys)
    .where(lt(idempotencyKeys.createdAt, sql`now() - make_interval(hours => ${ANSWER_HOURS})`))
}
