// Shows that the sandbox tells its word by itself: signed, again while nobody takes it, and not at all when it is lost.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { isNotNull, sql } from 'drizzle-orm'
import type { Gate } from '../../db/bookings/gate.ts'
import { holdSeats } from '../../db/bookings/hold-seats.ts'
import { payBooking } from '../../db/payments.ts'
import { claimSandboxWebhooks, readSandboxSecret, WEBHOOK_ATTEMPTS_MAX } from '../../db/sandbox-webhooks.ts'
import { sandboxCharges } from '../../db/schema.ts'
import { faultOfWebhook } from '../../db/webhook-signature.ts'
import { eventually } from './eventually.ts'
import { createBuyer, createSale, openStage, type Stage } from './stage.ts'

interface Heard {
  id: string | null
  fault: string | null
  said: { type: string; data: { ref: string; metadata: Record<string, string> } }
}

let stage: Stage
let gate: Gate
let eventId: string
let receiver: { url: URL; stop(): Promise<void> }
let seat = 0
/** Answers to the next deliveries; 200 once they are used up. */
const answers: number[] = []
const heard: Heard[] = []

beforeAll(async () => {
  stage = await openStage()
  gate = { db: stage.ledger.db, redis: stage.redis }
  eventId = await createSale(stage.ledger)
  const secret = await readSandboxSecret(gate.db)
  receiver = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const [body, { headers }] = [await request.text(), request]
      const fault = faultOfWebhook(secret, { headers, body, nowMs: Date.now() })
      heard.push({ id: headers.get('webhook-id'), fault, said: JSON.parse(body) as Heard['said'] })
      return new Response(null, { status: answers.shift() ?? 200 })
    },
  })
})
afterAll(async () => {
  await receiver.stop()
  await stage.close()
})

async function pay(method: string): Promise<void> {
  const { accountId } = await createBuyer(stage.ledger)
  const held = await holdSeats(gate, { accountId, eventId, seats: [seat++] })
  if (!held.ok) throw new Error(held.refusal)
  await payBooking(gate, { bookingId: held.booking.id, accountId, method })
}
const due = () => gate.db.$count(sandboxCharges, isNotNull(sandboxCharges.webhookDueAt))

test('what nobody takes is due again, later each time, and not for ever', async () => {
  await pay('sandbox_ok')
  const passed: number[] = []
  for (let i = 0; i < WEBHOOK_ATTEMPTS_MAX; i++) {
    await gate.db.update(sandboxCharges).set({ webhookDueAt: sql`now()` })
    const claimed = await Promise.all([1, 2, 3].map(() => claimSandboxWebhooks(gate.db, { limit: 10 })))
    expect(claimed.flat()).toHaveLength(1)
    const [row] = await gate.db.select({ at: sandboxCharges.webhookDueAt }).from(sandboxCharges)
    if (row!.at) passed.push(Math.round((row!.at.getTime() - Date.now()) / 1_000))
  }
  expect(passed).toEqual([1, 2, 4, 8, 16, 32])
  expect(await due()).toBe(0)
})

test('each word arrives signed, a refused one again under the same id; a lost one never', async () => {
  await stage.spawnWorker({ SANDBOX_WEBHOOK_URL: receiver.url.href })
  await pay('sandbox_lost_webhook')
  await pay('sandbox_declined')
  answers.push(503)
  await pay('sandbox_ok')
  await eventually(async () => (await due()) === 0)
  expect(heard.map(({ fault }) => fault)).toEqual([null, null, null])
  expect(heard.map(({ said }) => said.type).toSorted()).toEqual([
    'charge.captured',
    expect.stringMatching(/captured|declined/),
    'charge.declined',
  ])
  expect(new Set(heard.map(({ id }) => id)).size).toBe(2)
  expect(heard[0]!.said.data.metadata).toEqual({ eventId, paymentId: expect.any(String) })
})
