// Decides which request bodies are taken in at all: JSON, and no more of it than the limit.
import { Refusal } from './errors.ts'
import { LIMITS } from './protocol/codes.ts'

/**
 * The request to go on with, or why its body is not taken. A body that says its length is judged by that, unread; one
 * that does not is read here, up to the limit. A form is refused: another site's page could send it.
 */
export async function takeBody(request: Request): Promise<Request | Refusal> {
  const said = request.headers.get('content-length')
  if (request.body === null || said === '0') return request
  if (Number(said ?? 0) > LIMITS.bodyBytes) return new Refusal('body_too_large')
  const kind = request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (kind !== 'application/json')
    return new Refusal('request_invalid', { message: 'Send the body as application/json.' })
  if (said !== null) return request
  const body = await readAtMost(request.body, LIMITS.bodyBytes)
  return body
    ? new Request(request.url, { method: request.method, headers: request.headers, body })
    : new Refusal('body_too_large')
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
