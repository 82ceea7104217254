// Owns the names of every Redis key in front of the seats. All keys of one event share its hash tag.

const tag = (eventId: string) => `{${eventId}}`

/**
 * String `<STATUS>:<seat version>`, set after each commit. RESERVED lives as long as the hold, all else CACHE_MS.
 * An absent key means "ask Postgres".
 */
export const seatStatusKey = (eventId: string, n: number) => `status:seat:${tag(eventId)}:${n}`

/** String: the token of the reservation that is under way. Lives SEAT_LOCK_MS at the most. */
export const seatLockKey = (eventId: string, n: number) => `lock:seat:${tag(eventId)}:${n}`

/** String: the version of the last announced change of the event, in milliseconds since 1970 or one more. Lives CACHE_MS. */
export const feedVersionKey = (eventId: string) => `status:seat:${tag(eventId)}:version`

/** Pub/sub channel of the event's seat changes. */
export const seatFeedChannel = (eventId: string) => `seat-feed:${tag(eventId)}`
