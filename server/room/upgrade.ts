// Decides who may open a socket on which event, and how a refused upgrade is answered.
import { identifySocket, type SocketIdentity } from '../auth/access.ts'
import { isOwnOrigin } from '../auth/origin.ts'
import { callOf } from '../call.ts'
import type { Context } from '../context.ts'
import { errorAnswer, Refusal, toRefusal } from '../errors.ts'
import { faultFields } from '../log.ts'

const PATH = /^\/ws\/event\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i

/** Who asks for which event. Throws a Refusal; says nothing of whether a refused event exists. */
export async function admitRequest(
  context: Context,
  request: Request,
  draining: boolean,
): Promise<{ eventId: string; identity: SocketIdentity | null }> {
  const { headers } = request
  const eventId = PATH.exec(new URL(request.url).pathname)?.[1]
  if (!eventId) throw new Refusal('not_found')
  if (!HOST.test(headers.get('host') ?? ''))
    throw new Refusal('request_invalid', { message: 'The Host header is not valid.' })
  if (draining) throw new Refusal('overloaded')
  // A page of another site may open sockets with our cookies attached; a client without pages sends no Origin.
  if (headers.get('origin') !== null && !isOwnOrigin(context.config, headers))
    throw new Refusal('origin_refused')
  const identity = await identifySocket(context, request)
  if (identity?.viaCookie && !isOwnOrigin(context.config, headers)) throw new Refusal('origin_refused')
  return { eventId, identity }
}

export function refuseUpgrade(context: Context, request: Request, fault: unknown): Response {
  const refusal = toRefusal(fault)
  if (refusal.code === 'internal') context.log.error('upgrade_failed', faultFields(fault))
  const { requestId } = callOf(request)
  const answer = errorAnswer(refusal, { path: new URL(request.url).pathname, requestId })
  return Response.json(answer, {
    status: answer.statusCode,
    headers: refusal.retryAfterSeconds ? { 'retry-after': String(refusal.retryAfterSeconds) } : {},
  })
}
