// Owns what a person reads when something is refused: one sentence a code, each saying what to do next. Loaded when the
// first refusal comes.
import type { ErrorCode } from '../../server/protocol/codes.ts'
import { m } from '#messages'

export const ERROR_TEXT = {
  request_invalid: m.error_request_invalid,
  unauthenticated: m.error_unauthenticated,
  token_expired: m.error_token_expired,
  payment_declined: m.error_payment_declined,
  permission_denied: m.error_permission_denied,
  email_not_verified: m.error_email_not_verified,
  pass_required: m.error_pass_required,
  pass_invalid: m.error_pass_invalid,
  pass_expired: m.error_pass_expired,
  challenge_required: m.error_challenge_required,
  origin_refused: m.error_origin_refused,
  not_found: m.error_not_found,
  seat_taken: m.error_seat_taken,
  seat_locked: m.error_seat_locked,
  booking_not_pending: m.error_booking_not_pending,
  event_not_on_sale: m.error_event_not_on_sale,
  idempotency_in_progress: m.error_idempotency_in_progress,
  sold_out: m.error_sold_out,
  booking_expired: m.error_booking_expired,
  body_too_large: m.error_body_too_large,
  seats_too_many: m.error_seats_too_many,
  buyer_limit_reached: m.error_buyer_limit_reached,
  seats_not_together: m.error_seats_not_together,
  idempotency_key_reused: m.error_idempotency_key_reused,
  rate_limited: m.error_rate_limited,
  internal: m.error_internal,
  overloaded: m.error_overloaded,
  store_unavailable: m.error_store_unavailable,
} as const satisfies Record<ErrorCode, () => string>

export const isErrorCode = (word: unknown): word is ErrorCode =>
  typeof word === 'string' && Object.hasOwn(ERROR_TEXT, word)
