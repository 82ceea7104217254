// Decides which writes are answered before the API's pipeline: holds and payments, which come by the thousand in a minute.
//
// Their routes stand where they are documented, and take whatever is not plain here: a body that is not valid, or that
// does not say its length. Both ways lead through the same access, rates, idempotency and work (ADR 20).
import { JSON_TYPE, writeHeaders } from './answer-headers.ts'
import { requireIdentity, type Identity } from './auth/access.ts'
import { hold } from './bookings/hold.ts'
import { isSeatId } from './bookings/seat-ids.ts'
import { callOf, passOn } from './call.ts'
import type { Context } from './context.ts'
import { Refusal } from './errors.ts'
import { answerOnce, type Answer, type Exchange } from './idempotency.ts'
import { confirm } from './payments/confirm.ts'
import { LIMITS, SANDBOX_METHODS, type Permission, type SandboxMethod } from './protocol/codes.ts'
import type { CreateBookingBody } from './protocol/http.ts'
import { requireCallersRate } from './rate-limit.ts'

interface Asked extends Exchange {
  identity: Identity
  requestId: string
}

/** One request, as far as its path tells. */
export interface DirectWrite {
  /** As Elysia names it, so that each has one series of metrics whoever answered. */
  route: string
  access: Permission
  /** The work to be done for this body; null when it is not plain. */
  plan(body: object): ((asked: Asked) => Promise<Answer>) | null
}

const HOLD = '/api/v1/booking'
const CONFIRM = /^\/api\/v1\/payment\/([0-9a-f-]{36})\/confirm$/
const PLAIN_TYPE = 'application/json'

export function createDirectWrites(context: Context) {
  const holds: DirectWrite = {
    route: '/api/v1/booking/',
    access: 'booking:create:own',
    plan: (body) => (isPlainHold(body) ? (asked) => answerHold(context, body, asked) : null),
  }
  const confirmation = (bookingId: string): DirectWrite => ({
    route: '/api/v1/payment/:bookingId/confirm',
    access: 'payment:confirm:own',
    plan: (body) =>
      isPlainPayment(body) ? (asked) => answerPayment(context, bookingId, body.method, asked) : null,
  })

  return {
    /** Null when the routes are to be asked. */
    find(request: Request, path: string): DirectWrite | null {
      if (request.method !== 'POST' || !request.url.endsWith(path)) return null
      const bookingId = path === HOLD ? null : CONFIRM.exec(path)?.[1]
      if (bookingId === undefined) return null
      const { headers } = request
      if (headers.get('content-type') !== PLAIN_TYPE || !headers.has('content-length')) return null
      return bookingId === null ? holds : confirmation(bookingId)
    },

    /** The answer, or the request for the routes when it turns out not to be plain. Throws what they would. */
    async answer(request: Request, write: DirectWrite): Promise<Response | Request> {
      const text = await request.text()
      const body = parse(text)
      const work = body && write.plan(body)
      if (!work) return again(request, text)
      const call = callOf(request)
      call.route = write.route
      if (context.config.rateLimit) await requireCallersRate(context, request)
      const identity = await requireIdentity(context, request)
      if (!identity.permissions.has(write.access)) throw new Refusal('permission_denied')
      const headers: Record<string, string> = {}
      writeHeaders(headers, call)
      headers['content-type'] = JSON_TYPE
      const answer = await work({ request, body, identity, set: { headers }, requestId: call.requestId })
      return new Response(JSON.stringify(answer), { status: answer.statusCode, headers })
    },
  }
}

const answerHold = (context: Context, body: CreateBookingBody, asked: Asked): Promise<Answer> =>
  answerOnce(context, asked, (once) => {
    const pass = asked.request.headers.get('x-admission-pass') ?? undefined
    return hold(context, { body, identity: asked.identity, requestId: asked.requestId, pass }, once)
  })

const answerPayment = (context: Context, bookingId: string, method: SandboxMethod, asked: Asked) =>
  answerOnce(context, asked, () =>
    confirm(context, { bookingId, identity: asked.identity, method, requestId: asked.requestId }),
  )

/** Exactly one of `seatId` and `seatIds`, and each a seat that could be. */
function isPlainHold(body: object): body is CreateBookingBody {
  const names = Object.keys(body)
  if (names.length !== 1) return false
  if ('seatId' in body) return isSeatId(body.seatId)
  if (!('seatIds' in body) || !Array.isArray(body.seatIds)) return false
  const ids: unknown[] = body.seatIds
  return ids.length > 0 && ids.length <= LIMITS.seatIdsPerRequest && ids.every(isSeatId)
}

const METHODS: readonly unknown[] = SANDBOX_METHODS
const isPlainPayment = (body: object): body is { method: SandboxMethod } =>
  Object.keys(body).length === 1 && 'method' in body && METHODS.includes(body.method)

function parse(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}

function again(request: Request, body: string): Request {
  const { url, method, headers } = request
  const same = new Request(url, { method, headers, body })
  passOn(request, same)
  return same
}
