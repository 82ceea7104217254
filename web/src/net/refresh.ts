// Owns the renewal of the session: once at a time, over all tabs, because a renewal token works a single time.
import { keepRefreshedAt, keepSignedIn, refreshedAt } from './keep.ts'

const LOCK = 'onsale:refresh'
const TIMEOUT_MS = 10_000

let running: Promise<boolean> | null = null

/** Renews the session's cookies. False when there is none to renew, or no answer came. */
export function refreshSession(): Promise<boolean> {
  running ??= renewAlone().finally(() => {
    running = null
  })
  return running
}

/** Two tabs showing the same old token would look like a theft and end the session: the second one waits. */
async function renewAlone(): Promise<boolean> {
  const askedAt = Date.now()
  // Web Locks exist only behind https and on localhost; elsewhere tabs take their chance.
  if (!('locks' in navigator)) return renew()
  return navigator.locks.request(LOCK, async () => (refreshedAt() > askedAt ? true : renew()))
}

async function renew(): Promise<boolean> {
  try {
    const response = await fetch('/api/v1/auth/refresh', {
      method: 'POST',
      credentials: 'same-origin',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (response.ok) keepRefreshedAt(Date.now())
    else if (response.status === 401) keepSignedIn(false)
    return response.ok
  } catch {
    return false
  }
}
