// Holds paying and refunding to the contract: what each sandbox method does, who may, and what is left afterwards.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { runAudit } from '../../db/audit.ts'
import { expireDueBookings } from '../../db/bookings/expire-bookings.ts'
import { chargeSandbox, listOpenPayments, startPayment } from '../../db/payments.ts'
import { readSandboxSecret } from '../../db/sandbox-webhooks.ts'
import { bookings } from '../../db/schema.ts'
import { signWebhook } from '../../db/webhook-signature.ts'
import { gateOf } from '../../server/bookings/gate.ts'
import {
  START_WITHIN_MS,
  startApp,
  type AppHarness,
  type EventForSale,
  type Person,
} from '../support/app-harness.ts'
import { settleOpenPayments } from '../support/open-payments.ts'

let app: AppHarness
let event: EventForSale
let buyer: Person
let other: Person
let nextSeat = 0

beforeAll(async () => {
  app = await startApp()
  event = await app.event({
    maxSeatsPerBuyer: 100,
    sections: [{ name: 'Hall', tier: { name: 'Standard', price: 1_999 }, rows: 10, seatsPerRow: 10 }],
  })
  ;[buyer, other] = (await app.people(2)) as [Person, Person]
}, START_WITHIN_MS)
afterAll(() => app.close())

async function held(seats = 1): Promise<{ id: string; seatIds: string[] }> {
  const seatIds = Array.from({ length: seats }, () => event.seatId(nextSeat++))
  const { body } = await app.hold(buyer, seatIds)
  return { id: body.data.id, seatIds }
}
const confirm = (id: string, method: string, { token }: Person = buyer) =>
  app.call('POST', `/payment/${id}/confirm`, { token, body: { method } })
const read = async (id: string) => (await app.call('GET', `/booking/${id}`, { token: buyer.token })).body.data
/** Ends a hold at once, as time would. */
const expire = (id: string) =>
  app.context.ledger.db
    .update(bookings)
    .set({ expiresAt: sql`now() - interval '1 second'` })
    .where(eq(bookings.id, id))

describe('checkout', () => {
  test('names the sandbox, its page and the amount', async () => {
    const { id } = await held(2)
    const answer = await app.call('POST', `/payment/${id}/checkout`, { token: buyer.token, body: {} })
    expect(answer.status).toBe(200)
    expect(answer.body.data).toEqual({
      provider: 'sandbox',
      url: `${app.context.config.publicUrl}/checkout/${id}`,
      amount: { amount: 3_998, currency: 'EUR' },
    })
    const bodiless = await app.call('POST', `/payment/${id}/checkout`, { token: buyer.token })
    expect(bodiless.status).toBe(200)
  })

  test('a return address of another site is refused', async () => {
    const { id } = await held()
    for (const returnUrl of ['https://evil.example/', '//evil.example/', 'javascript:alert(1)']) {
      const answer = await app.call('POST', `/payment/${id}/checkout`, {
        token: buyer.token,
        body: { returnUrl },
      })
      expect([returnUrl, answer.body.code]).toEqual([returnUrl, 'request_invalid'])
    }
  })

  test('another’s booking does not exist, an expired one is 410, a paid one 409', async () => {
    const { id } = await held()
    const checkout = ({ token }: Person) => app.call('POST', `/payment/${id}/checkout`, { token, body: {} })
    expect((await checkout(other)).status).toBe(404)
    await confirm(id, 'sandbox_ok')
    expect((await checkout(buyer)).body.code).toBe('booking_not_pending')
    const late = await held()
    await expire(late.id)
    const answer = await app.call('POST', `/payment/${late.id}/checkout`, { token: buyer.token, body: {} })
    expect([answer.status, answer.body.code]).toEqual([410, 'booking_expired'])
  })
})

