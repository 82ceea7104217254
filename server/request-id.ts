// Owns how a route learns the id of its request: the one the edge has already put on the answer.

/** `set` as Elysia hands it to a handler. */
export const requestIdOf = (set: { headers: Record<string, unknown> }): string =>
  String(set.headers['x-request-id'] ?? '')
