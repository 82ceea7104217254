// Owns statements of constant text: Drizzle builds them once, and each use only fills in the values.
//
// Building a query costs more than everything else a transaction does in this process, and a text that never changes is
// one that each connection has prepared.
import { fillPlaceholders, sql, type Placeholder, type SQL } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import type { Sql } from 'postgres'
import type { Reader } from './client.ts'

const dialect = new PgDialect()
const PREPARED = { prepare: true }

/** As postgres.js takes them: a list is given as the text of an array. */
export type Values<Names extends string> = Record<Names, string | number | boolean | Date | Uint8Array | null>

/**
 * `build` gets a function that says where a value goes. What it answers runs in or out of a transaction, and gives the
 * rows as Postgres names their columns: a timestamp is a text, and so is a bigint that is not cast to float8.
 */
export function statement<Names extends string, Row extends object>(
  build: (value: (name: Names) => Placeholder<Names>) => SQL,
): (reader: Reader, values: Values<Names>) => Promise<Row[]> {
  const query = dialect.sqlToQuery(build((name) => sql.placeholder(name)))
  return async (reader, values) => {
    const parameters = fillPlaceholders(query.params, values)
    return (await clientOf(reader).unsafe(query.sql, parameters as never[], PREPARED)) as unknown as Row[]
  }
}

/** The driver under Drizzle: within a transaction the guarded client of that transaction. */
const clientOf = (reader: Reader) => (reader._.session as unknown as { client: Pick<Sql, 'unsafe'> }).client

/** The text of an array literal of numbers or ids; no element may hold a comma, a quote or a brace. */
export const listOf = (list: readonly (number | string)[]): string => `{${list.join(',')}}`
