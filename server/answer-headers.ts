// Owns the headers that every answer of the API carries.
import type { Call } from './call.ts'

export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
}
/** Data is shown by nobody's page: should a browser ever take an answer for one, it runs and loads nothing. */
export const DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
/** For two years, and never again in clear (sent where the public address is https alone). */
export const TRANSPORT_SECURITY = 'max-age=63072000; includeSubDomains'
export const JSON_TYPE = 'application/json; charset=utf-8'

/** Written into Elysia's headers, or into those of an answer made without it. */
export function writeHeaders(headers: Record<string, string | number>, { requestId }: Call): void {
  headers['x-request-id'] = requestId
  // To the millisecond, for countdowns; a Date header is cut to seconds and may be older still.
  headers['x-server-time'] = String(Date.now())
  headers['cache-control'] = 'no-store'
  headers['x-content-type-options'] = SECURITY_HEADERS['x-content-type-options']
  headers['referrer-policy'] = SECURITY_HEADERS['referrer-policy']
  headers['x-frame-options'] = SECURITY_HEADERS['x-frame-options']
  headers['content-security-policy'] = DATA_POLICY
  headers['cross-origin-opener-policy'] = SECURITY_HEADERS['cross-origin-opener-policy']
}
