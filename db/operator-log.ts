// Owns the record of what operators did by hand, written in the transaction that did it.
import { desc, lt } from 'drizzle-orm'
import type { Reader, Tx } from './client.ts'
import { operatorLog } from './schema.ts'

/** `detail` holds nobody's address and no secret. */
export async function logOperator(
  tx: Tx,
  entry: { accountId: string; what: 'dead_letter_retried'; detail: Record<string, unknown> },
): Promise<void> {
  await tx.insert(operatorLog).values(entry)
}

export type OperatorAction = typeof operatorLog.$inferSelect

/** Newest first, from before the one with the id `before`. */
export function listOperatorActions(
  reader: Reader,
  { limit, before }: { limit: number; before?: number | undefined },
): Promise<OperatorAction[]> {
  return reader
    .select()
    .from(operatorLog)
    .where(before === undefined ? undefined : lt(operatorLog.id, before))
    .orderBy(desc(operatorLog.id))
    .limit(limit)
}