describe('confirm', () => {
  test('sandbox_ok confirms, makes tickets, and a second confirm answers the same', async () => {
    const { id, seatIds } = await held(2)
    const paid = await confirm(id, 'sandbox_ok')
    expect(paid.status).toBe(200)
    expect(paid.body.data).toMatchObject({ id, status: 'CONFIRMED' })
    expect(paid.body.data.confirmedAt).not.toBeNull()
    const again = await confirm(id, 'sandbox_ok')
    expect(again.status).toBe(200)
    expect(again.body.data).toEqual(paid.body.data)
    const mine = await app.call('GET', '/ticket/mine?limit=200', { token: buyer.token })
    const tickets = mine.body.data.items.filter((ticket: { bookingId: string }) => ticket.bookingId === id)
    expect(tickets).toHaveLength(seatIds.length)
    expect(new Set(tickets.map(({ code }: { code: string }) => code)).size).toBe(2)
  })

  test('ten confirms at once take the money once', async () => {
    const { id } = await held()
    const answers = await Promise.all(Array.from({ length: 10 }, () => confirm(id, 'sandbox_ok')))
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true)
    expect(answers.some(({ status }) => status === 200)).toBe(true)
    const booking = await read(id)
    expect(booking.status).toBe('CONFIRMED')
    expect(booking.timeline.filter(({ what }: { what: string }) => what === 'payment_captured')).toHaveLength(
      1,
    )
  })

  test('sandbox_declined is 402, the hold stays, and another method may follow', async () => {
    const { id } = await held()
    const declined = await confirm(id, 'sandbox_declined')
    expect([declined.status, declined.body.code]).toEqual([402, 'payment_declined'])
    expect((await read(id)).status).toBe('PENDING')
    expect((await confirm(id, 'sandbox_ok')).body.data.status).toBe('CONFIRMED')
  })

  test('sandbox_slow confirms in the end', async () => {
    const { id } = await held()
    const paid = await confirm(id, 'sandbox_slow')
    expect([paid.status, paid.body.data.status]).toEqual([200, 'CONFIRMED'])
  })

  test('sandbox_lost_webhook answers PENDING, and is settled without another request', async () => {
    const { id } = await held()
    const answer = await confirm(id, 'sandbox_lost_webhook')
    expect([answer.status, answer.body.data.status]).toEqual([200, 'PENDING'])
    expect(answer.body.message).toContain('being confirmed')
    const deadline = Date.now() + 20_000
    while ((await read(id)).status === 'PENDING' && Date.now() < deadline) {
      await settleOpenPayments(gateOf(app.context))
      await Bun.sleep(100)
    }
    expect((await read(id)).status).toBe('CONFIRMED')
  })

  test('an expired booking is 410 and nothing is charged', async () => {
    const { id } = await held()
    await expire(id)
    const answer = await confirm(id, 'sandbox_ok')
    expect([answer.status, answer.body.code]).toEqual([410, 'booking_expired'])
    const charged = (await read(id)).timeline.some(
      ({ what }: { what: string }) => what === 'payment_captured',
    )
    expect(charged).toBe(false)
  })

  test('another’s booking does not exist, an unknown method is request_invalid', async () => {
    const { id } = await held()
    expect((await confirm(id, 'sandbox_ok', other)).status).toBe(404)
    expect((await confirm(Bun.randomUUIDv7(), 'sandbox_ok')).status).toBe(404)
    for (const method of ['cash', '', 'sandbox_ok '])
      expect((await confirm(id, method)).body.code).toBe('request_invalid')
  })
})

const refund = (id: string, body: object, { token }: Person = event.organizer) =>
  app.call('POST', `/payment/${id}/refund`, { token, body })

describe('refund', () => {
  test('the whole booking: REFUNDED, seats on sale again, tickets ended', async () => {
    const { id, seatIds } = await held(2)
    await confirm(id, 'sandbox_ok')
    const answer = await refund(id, { reason: 'The singer is ill' })
    expect([answer.status, answer.body.data.status]).toEqual([200, 'REFUNDED'])
    expect((await app.hold(other, seatIds)).status).toBe(201)
    const mine = await app.call('GET', '/ticket/mine?limit=200', { token: buyer.token })
    const ended = mine.body.data.items.filter((ticket: { bookingId: string }) => ticket.bookingId === id)
    expect(ended.map(({ status }: { status: string }) => status)).toEqual(['REFUNDED', 'REFUNDED'])
    expect((await refund(id, { reason: 'Again' })).body.code).toBe('booking_not_pending')
  })

  test('some seats: the rest stays CONFIRMED', async () => {
    const { id, seatIds } = await held(3)
    await confirm(id, 'sandbox_ok')
    const answer = await refund(id, { seatIds: [seatIds[0]], reason: 'One is ill' })
    expect(answer.status).toBe(200)
    expect(answer.body.data.status).toBe('CONFIRMED')
    expect(answer.body.data.seats.map((seat: { id: string }) => seat.id)).toEqual(seatIds.slice(1))
    expect((await refund(id, { seatIds: [seatIds[0]], reason: 'Again' })).status).toBe(400)
  })

  test('only by the organiser of the event; a buyer may not, a stranger finds nothing', async () => {
    const { id } = await held()
    await confirm(id, 'sandbox_ok')
    const stranger = await app.person('ORGANIZER')
    expect((await refund(id, { reason: 'Mine' }, stranger)).status).toBe(404)
    expect((await refund(id, { reason: 'Mine' }, buyer)).body.code).toBe('permission_denied')
    expect((await refund(id, {})).body.code).toBe('request_invalid')
    expect((await refund(id, { seatIds: [`${Bun.randomUUIDv7()}:1`], reason: 'x' })).status).toBe(404)
  })

  test('an unpaid booking is booking_not_pending', async () => {
    const { id } = await held()
    expect((await refund(id, { reason: 'Why not' })).body.code).toBe('booking_not_pending')
  })
})

