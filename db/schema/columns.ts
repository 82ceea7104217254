// Decides how bytes, moments and money are kept, in every table alike.
import { bigint, customType, timestamp } from 'drizzle-orm/pg-core'

export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' })
export const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date', precision: 3 })
export const createdAt = () => at('created_at').notNull().defaultNow()
/** Money in minor units of the event's currency. */
export const minor = (name: string) => bigint(name, { mode: 'number' })
