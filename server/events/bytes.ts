// Decides how an answer that many ask for is sent: its bytes made once, compressed when accepted, 304 when known.
import { gzipSync } from 'node:zlib'

/** JSON as it goes over the wire, with a strong tag of its content. */
export interface Encoded {
  etag: string
  plain: Uint8Array
  gzip: Uint8Array | null
}

interface Exchange {
  request: Request
  set: { status?: number | string; headers: Record<string, string | number> }
}

/** Below this, compression saves no packet. */
const GZIP_FROM_BYTES = 1_400
/** What a hot answer may cost, and what one that is kept may. */
export const GZIP_FAST = 1
export const GZIP_SMALL = 9
const GZIP_SUFFIX = '-gz'

export function encode(value: unknown, level: number): Encoded {
  const plain = Buffer.from(JSON.stringify(value))
  const gzip = plain.length < GZIP_FROM_BYTES ? null : gzipSync(plain, { level })
  return { etag: Bun.hash(plain).toString(36), plain, gzip }
}

/** Sets the headers and hands back what Elysia is to send. */
export function sendEncoded(
  { request, set }: Exchange,
  encoded: Encoded,
  cacheControl: string,
): Uint8Array | string {
  const gzip = acceptsGzip(request) ? encoded.gzip : null
  set.headers['cache-control'] = cacheControl
  set.headers['etag'] = `"${encoded.etag}${gzip ? GZIP_SUFFIX : ''}"`
  set.headers['vary'] = 'Accept-Encoding'
  if (isKnown(request, encoded.etag)) {
    set.status = 304
    return ''
  }
  set.headers['content-type'] = 'application/json; charset=utf-8'
  if (gzip) set.headers['content-encoding'] = 'gzip'
  return gzip ?? encoded.plain
}

/** Either form of the same content will do, weakly compared, as RFC 9110 asks of If-None-Match. */
function isKnown(request: Request, etag: string): boolean {
  const known = request.headers.get('if-none-match')?.split(',') ?? []
  const forms = ['*', `"${etag}"`, `"${etag}${GZIP_SUFFIX}"`]
  return known.some((tag) => forms.includes(tag.trim().replace(/^W\//, '')))
}

function acceptsGzip(request: Request): boolean {
  const accepted = request.headers.get('accept-encoding')?.toLowerCase().split(',') ?? []
  return accepted.some((coding) => {
    const [name = '', ...parameters] = coding.split(';').map((part) => part.trim())
    return (name === 'gzip' || name === '*') && !parameters.some((part) => /^q=0(\.0*)?$/.test(part))
  })
}
