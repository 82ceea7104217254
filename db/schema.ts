// Owns the tables: what the ledger guarantees by constraint, whatever code may do above it.
//
// Rows that belong to an event are keyed by event_id first, so that the tables can be distributed by it.
// No function newer than PostgreSQL 14 is used; ids are made by the application.
export * from './schema/people.ts'
export * from './schema/events.ts'
export * from './schema/rooms.ts'
export * from './schema/bookings.ts'
export * from './schema/payments.ts'
export * from './schema/records.ts'
