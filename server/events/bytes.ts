// Decides how an answer that many ask for is sent: its bytes made once, compressed when accepted, 304 when known.
import { gzipSync } from 'node:zlib'
import { JSON_TYPE } from '../answer-headers.ts'
import { accepts, hasOneOf } from '../negotiation.ts'

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
/** May be kept by anybody, and is asked about each time. */
export const REVALIDATE = 'public, no-cache'

/** JSON as it goes over the wire, with a strong tag of its content. */
export class Encoded {
  readonly plain: Uint8Array<ArrayBuffer>
  readonly etag: string
  #gzip: Uint8Array<ArrayBuffer> | null | undefined

  constructor(
    json: string,
    private readonly level: number,
  ) {
    this.plain = Buffer.from(json)
    this.etag = Bun.hash(this.plain).toString(36)
  }

  /** Made when the first one accepts it; null when it is not worth it. */
  get gzip(): Uint8Array<ArrayBuffer> | null {
    const { plain, level } = this
    return (this.#gzip ??= plain.length < GZIP_FROM_BYTES ? null : new Uint8Array(gzipSync(plain, { level })))
  }
}

export const encode = (value: unknown, level: number): Encoded => new Encoded(JSON.stringify(value), level)

/** Sets the headers and hands back what is to be sent. */
export function sendEncoded(
  { request, set }: Exchange,
  encoded: Encoded,
  cacheControl: string,
): Uint8Array<ArrayBuffer> | string {
  const gzip = accepts(request, 'gzip') ? encoded.gzip : null
  set.headers['cache-control'] = cacheControl
  set.headers['etag'] = `"${encoded.etag}${gzip ? GZIP_SUFFIX : ''}"`
  set.headers['vary'] = 'Accept-Encoding'
  // Either form of the same content will do.
  if (hasOneOf(request, [`"${encoded.etag}"`, `"${encoded.etag}${GZIP_SUFFIX}"`])) {
    set.status = 304
    return ''
  }
  set.headers['content-type'] = JSON_TYPE
  if (gzip) set.headers['content-encoding'] = 'gzip'
  return gzip ?? encoded.plain
}
