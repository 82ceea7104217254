// Owns the parts that bodies and views of every subject share: ids, instants, names, money, pages.
import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { LIMITS } from '../codes.ts'

export const body = <T extends Record<string, TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false })
export const words = <T extends readonly string[]>(list: T) =>
  Type.Union(list.map((word) => Type.Literal(word as T[number])))
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
/** ISO 8601 with a zone, always answered in UTC. */
export const Instant = Type.String({ format: 'date-time', examples: ['2027-04-15T12:00:00.000Z'] })
export const Id = Type.String({ examples: ['0199d0c0-0000-7000-8000-000000000000'] })
export const SeatId = Type.String({ maxLength: 64, examples: ['0199d0c0-0000-7000-8000-000000000000:42'] })
export const Email = Type.String({ format: 'email', maxLength: 254 })
export const Name = Type.String({ minLength: 1, maxLength: LIMITS.nameMax, pattern: '\\S' })

export const Money = Type.Object(
  { amount: Type.Integer(), currency: Type.String() },
  { description: 'amount in minor units' },
)
export type Money = Static<typeof Money>

export const Page = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), nextCursor: nullable(Type.String()) })
export interface Page<T> {
  items: T[]
  nextCursor: string | null
}

export const PageQuery = {
  // Elysia turns a query's text into a number for Number, but not for Integer.
  limit: Type.Optional(Type.Number({ minimum: 1, maximum: LIMITS.pageMax, multipleOf: 1 })),
  cursor: Type.Optional(Type.String({ maxLength: 200 })),
}
