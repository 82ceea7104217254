// Decides whether a webhook is what its provider signed, by the scheme of Standard Webhooks (standardwebhooks.com):
// HMAC-SHA256 over `<id>.<timestamp>.<body>`, and a timestamp near our clock, so that an old one cannot be sent again.
import { createHmac, timingSafeEqual } from 'node:crypto'

export const WEBHOOK_HEADERS = {
  id: 'webhook-id',
  timestamp: 'webhook-timestamp',
  signature: 'webhook-signature',
} as const
/** Either way: clocks differ, and a delivery may have waited in a queue. */
const WEBHOOK_TOLERANCE_SECONDS = 300
/** While a secret is changed a message carries a signature by each. */
const SIGNATURES_MAX = 5
const VERSION = 'v1'
const TIMESTAMP = /^\d{1,12}$/
const ID_LENGTH_MAX = 128

interface Message {
  id: string
  /** Seconds since 1970. */
  timestamp: number
  /** As it is sent, to the byte. */
  body: string
}

export const signWebhook = (secret: Uint8Array, message: Message): string =>
  `${VERSION},${macOf(secret, message).toString('base64')}`

const macOf = (secret: Uint8Array, { id, timestamp, body }: Message): Buffer =>
  createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest()

/** Null when it is signed by `secret` and of this hour; else what is wrong with it. */
export function faultOfWebhook(
  secret: Uint8Array,
  { headers, body, nowMs }: { headers: Pick<Headers, 'get'>; body: string; nowMs: number },
): 'malformed' | 'too_old' | 'not_signed' | null {
  const id = headers.get(WEBHOOK_HEADERS.id) ?? ''
  const at = headers.get(WEBHOOK_HEADERS.timestamp) ?? ''
  const signatures = (headers.get(WEBHOOK_HEADERS.signature) ?? '').split(' ')
  if (id === '' || id.length > ID_LENGTH_MAX || !TIMESTAMP.test(at)) return 'malformed'
  const timestamp = Number(at)
  if (Math.abs(nowMs / 1_000 - timestamp) > WEBHOOK_TOLERANCE_SECONDS) return 'too_old'
  const expected = macOf(secret, { id, timestamp, body })
  const good = signatures.slice(0, SIGNATURES_MAX).some((signature) => {
    const [version, text = ''] = signature.split(',', 2)
    const given = Buffer.from(text, 'base64')
    return version === VERSION && given.length === expected.length && timingSafeEqual(given, expected)
  })
  return good ? null : 'not_signed'
}
