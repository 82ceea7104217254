// Owns the language in which a sale is watched: attempts and refusals, and the curve of its minutes.
import { Type, type Static } from '@sinclair/typebox'
import { Instant } from './fields.ts'

export const SaleAttempts = Type.Object({
  total: Type.Integer({ description: 'Attempts to reserve seats by people who were let in' }),
  conflicts: Type.Integer({ description: 'Of them, those refused because somebody else has a seat' }),
  errors: Type.Integer({ description: 'Of them, those that failed on our side' }),
})
export type SaleAttempts = Static<typeof SaleAttempts>

/** One moment of a sale; `admitted`, `attempts`, `conflicts` and `revenue` count from its beginning. */
export const SaleSample = Type.Object({
  at: Instant,
  waiting: Type.Integer(),
  active: Type.Integer({ description: 'At the seats' }),
  admitted: Type.Integer(),
  reserved: Type.Integer({ description: 'Seats held, not paid yet' }),
  sold: Type.Integer(),
  attempts: Type.Integer(),
  conflicts: Type.Integer(),
  revenue: Type.Integer({ description: 'In minor units of the event’s currency' }),
})
export type SaleSample = Static<typeof SaleSample>

export const SaleHistoryView = Type.Object({
  everySeconds: Type.Integer(),
  items: Type.Array(SaleSample, { description: 'The oldest first, of the last hour' }),
})
export type SaleHistoryView = Static<typeof SaleHistoryView>
