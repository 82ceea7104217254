// Decides how a refusal or a fault looks from outside: one error shape for HTTP and sockets, and nothing of the inside.
import { isStoreUnable } from '../db/client.ts'
import { ERROR_STATUS, REASON, type ErrorCode } from './protocol/codes.ts'
import type { ErrorAnswer, ErrorDetail, Success } from './protocol/http.ts'

/** What a person reads when nothing more exact is known. */
const MESSAGES: Record<ErrorCode, string> = {
  request_invalid: 'The request is not valid.',
  unauthenticated: 'Please sign in.',
  token_expired: 'Your sign-in has expired; refresh it.',
  payment_declined: 'The payment was declined. Your seats are still held.',
  permission_denied: 'You may not do this.',
  email_not_verified: 'Please confirm your email address first.',
  pass_required: 'This sale has a waiting room; join the line first.',
  pass_invalid: 'This admission pass is not valid here.',
  pass_expired: 'Your admission has ended; join the line again.',
  challenge_required: 'Solve the challenge first; your place and your turn are kept meanwhile.',
  origin_refused: 'This request came from another site.',
  not_found: 'There is nothing here.',
  seat_taken: 'At least one of these seats is taken.',
  seat_locked: 'Somebody is booking one of these seats at this moment.',
  booking_not_pending: 'This booking is not waiting for payment.',
  event_not_on_sale: 'This event is not on sale.',
  idempotency_in_progress: 'The same request is still being worked on.',
  sold_out: 'This event is sold out.',
  booking_expired: 'The time to pay for this booking is over.',
  body_too_large: 'The request body is too large.',
  seats_too_many: 'These are more seats than one booking may have.',
  buyer_limit_reached: 'This is more than one buyer may have for this event.',
  seats_not_together: 'There are not that many seats together.',
  idempotency_key_reused: 'This Idempotency-Key was used for another request.',
  rate_limited: 'Too many requests; please wait.',
  internal: 'Something went wrong on our side.',
  overloaded: 'Too many people at this moment; please try again.',
  store_unavailable: 'A part of the service is away; please try again.',
}

const RETRY_AFTER_SECONDS: Partial<Record<ErrorCode, number>> = {
  rate_limited: 1,
  overloaded: 1,
  store_unavailable: 2,
  idempotency_in_progress: 1,
}

interface RefusalOptions {
  message?: string
  details?: ErrorDetail[] | { seatIds: string[] }
  retryAfterSeconds?: number
}

/** An expected "no", thrown by routes and turned into the error answer at the edge. */
export class Refusal extends Error {
  readonly details: ErrorDetail[] | { seatIds: string[] } | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(
    readonly code: ErrorCode,
    options: RefusalOptions = {},
  ) {
    const traced = Error.stackTraceLimit
    // Nobody reads where a "no" was said, and finding out costs more than saying it.
    Error.stackTraceLimit = 0
    super(options.message ?? MESSAGES[code])
    Error.stackTraceLimit = traced
    this.details = options.details
    this.retryAfterSeconds = options.retryAfterSeconds ?? RETRY_AFTER_SECONDS[code]
  }
}

/** A 400 that names the field at fault. */
export const invalid = (path: string, message: string) =>
  new Refusal('request_invalid', { message: `${path}: ${message}`, details: [{ path, message }] })

/** The sentence for a code, as sockets send it. */
export const messageOf = (code: ErrorCode): string => MESSAGES[code]

/** Anything thrown → a refusal. A store that is away or cannot work is 503; everything unknown is `internal` and says no more. */
export function toRefusal(fault: unknown): Refusal {
  if (fault instanceof Refusal) return fault
  if (isStoreUnable(fault)) return new Refusal('store_unavailable')
  return new Refusal('internal')
}

export function errorAnswer(refusal: Refusal, request: { path: string; requestId: string }): ErrorAnswer {
  const statusCode = ERROR_STATUS[refusal.code]
  return {
    statusCode,
    message: refusal.message,
    error: REASON[statusCode],
    code: refusal.code,
    timestamp: new Date().toISOString(),
    path: request.path,
    requestId: request.requestId,
    ...(refusal.details ? { details: refusal.details } : {}),
  }
}

/** The success envelope; the caller sets the HTTP status to the same number. */
export function reply<T>(statusCode: number, message: string, data: T): Success<T> {
  return { statusCode, message, data }
}
