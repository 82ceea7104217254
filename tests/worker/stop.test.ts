// Shows that a worker may be stopped or killed at any moment: what it had in hand is finished, by it or by the next.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { inTransaction } from '../../db/client.ts'
import { listDeadLetters, outboxOldestSeconds, stageOutbox } from '../../db/outbox.ts'
import { eventually } from './eventually.ts'
import { createBuyer, openStage, type Stage } from './stage.ts'

/** The lock of a dead worker's job must end and two looks for stalled jobs pass. */
const STALLED_WITHIN_MS = 25_000
const STOP_WITHIN_MS = 10_000

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
})
afterAll(() => stage.close())

async function stageMail(): Promise<void> {
  const { accountId } = await createBuyer(stage.ledger)
  await inTransaction(stage.ledger.db, (tx) =>
    stageOutbox(tx, { kind: 'send_account_exists', payload: { accountId } }),
  )
}
const allSettled = async () => (await outboxOldestSeconds(stage.ledger.db)) === 0

test('told to stop, a worker finishes the mail in its hands and ends with 0', async () => {
  const worker = await stage.spawnWorker()
  const letIn = stage.sink.hold()
  await stageMail()
  await eventually(() => stage.sink.waiting() === 1)
  worker.process.kill('SIGTERM')
  await Bun.sleep(300)
  expect(worker.process.exitCode).toBeNull()
  letIn()
  expect(await worker.process.exited).toBe(0)
  expect(await allSettled()).toBe(true)
  expect(stage.sink.mails).toHaveLength(1)
  await eventually(() => worker.lines.some((line) => line.includes('worker_stopped')))
  expect(worker.lines.at(-1)).toContain('"clean":true')
})

test('a mail server that says nothing cannot hold a stop up', async () => {
  const worker = await stage.spawnWorker()
  const letIn = stage.sink.hold()
  await stageMail()
  await eventually(() => stage.sink.waiting() === 1)
  const started = Date.now()
  worker.process.kill('SIGTERM')
  expect(await worker.process.exited).toBe(0)
  expect(Date.now() - started).toBeLessThan(STOP_WITHIN_MS)
  letIn()
})

test('defect: the job of a worker killed in its middle is done by the next within seconds', async () => {
  const first = await stage.spawnWorker()
  await eventually(allSettled, STALLED_WITHIN_MS)
  const before = stage.sink.mails.length
  const letIn = stage.sink.hold()
  await stageMail()
  await eventually(() => stage.sink.waiting() === 1)
  first.process.kill('SIGKILL')
  await first.process.exited
  expect(await allSettled()).toBe(false)

  const next = await stage.spawnWorker()
  letIn()
  await eventually(allSettled, STALLED_WITHIN_MS)
  expect(await listDeadLetters(stage.ledger.db, { limit: 10 })).toEqual([])
  // The mail server may have kept what the dead worker had said; both bear one name, so the reader can tell.
  const sent = stage.sink.mails.slice(before)
  expect(sent.length).toBeGreaterThanOrEqual(1)
  expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(1)
  next.process.kill('SIGTERM')
  expect(await next.process.exited).toBe(0)
})

test('two workers share the work: sixty mails, each sent once', async () => {
  const { db } = stage.ledger
  const before = stage.sink.mails.length
  const { accountId } = await createBuyer(stage.ledger)
  await Promise.all([stage.spawnWorker(), stage.spawnWorker()])
  const message = { kind: 'send_account_exists', payload: { accountId } } as const
  await inTransaction(db, (tx) => stageOutbox(tx, ...Array.from({ length: 60 }, () => message)))
  await eventually(allSettled, 30_000)
  const sent = stage.sink.mails.slice(before)
  expect(sent).toHaveLength(60)
  expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(60)
})
