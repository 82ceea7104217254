// Shows that a transaction says what went wrong, and not only that something did.
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { inTransaction, postgresCode, type Tx } from '../../db/client.ts'
import { openTestLedger, STORES_WITHIN_MS, type TestLedger } from '../support/a-ledger.ts'

let t: TestLedger
beforeAll(async () => {
  t = await openTestLedger()
}, STORES_WITHIN_MS)
afterAll(() => t.close(), STORES_WITHIN_MS)

const DISK_FULL = '53100'
const diskFull = (tx: Tx) =>
  tx.execute(sql`do $$ begin raise exception 'no space left' using errcode = '53100'; end $$`)

test('of statements sent together, the fault of the one that failed is told, whichever is heard first', async () => {
  const failing = inTransaction(t.db, async (tx) => {
    const [failed, told] = await Promise.allSettled([diskFull(tx), tx.execute(sql`select 1`)])
    expect(failed.status).toBe('rejected')
    throw (told as PromiseRejectedResult).reason
  })
  expect(postgresCode(await failing.catch((fault: unknown) => fault))).toBe(DISK_FULL)
})
