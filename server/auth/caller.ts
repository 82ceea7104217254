// Owns how a caller without an account is told from another, for rates: by address, by mailbox.
import { normalEmail } from '../../db/accounts.ts'
import type { Context } from '../context.ts'
import { addressKey, requireRate, type RateName } from '../rate-limit.ts'

/** Addresses never stand in Redis in clear. */
export const emailKey = (email: string) =>
  new Bun.CryptoHasher('sha256').update(normalEmail(email)).digest('base64url')

/** Counts a request against a rate of its network address; throws `rate_limited`. */
export const limitAddress = (context: Context, name: RateName, request: Request) =>
  requireRate(context, { name, key: addressKey(context.addressOf(request)) })
