// Owns the Redis keys of the HTTP edge.

/** Text `<request hash> <owner token>`, set while a request with this Idempotency-Key is worked on; lives seconds. */
export const idempotencyMarkKey = (accountId: string, key: string) => `idem:${accountId}:${key}`
