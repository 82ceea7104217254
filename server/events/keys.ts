// Owns the Redis keys of what an organiser watches of a sale.

/** Nobody looks back at a sale's minutes for longer; the lifetime of every key below, renewed by each write. */
export const SALE_KEY_SECONDS = 30 * 24 * 3_600

/** hash: total, conflicts, errors → attempts to reserve seats since the sale began, of all servers. */
export const saleAttemptsKey = (eventId: string) => `room:{${eventId}}:attempts`
/** list: samples of the sale as JSON, the latest last. */
export const saleSamplesKey = (eventId: string) => `room:{${eventId}}:samples`
/** string: somebody has taken the sample of this moment; lives a little less than from one sample to the next. */
export const saleSampledKey = (eventId: string) => `room:{${eventId}}:sampled`
