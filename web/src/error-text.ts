// Owns what a person reads when something is refused: one sentence a code, each saying what to do next.
import { ERROR_CODES, type ErrorCode } from '../../server/protocol/codes.ts'

/** What the window itself can meet beside the server's codes: no answer at all. */
export type ProblemCode = ErrorCode | 'unreachable'

export const ERROR_TEXT = {
  request_invalid: 'Something in this form is not right. Check the marked fields and send it again.',
  unauthenticated: 'You are not signed in. Sign in and you will come back to this page.',
  token_expired: 'Your session ran out. Sign in again and you will come back to this page.',
  payment_declined:
    'The payment was declined and nothing was charged. Your seats are still held: try another card.',
  permission_denied: 'Your account may not do this. Ask an administrator, or sign in with another account.',
  email_not_verified:
    'Your address is not confirmed yet. Open the link in our mail, or ask for a new one below.',
  pass_required: 'This event lets buyers in by turn. Join the line first; it takes one click.',
  pass_invalid: 'This admission does not belong to you or to this event. Join the line to get your own.',
  pass_expired: 'Your time to choose has run out. Join the line again to get another turn.',
  challenge_required:
    'Your device still has a short check to finish. Leave this page open: it goes on by itself, and your turn is kept.',
  origin_refused: 'This request came from another site and was stopped. Open Onsale directly and try again.',
  not_found: 'There is nothing here, or it is not yours to see. Check the address, or go back to the events.',
  seat_taken: 'Someone was faster and the marked seats are gone. Choose others; nothing was charged.',
  seat_locked:
    'Somebody is taking one of these seats right now. Wait a moment and try again, or choose another.',
  booking_not_pending: 'This booking is already settled. Look at it under My bookings.',
  event_not_on_sale: 'Tickets for this event are not on sale now. The event page shows when they will be.',
  idempotency_in_progress:
    'Your first request is still being worked on. Wait a few seconds; do not send it again.',
  sold_out: 'Every seat is gone for now. Stay in the line: seats come back when somebody does not pay.',
  booking_expired:
    'The hold ran out before it was paid and the seats are free again. Choose seats once more.',
  body_too_large: 'That was too much in one go. Send less at once.',
  seats_too_many: 'That is more seats than one booking may have. Take some out and try again.',
  buyer_limit_reached:
    'You have reached the number of seats one person may buy for this event. Take fewer seats.',
  seats_not_together:
    'There are not that many seats side by side any more. Choose fewer, or allow them apart.',
  idempotency_key_reused: 'This request was already sent with other details. Load the page again and retry.',
  rate_limited: 'That was too many tries in a short time. Wait a moment and try again; your place is safe.',
  internal: 'Something broke on our side. Try again in a moment; nothing of yours is lost.',
  overloaded: 'Very many people are here right now. Wait a few seconds and try again; your place is kept.',
  store_unavailable:
    'Part of our system is restarting. Wait a few seconds and try again; what you hold is safe.',
} as const satisfies Record<ErrorCode, string>

export const UNREACHABLE_TEXT =
  'We could not reach Onsale. Check your connection; we keep trying and lose nothing.'

export const textFor = (code: ProblemCode): string =>
  code === 'unreachable' ? UNREACHABLE_TEXT : ERROR_TEXT[code]

const known: ReadonlySet<string> = new Set(ERROR_CODES)
export const isErrorCode = (word: unknown): word is ErrorCode => typeof word === 'string' && known.has(word)
