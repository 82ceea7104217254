// Decides whether a request a browser sent by itself, cookies attached, came from our own pages.
import type { Config } from '../config.ts'

const LOOPBACK_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * True when `Origin` is the public address, or, on this machine only, the very host the request was sent to. A missing
 * `Origin` is not ours.
 */
export function isOwnOrigin({ publicUrl }: Pick<Config, 'publicUrl'>, headers: Headers): boolean {
  const origin = headers.get('origin')
  if (origin === null) return false
  if (origin === new URL(publicUrl).origin) return true
  const host = headers.get('host')
  if (host === null || origin !== `http://${host}`) return false
  return URL.canParse(origin) && LOOPBACK_NAME.test(new URL(origin).hostname)
}
