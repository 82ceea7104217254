// Decides what a provider's word does: it is taken for a hint, and the provider itself is asked what is true.
//
// So it may come in any order and any number of times, and whoever had the secret could only have us look.
import { Value } from '@sinclair/typebox/value'
import { findBooking } from '../../db/bookings/read-bookings.ts'
import { findPayment, settlePayment } from '../../db/payments.ts'
import { readSandboxSecret } from '../../db/sandbox-webhooks.ts'
import { faultOfWebhook } from '../../db/webhook-signature.ts'
import { gateOf } from '../bookings/gate.ts'
import type { Context } from '../context.ts'
import { Refusal, reply } from '../errors.ts'
import { SandboxWebhookBody, type ReceivedView, type Success } from '../protocol/http.ts'

/** `sandbox` is the only provider there is. */
const SANDBOX = 'sandbox'

interface Delivery {
  provider: string
  headers: Headers
  /** As it came, to the byte. */
  body: unknown
  requestId: string
}

/** Answers POST /payment/webhook/:provider. */
export function createWebhookDesk(context: Context) {
  let secret: Uint8Array | null = null
  return async ({ provider, headers, body, requestId }: Delivery): Promise<Success<ReceivedView>> => {
    if (provider !== SANDBOX) throw new Refusal('not_found')
    if (typeof body !== 'string') throw new Refusal('request_invalid')
    secret ??= await readSandboxSecret(context.ledger.db)
    const fault = faultOfWebhook(secret, { headers, body, nowMs: Date.now() })
    if (fault === 'malformed')
      throw new Refusal('request_invalid', {
        message: 'webhook-id or webhook-timestamp is missing or wrong.',
      })
    if (fault !== null) {
      context.log.warn('webhook_refused', { provider, fault })
      throw new Refusal('unauthenticated', { message: 'This is not signed by the provider, or too old.' })
    }
    await settle(context, parse(body).data.metadata, requestId)
    return reply(200, 'Received', { received: true })
  }
}

async function settle(context: Context, key: { eventId: string; paymentId: string }, requestId: string) {
  const effect = await settlePayment(gateOf(context), key)
  if (effect !== 'confirmed' && effect !== 'declined') return
  const { db } = context.ledger
  const payment = await findPayment(db, key)
  const booking = payment && (await findBooking(db, payment.bookingId))
  if (!booking) return
  const fields = { requestId, eventId: key.eventId, bookingId: booking.id }
  if (effect === 'declined') context.telemetry.paymentDeclined(fields)
  else context.telemetry.bookingConfirmed({ ...fields, seats: booking.seats.length })
}

function parse(body: string): SandboxWebhookBody {
  try {
    const value: unknown = JSON.parse(body)
    if (Value.Check(SandboxWebhookBody, value)) return value
  } catch {
    // Told below.
  }
  throw new Refusal('request_invalid', { message: 'This is signed, and nothing we know.' })
}
