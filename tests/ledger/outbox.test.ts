// Holds the outbox to its promise: staged with the move or not at all, relayed by one at a time, never forgotten.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { inTransaction } from '../../db/client.ts'
import {
  claimOutbox,
  countDeadLetters,
  failOutbox,
  findOpenOutbox,
  listDeadLetters,
  outboxOldestSeconds,
  retryDeadLetter,
  settleOutbox,
  stageOutbox,
} from '../../db/outbox.ts'
import { operatorLog, outbox } from '../../db/schema.ts'
import { aBuyer, openTestLedger, STORES_WITHIN_MS, type TestLedger } from '../support/a-ledger.ts'

let t: TestLedger
beforeAll(async () => {
  t = await openTestLedger()
}, STORES_WITHIN_MS)
afterAll(() => t.close(), STORES_WITHIN_MS)

const stage = (accountId: string) =>
  inTransaction(t.db, (tx) =>
    stageOutbox(tx, { kind: 'send_verification', payload: { accountId, token: 'secret' } }),
  )

test('a message of a move that is undone was never there', async () => {
  await inTransaction(t.db, async (tx) => {
    await stageOutbox(tx, { kind: 'send_account_exists', payload: { accountId: 'undone' } })
    return { ok: false } as const
  })
  expect(await claimOutbox(t.db, { limit: 10 })).toEqual([])
})

test('many relays at once take each message once, and what is not settled is offered again', async () => {
  for (let i = 0; i < 20; i++) await stage(`a${i}`)
  const claims = await Promise.all([1, 2, 3, 4].map(() => claimOutbox(t.db, { limit: 10 })))
  const taken = claims.flat().map(({ id }) => id)
  expect(taken).toHaveLength(new Set(taken).size)
  await claimOutbox(t.db, { limit: 100 })
  expect(await claimOutbox(t.db, { limit: 100 })).toEqual([])
  const [first, ...rest] = await claimOutbox(t.db, { limit: 100, relayAgainMs: 0 })
  expect(rest).toHaveLength(19)
  await settleOutbox(t.db, first!.id)
  expect(await findOpenOutbox(t.db, first!.id)).toBeNull()
  const [settled] = await t.db.select().from(outbox).where(eq(outbox.id, first!.id))
  expect(settled!.payload).toEqual({ accountId: 'a0' })
  for (const { id } of rest) await settleOutbox(t.db, id)
})

test('what was given up is listed, keeps its reason, and can be run again', async () => {
  await stage('dead')
  const [row] = await claimOutbox(t.db, { limit: 1 })
  await failOutbox(t.db, { id: row!.id, error: 'first', final: false })
  await failOutbox(t.db, { id: row!.id, error: 'mailbox full', final: true })
  expect(await claimOutbox(t.db, { limit: 1, relayAgainMs: 0 })).toEqual([])
  expect(await listDeadLetters(t.db, { limit: 10 })).toMatchObject([
    { id: row!.id, attempts: 2, lastError: 'mailbox full' },
  ])
  const [letter] = await listDeadLetters(t.db, { limit: 10 })
  expect(letter!.payload).toEqual({ accountId: 'dead' })
  expect(await listDeadLetters(t.db, { limit: 10, after: row!.id })).toEqual([])
  expect(await countDeadLetters(t.db)).toBe(1)
  const accountId = await aBuyer(t.db)
  const tries = await Promise.all([1, 2, 3].map(() => retryDeadLetter(t.db, { id: row!.id, accountId })))
  expect(tries.filter(Boolean)).toHaveLength(1)
  expect(await t.db.select().from(operatorLog)).toMatchObject([
    { accountId, what: 'dead_letter_retried', detail: { id: row!.id, error: 'mailbox full', attempts: 2 } },
  ])
  const [again] = await claimOutbox(t.db, { limit: 1 })
  expect(again!.payload).toEqual({ accountId: 'dead', token: 'secret' })
  await t.db.update(outbox).set({ createdAt: sql`now() - interval '90 seconds'` })
  expect(await outboxOldestSeconds(t.db)).toBeGreaterThan(80)
  await settleOutbox(t.db, row!.id)
  expect(await outboxOldestSeconds(t.db)).toBe(0)
})
