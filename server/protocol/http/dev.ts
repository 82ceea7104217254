// Owns the language of what only a demo or a load has: made-up buyers, and the mailbox.
import { Type, type Static } from '@sinclair/typebox'
import { LIMITS } from '../codes.ts'
import { Id, Instant, body } from './fields.ts'

export const DevBuyersBody = body({
  count: Type.Integer({ minimum: 1, maximum: LIMITS.devBuyersPerRequest }),
})
export const DevBuyerView = Type.Object({ id: Id, email: Type.String(), accessToken: Type.String() })
export type DevBuyerView = Static<typeof DevBuyerView>
/** A mail of the embedded mailbox. */
export const MailView = Type.Object({
  to: Type.String(),
  from: Type.String(),
  subject: Type.String(),
  text: Type.String(),
  html: Type.String(),
  links: Type.Array(Type.String()),
  at: Instant,
})
