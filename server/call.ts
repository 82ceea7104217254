// Owns what one process keeps of a request while it answers it: when it came, from where, its id, and which route took it.
import type { Identity } from './auth/access.ts'
import type { AccessClaims, Verified } from './tokens.ts'

/** One that could break a log line, or fill it, is replaced by our own. */
const REQUEST_ID = /^[\w.:-]{1,100}$/

/** Where an address comes from: known already, or the listener's to tell when somebody asks. */
export type Origin = string | { requestIP(request: Request): { address: string } | null }

export class Call {
  /** Of `performance.now()`. */
  readonly at = performance.now()
  readonly requestId: string
  /** As the route is documented; all that no route takes shares one name, so that strangers make no metrics. */
  route = 'unmatched'
  /** Of the network, not yet looked at for proxies. */
  from: Origin = 'unknown'
  /** What the token says, once it was read. */
  claims: Verified<AccessClaims> | undefined
  identity: Identity | undefined

  constructor(request: Request) {
    const given = request.headers.get('x-request-id')
    this.requestId = given !== null && REQUEST_ID.test(given) ? given : Bun.randomUUIDv7()
  }
}

/** On the request itself: a WeakMap costs more than all the rest that is kept here. */
const CALL = Symbol('call')
type Called = Request & { [CALL]?: Call }

export const callOf = (request: Request): Call => ((request as Called)[CALL] ??= new Call(request))

/** When another Request goes on in place of the first. */
export function passOn(from: Request, to: Request): void {
  const call = callOf(from)
  // The first one's socket is not the second one's.
  call.from = addressFrom(from)
  ;(to as Called)[CALL] = call
}

/** The address at the other end of the connection. */
export function addressFrom(request: Request): string {
  const call = callOf(request)
  if (typeof call.from !== 'string') call.from = call.from.requestIP(request)?.address ?? 'unknown'
  return call.from
}

/** Where the address goes on after the host, without its question. */
export function pathOf({ url }: Request): string {
  const start = url.indexOf('/', url.indexOf('//') + 2)
  const end = url.indexOf('?', start)
  return end < 0 ? url.slice(start) : url.slice(start, end)
}
