// Shows that a mail reaches its reader once, survives a mail server that is away, and is never lost silently.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AddressObject } from 'mailparser'
import { holdSeats } from '../../db/bookings/hold-seats.ts'
import { inTransaction } from '../../db/client.ts'
import { jobIds, jobOptions, openQueues } from '../../db/jobs.ts'
import {
  findOpenOutbox,
  listDeadLetters,
  retryDeadLetter,
  stageOutbox,
  type OutboxMessage,
} from '../../db/outbox.ts'
import { payBooking } from '../../db/payments.ts'
import { BULL_PREFIX } from '../../db/redis.ts'
import { outbox } from '../../db/schema.ts'
import { createMailer, UndeliverableAddress } from '../../worker/mailer.ts'
import { eventually } from './eventually.ts'
import { createBuyer, createSale, openStage, type Stage } from './stage.ts'

let stage: Stage
let gate: { db: Stage['ledger']['db']; redis: Stage['redis'] }

beforeAll(async () => {
  stage = await openStage()
  gate = { db: stage.ledger.db, redis: stage.redis }
  await stage.spawnWorker()
})
afterAll(() => stage.close())

/** Stages a message as a move would; its id. */
async function stageMessage(message: OutboxMessage): Promise<number> {
  await inTransaction(stage.ledger.db, (tx) => stageOutbox(tx, message))
  const rows = await stage.ledger.db.select({ id: outbox.id }).from(outbox)
  return Math.max(...rows.map(({ id }) => id))
}

const mailsTo = (email: string) =>
  stage.sink.mails.filter((mail) => (mail.to as AddressObject).text.includes(email))
const isSettled = async (id: number) => (await findOpenOutbox(stage.ledger.db, id)) === null
const isDead = async (id: number) =>
  (await listDeadLetters(stage.ledger.db, { limit: 100 })).some((letter) => letter.id === id)

test('an address is verified by one mail with its link, and the secret is wiped when it is out', async () => {
  const { accountId, email } = await createBuyer(stage.ledger, { verified: false })
  const id = await stageMessage({ kind: 'send_verification', payload: { accountId, token: 'se-cret_token' } })
  await eventually(() => isSettled(id))
  const [mail, ...others] = mailsTo(email)
  expect(others).toHaveLength(0)
  const link = `https://tickets.test/verify?token=se-cret_token&email=${encodeURIComponent(email)}`
  expect(mail!.text).toContain(link)
  expect(mail!.html).toContain(link.replace('&', '&amp;'))
  expect(mail!.messageId).toBe(`<outbox-${id}@tickets.test>`)
  const rows = await stage.ledger.db.select({ id: outbox.id, payload: outbox.payload }).from(outbox)
  expect(JSON.stringify(rows.find((row) => row.id === id)!.payload)).not.toContain('se-cret_token')
})

test('a paid booking is confirmed with its seats, its total and a code for each ticket', async () => {
  const eventId = await createSale(stage.ledger)
  const { accountId, email } = await createBuyer(stage.ledger)
  const held = await holdSeats(gate, { accountId, eventId, seats: [3, 4] })
  if (!held.ok) throw new Error(held.refusal)
  const paid = await payBooking(gate, { bookingId: held.booking.id, accountId, method: 'sandbox_ok' })
  expect(paid.ok).toBe(true)
  await eventually(() => mailsTo(email).length === 1)
  const { subject, text } = mailsTo(email)[0]!
  expect(subject).toBe('Your tickets for Così fan tutte')
  expect(text).toContain('Paid: €100.00')
  expect(text!.match(/Stalls, row \S+, seat \S+ \(Gold, €50\.00\): ticket code \S{22}/g)).toHaveLength(2)
  expect(text).toContain(`https://tickets.test/bookings/${held.booking.id}/confirmed`)
})

test('a mail whose reason has gone is not sent', async () => {
  const { accountId, email } = await createBuyer(stage.ledger)
  const id = await stageMessage({ kind: 'send_verification', payload: { accountId, token: 'too late' } })
  await eventually(() => isSettled(id))
  expect(mailsTo(email)).toHaveLength(0)
})

test('a mail server that is away costs time, not mail', async () => {
  const { accountId, email } = await createBuyer(stage.ledger)
  await stage.sink.down()
  const id = await stageMessage({ kind: 'send_account_exists', payload: { accountId } })
  await eventually(async () => ((await findOpenOutbox(stage.ledger.db, id))?.attempts ?? 0) >= 1)
  expect(await isDead(id)).toBe(false)
  await stage.sink.up()
  await eventually(() => isSettled(id), 20_000)
  expect(mailsTo(email)).toHaveLength(1)
})

