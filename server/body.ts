// Decides which request bodies are taken in at all: JSON, and no more of it than the limit.
import { passOn } from './call.ts'
import { Refusal } from './errors.ts'
import { LIMITS } from './protocol/codes.ts'

const BODILESS = new Set(['GET', 'HEAD'])

/**
 * The request to go on with, or why its body is not taken. A body that says its length is judged by that, unread; one
 * that does not is read here, up to the limit. A form is refused: another site's page could send it.
 */
export function takeBody(request: Request): Request | Refusal | Promise<Request | Refusal> {
  if (BODILESS.has(request.method)) return request
  const { headers } = request
  const said = headers.get('content-length')
  // `request.body` would make a stream of it, which costs more than reading it.
  if (said === '0' || (said === null && !headers.has('transfer-encoding'))) return request
  if (Number(said ?? 0) > LIMITS.bodyBytes) return new Refusal('body_too_large')
  if (!isJson(headers.get('content-type')))
    return new Refusal('request_invalid', { message: 'Send the body as application/json.' })
  return said === null ? takeUnsaid(request) : request
}

function isJson(type: string | null): boolean {
  if (type === 'application/json') return true
  return type?.split(';', 1)[0]?.trim().toLowerCase() === 'application/json'
}

async function takeUnsaid(request: Request): Promise<Request | Refusal> {
  if (request.body === null) return request
  const body = await readAtMost(request.body, LIMITS.bodyBytes)
  if (!body) return new Refusal('body_too_large')
  const taken = new Request(request.url, { method: request.method, headers: request.headers, body })
  passOn(request, taken)
  return taken
}

/** Null when there is more. */
async function readAtMost(
  stream: ReadableStream<Uint8Array>,
  max: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stream) {
    length += chunk.length
    if (length > max) return null
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}
