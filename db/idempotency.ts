// Owns the answers to requests that carry an Idempotency-Key: the first of a key stays, and is told again.
import { and, eq, lt, sql } from 'drizzle-orm'
import type { Db, Reader } from './client.ts'
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

/** Stores many answers at once; tells, as `account/key`, those that are now stored. The others' keys had one already. */
export async function storeAnswers(
  writer: Reader,
  answers: ({ accountId: string; key: string; requestHash: Uint8Array } & StoredAnswer)[],
): Promise<Set<string>> {
  const rows = answers.map(({ requestHash, ...answer }) => ({
    ...answer,
    requestHash: Buffer.from(requestHash).toString('hex'),
  }))
  const stored = await writer.execute<{ accountId: string; key: string }>(sql`
    insert into idempotency_keys (account_id, key, request_hash, status_code, response)
    select "accountId", key, decode("requestHash", 'hex'), "statusCode", response
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      as answer ("accountId" uuid, key text, "requestHash" text, "statusCode" int, response jsonb)
    on conflict do nothing
    returning account_id as "accountId", key`)
  return new Set(stored.map(({ accountId, key }) => `${accountId}/${key}`))
}

/** Forgets answers older than a day. */
export async function deleteOldAnswers(db: Db): Promise<void> {
  await db
    .delete(idempotencyKeys)
    .where(lt(idempotencyKeys.createdAt, sql`now() - make_interval(hours => ${ANSWER_HOURS})`))
}