test('what the mail server refuses for good is listed as a dead letter, and can be sent after all', async () => {
  const { accountId, email } = await createBuyer(stage.ledger)
  stage.sink.unknown.add(email)
  const id = await stageMessage({ kind: 'send_account_exists', payload: { accountId } })
  await eventually(() => isDead(id))
  const letter = (await listDeadLetters(stage.ledger.db, { limit: 100 })).find((row) => row.id === id)!
  expect(letter.lastError).toBe('the mail server refuses the address')
  expect(letter.lastError).not.toContain(email)

  stage.sink.unknown.delete(email)
  expect(await retryDeadLetter(stage.ledger.db, { id, accountId })).toBe(true)
  await eventually(() => isSettled(id))
  expect(mailsTo(email)).toHaveLength(1)
  expect(await isDead(id)).toBe(false)
})

test('the last failed try makes a dead letter', async () => {
  const { accountId } = await createBuyer(stage.ledger)
  await stage.sink.down()
  const queues = openQueues(stage.stores.redisUrl)
  try {
    // The row is marked as handed over already, so that the job below, with two tries, is the only one.
    const [row] = await stage.ledger.db
      .insert(outbox)
      .values({ kind: 'send_account_exists', payload: { accountId }, relayedAt: new Date() })
      .returning({ id: outbox.id })
    const { id } = row!
    const options = { ...jobOptions('send-email', jobIds.outbox(id)), attempts: 2, backoff: 50 }
    await eventually(() => queues.email.add('send-email', { outboxId: id }, options).then(() => true))
    await eventually(() => isDead(id))
    expect((await findOpenOutbox(stage.ledger.db, id))!.attempts).toBe(2)
    // The queue is told after the letter is written.
    await eventually(async () => (await queues.email.getJob(jobIds.outbox(id))) === undefined)
  } finally {
    await stage.sink.up()
    await queues.close()
  }
})

test('a job that kills worker after worker ends among the dead letters, not in an endless round', async () => {
  const { accountId } = await createBuyer(stage.ledger)
  const queues = openQueues(stage.stores.redisUrl)
  try {
    const [row] = await stage.ledger.db
      .insert(outbox)
      .values({ kind: 'send_account_exists', payload: { accountId }, relayedAt: new Date() })
      .returning({ id: outbox.id })
    const jobId = jobIds.outbox(row!.id)
    const job = await queues.email.add(
      'send-email',
      { outboxId: row!.id },
      jobOptions('send-email', jobId, 60_000),
    )
    // What BullMQ writes when a job has stalled as often as it may.
    await stage.redis.hset(`${BULL_PREFIX}:email:${jobId}`, 'defa', 'job stalled more than allowable limit')
    await job.promote()
    await eventually(() => isDead(row!.id))
    expect((await findOpenOutbox(stage.ledger.db, row!.id))!.lastError).toContain('stalled')
  } finally {
    await queues.close()
  }
})

test('a message of a kind this version does not know keeps no other from going out', async () => {
  const [foreign] = await stage.ledger.db
    .insert(outbox)
    .values({ kind: 'from_a_newer_version', payload: {} })
    .returning({ id: outbox.id })
  const { accountId, email } = await createBuyer(stage.ledger)
  await stageMessage({ kind: 'send_account_exists', payload: { accountId } })
  await eventually(() => mailsTo(email).length === 1)
  await eventually(() => isDead(foreign!.id))
})

test('a job that comes twice sends one mail', async () => {
  const { accountId, email } = await createBuyer(stage.ledger)
  const id = await stageMessage({ kind: 'send_account_exists', payload: { accountId } })
  await eventually(() => isSettled(id))
  const queues = openQueues(stage.stores.redisUrl)
  await eventually(() =>
    queues.email
      .add('send-email', { outboxId: id }, jobOptions('send-email', jobIds.outbox(id)))
      .then(() => true),
  )
  await eventually(async () => (await queues.email.getJob(jobIds.outbox(id))) === undefined)
  expect(mailsTo(email)).toHaveLength(1)
  await queues.close()
})

test('an address that is not one mailbox reaches no mail server', async () => {
  const mailer = createMailer({
    smtpUrl: stage.sink.url,
    mailFrom: 'Onsale <no-reply@tickets.test>',
    publicUrl: 'https://tickets.test',
  })
  const mail = { subject: 'x', text: 'x', html: 'x' }
  const before = stage.sink.mails.length
  for (const to of [
    'a@b.test\r\nBcc: c@d.test',
    'a@b.test, c@d.test',
    'A <a@b.test>',
    'group: a@b.test;',
    'a@',
    '',
  ])
    expect(mailer.send({ outboxId: 1, to, mail })).rejects.toBeInstanceOf(UndeliverableAddress)
  mailer.close()
  expect(stage.sink.mails).toHaveLength(before)
})
