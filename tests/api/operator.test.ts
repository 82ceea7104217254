// Holds the operator's routes to their word: dead letters seen, tried again once, and noted; audits and outages readable.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { saveAudit } from '../../db/audit/results.ts'
import { runAudit } from '../../db/audit.ts'
import { failOutbox, findOpenOutbox, settleOutbox } from '../../db/outbox.ts'
import { holdFreezes, outbox } from '../../db/schema.ts'
import { START_WITHIN_MS, startApp, type AppHarness, type Person } from '../support/app-harness.ts'

let app: AppHarness
let admin: Person
beforeAll(async () => {
  app = await startApp()
  admin = await app.person('ADMIN')
}, START_WITHIN_MS)
afterAll(() => app.close())

const get = (path: string, { token }: Person = admin) => app.call('GET', `/admin/${path}`, { token })
const retry = (id: number | string, { token }: Person = admin) =>
  app.call('POST', `/admin/dead-letters/${id}/retry`, { token })

async function deadLetter(): Promise<number> {
  const { db } = app.context.ledger
  const payload = { accountId: admin.accountId, token: 'se-cret' }
  const [row] = await db
    .insert(outbox)
    .values({ kind: 'send_verification', payload })
    .returning({ id: outbox.id })
  await failOutbox(db, { id: row!.id, error: 'the mail server refuses the address', final: true })
  return row!.id
}

test('what was given up is listed page by page, without its secrets', async () => {
  const letters = [await deadLetter(), await deadLetter(), await deadLetter()].map(String)
  const first = (await get('dead-letters?limit=2')).body.data
  expect(first.items).toMatchObject([
    {
      id: letters[0],
      kind: 'send_verification',
      about: { accountId: admin.accountId },
      attempts: 1,
      lastError: 'the mail server refuses the address',
    },
    { id: letters[1] },
  ])
  expect(JSON.stringify(first)).not.toContain('se-cret')
  const rest = (await get(`dead-letters?limit=2&cursor=${first.nextCursor}`)).body.data
  expect([rest.items.map(({ id }: { id: string }) => id), rest.nextCursor]).toEqual([[letters[2]], null])
  for (const cursor of ['x', '-1', '0', '1e9', '99999999999999999'])
    expect([cursor, (await get(`dead-letters?cursor=${cursor}`)).body.code]).toEqual([
      cursor,
      'request_invalid',
    ])
})

test('one is tried again once, however many ask, and it is noted who did', async () => {
  const id = await deadLetter()
  const other = await app.person('ADMIN')
  const answers = await Promise.all([retry(id), retry(id, other), retry(id)])
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 404, 404])
  const who = answers[1]!.status === 200 ? other : admin
  const [action] = (await get('actions?limit=1')).body.data.items
  expect(action).toMatchObject({
    accountId: who.accountId,
    what: 'dead_letter_retried',
    detail: { id, kind: 'send_verification' },
  })
  const { db } = app.context.ledger
  expect((await findOpenOutbox(db, id))!.payload).toMatchObject({ token: 'se-cret' })
  await settleOutbox(db, id)
  for (const wrong of [id, 0, 'x', '1;drop', 2 ** 52]) expect((await retry(wrong)).status).toBe(404)
})

test('the last audit is read as it was found', async () => {
  const { ledger, redis } = app.context
  expect((await get('audit')).body.code).toBe('not_found')
  await saveAudit(ledger.db, { tookMs: 12.4, lines: await runAudit({ db: ledger.db, redis }) })
  const { data } = (await get('audit')).body
  expect(data).toMatchObject({ tookMs: 12, violations: 0 })
  expect(data.lines.map(({ id }: { id: string }) => id)).toEqual(
    Array.from({ length: 12 }, (_, i) => `I${i + 1}`),
  )
})

const outage = (at: number) => ({ since: new Date(at), until: new Date(at + 60_000), reason: 'postgres' })

test('outages that were given back are listed, newest first', async () => {
  await app.context.ledger.db.insert(holdFreezes).values([
    { ...outage(1_700_000_000_000), endedBy: 'server-0', holds: 3 },
    { ...outage(1_700_001_000_000), endedBy: 'server-1', holds: 5 },
  ])
  const { items } = (await get('freezes')).body.data
  expect(items).toMatchObject([
    { holds: 5, endedBy: 'server-1' },
    { holds: 3, since: '2023-11-14T22:13:20.000Z', reason: 'postgres' },
  ])
})

test('nobody but who may sees or does any of it', async () => {
  const organizer = await app.person('ORGANIZER')
  for (const path of ['dead-letters', 'actions', 'audit', 'freezes'])
    expect([path, (await get(path, organizer)).body.code]).toEqual([path, 'permission_denied'])
  expect((await retry(1, organizer)).body.code).toBe('permission_denied')
})
