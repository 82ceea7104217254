// Owns the HTTP language (contract section 3), one file a subject; this is the door that names them all.
export * from './http/fields.ts'
export * from './http/answers.ts'
export * from './http/auth.ts'
export * from './http/events.ts'
export * from './http/sale.ts'
export * from './http/room.ts'
export * from './http/bookings.ts'
export * from './http/dev.ts'
