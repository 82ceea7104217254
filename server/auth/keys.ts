// Owns the names of the keys that sign-ins use in Redis. They share a hash tag, so that one command may read many.

/** String, `open` for 30 s or `ended` for longer than an access token lives: what Postgres said of a session. */
export const sessionKey = (sessionId: string) => `session:{auth}:${sessionId}`

/** String, random, no expiry: replaced whenever a role changes, so that every process forgets what it knew. */
export const PERMISSIONS_VERSION_KEY = 'session:{auth}:permissions-version'
