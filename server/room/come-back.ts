// Decides within which time the sockets of a lost server come back, so that no server meets them all at once.

/** Spread over this long a socket that must come back. */
const MS_PER_SOCKET = 1
const MS_MIN = 500
const MS_MAX = 32_000

/** Milliseconds for so many sockets: doubling steps, so that everybody need not be told of every newcomer. */
export function comeBackMs(sockets: number): number {
  let ms = MS_MIN
  while (ms < sockets * MS_PER_SOCKET && ms < MS_MAX) ms *= 2
  return Math.min(ms, MS_MAX)
}
