// Decides which reads are answered before the API's pipeline: those whose bytes are in memory and are everybody's.
//
// Their routes stand in server/events and server/bookings as ever, where they are documented, and take whatever is not
// this plain: a draft, an event or a page not in memory yet, a further page (ADR 20).
import { writeHeaders } from './answer-headers.ts'
import { availableListOf } from './bookings/list.ts'
import { callOf } from './call.ts'
import type { Context } from './context.ts'
import { encodedAvailability } from './events/availability-answers.ts'
import { REVALIDATE, sendEncoded, type Encoded } from './events/bytes.ts'

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const ID_LENGTH = 36
const EVENT = '/api/v1/event/'
const AVAILABILITY = '/availability'
const LIST = '/api/v1/booking'
const LIST_OF = '?eventId='
/** As Elysia names them, so that each has one series of metrics whoever answered. */
const AVAILABILITY_ROUTE = '/api/v1/event/:eventId/availability'
const LIST_ROUTE = '/api/v1/booking/'

/** What is to be answered, and in the name of which route. */
interface Found {
  encoded: Encoded
  route: string
}

export function createDirectReads(context: Context) {
  const list = availableListOf(context)

  function find(path: string, question: string): Found | null {
    if (path === LIST) {
      const eventId = question.startsWith(LIST_OF) ? question.slice(LIST_OF.length) : ''
      const encoded = ID.test(eventId) ? list.peek(eventId) : null
      return encoded && { encoded, route: LIST_ROUTE }
    }
    if (question !== '' || !path.startsWith(EVENT) || !path.endsWith(AVAILABILITY)) return null
    const eventId = path.slice(EVENT.length, -AVAILABILITY.length)
    if (eventId.length !== ID_LENGTH) return null
    const known = context.availability.peek(eventId)
    return known && known.event.status !== 'DRAFT'
      ? { encoded: encodedAvailability(known.memory), route: AVAILABILITY_ROUTE }
      : null
  }

  return {
    /** Null when the routes are to be asked. */
    find: (request: Request, path: string): Found | null =>
      request.method === 'GET' || request.method === 'HEAD'
        ? find(path, request.url.slice(request.url.indexOf(path) + path.length))
        : null,

    send(request: Request, { encoded, route }: Found): Response {
      const call = callOf(request)
      call.route = route
      const set: { status?: number; headers: Record<string, string> } = { headers: {} }
      writeHeaders(set.headers, call)
      const body = sendEncoded({ request, set }, encoded, REVALIDATE)
      return new Response(body, set)
    },
  }
}