const nowSeconds = () => Math.floor(Date.now() / 1_000)
/** A charge of which the buyer's request never heard the outcome. */
async function openCharge(outcome: 'captured' | 'declined' | null) {
  const { id } = await held()
  const gate = gateOf(app.context)
  const started = await startPayment(gate, {
    bookingId: id,
    accountId: buyer.accountId,
    method: 'sandbox_ok',
  })
  if (!started.ok || !started.payment) throw new Error('no charge was opened')
  const { eventId, id: paymentId, providerRef: ref, amount } = started.payment
  const method = outcome === 'declined' ? 'sandbox_declined' : 'sandbox_ok'
  if (outcome) await chargeSandbox(gate.db, { ref, amount, method })
  return { bookingId: id, metadata: { eventId, paymentId } }
}

/** As the sandbox sends it, unless wished otherwise. */
async function tell(
  metadata: object,
  {
    id = 'msg_1',
    timestamp = nowSeconds(),
    signedBody = JSON.stringify({ type: 'charge.captured', data: { ref: 'r', metadata } }),
    body = signedBody,
    secret,
    provider = 'sandbox',
  }: {
    id?: string
    timestamp?: number
    signedBody?: string
    body?: string
    secret?: Uint8Array
    provider?: string
  } = {},
) {
  const key = secret ?? (await readSandboxSecret(app.context.ledger.db))
  return app.call('POST', `/payment/webhook/${provider}`, {
    raw: body,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': `v1,AAAA ${signWebhook(key, { id, timestamp, body: signedBody })}`,
    },
  })
}
describe('the provider’s word', () => {
  test('confirms once, however often and at once it is told', async () => {
    const { bookingId, metadata } = await openCharge('captured')
    const answers = await Promise.all(Array.from({ length: 10 }, () => tell(metadata)))
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
    const { status, timeline } = await read(bookingId)
    expect(status).toBe('CONFIRMED')
    expect(timeline.filter(({ what }: { what: string }) => what === 'payment_captured')).toHaveLength(1)
    expect((await tell(metadata)).status).toBe(200)
  })

  test('is no more than a hint: the provider decides, in whatever order words come', async () => {
    const early = await openCharge(null)
    expect((await tell(early.metadata)).status).toBe(200)
    expect((await read(early.bookingId)).status).toBe('PENDING')
    const declined = await openCharge('declined')
    await tell(declined.metadata)
    const { status, timeline } = await read(declined.bookingId)
    expect([status, timeline.at(-1).what]).toEqual(['PENDING', 'payment_declined'])
    expect((await tell({ eventId: Bun.randomUUIDv7(), paymentId: Bun.randomUUIDv7() })).status).toBe(200)
  })

  test('a word while the buyer’s own confirm is under way changes nothing of its answer', async () => {
    const { id } = await held()
    const confirming = confirm(id, 'sandbox_ok')
    const { db } = app.context.ledger
    let open: Awaited<ReturnType<typeof listOpenPayments>> = []
    for (let i = 0; i < 50 && open.length === 0; i++) {
      const all = await listOpenPayments(db, { limit: 50, olderThanMs: 0 })
      open = all.filter(({ bookingId }) => bookingId === id)
    }
    for (const { eventId, id: paymentId } of open) await tell({ eventId, paymentId })
    expect((await confirming).body.data.status).toBe('CONFIRMED')
  })

  test('what is not signed, changed, of another secret or old is refused, and does nothing', async () => {
    const { bookingId, metadata } = await openCharge('captured')
    const good = JSON.stringify({ type: 'charge.captured', data: { ref: 'r', metadata } })
    const wrong = [
      tell(metadata, { secret: new Uint8Array(32) }),
      tell(metadata, { body: `${good} ` }),
      tell(metadata, { timestamp: nowSeconds() - 301 }),
      tell(metadata, { timestamp: nowSeconds() + 301 }),
    ]
    for (const { status, body } of await Promise.all(wrong))
      expect([status, body.code]).toEqual([401, 'unauthenticated'])
    const unsigned = await app.call('POST', '/payment/webhook/sandbox', { body: { type: 'x' } })
    expect([unsigned.status, unsigned.body.code]).toEqual([400, 'request_invalid'])
    for (const signedBody of ['', '{', '[]', '{"type":"charge.captured"}', '"x"'])
      expect((await tell({}, { signedBody })).body.code).toBe('request_invalid')
    expect((await read(bookingId)).status).toBe('PENDING')
  })

  test('another provider does not exist', async () => {
    for (const provider of ['stripe', 'x']) expect((await tell({}, { provider })).body.code).toBe('not_found')
  })
})

test('after all of it the books agree', async () => {
  const { ledger, redis } = app.context
  // No worker lives here.
  await expireDueBookings(gateOf(app.context))
  const broken = (await runAudit({ db: ledger.db, redis })).filter(({ ok }) => !ok)
  expect(broken).toEqual([])
})
