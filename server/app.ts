// Owns the API's table of contents: every feature's routes under one prefix, one error shape, one document.
import { swagger } from '@elysiajs/swagger'
import { Elysia, ValidationError } from 'elysia'
import { version } from '../package.json'
import { JSON_TYPE, writeHeaders } from './answer-headers.ts'
import { authRoutes } from './auth/routes.ts'
import { bookingRoutes } from './bookings/routes.ts'
import { callOf, pathOf } from './call.ts'
import type { Context } from './context.ts'
import { devPages, devRoutes } from './dev/routes.ts'
import { errorAnswer, Refusal, toRefusal } from './errors.ts'
import { eventRoutes } from './events/routes.ts'
import { healthRoutes, holdsRoute, metricsRoutes } from './health/routes.ts'
import { faultFields } from './log.ts'
import { operatorRoutes } from './operator/routes.ts'
import { paymentRoutes } from './payments/routes.ts'
import { requirePlain } from './plain-input.ts'
import { ERROR_STATUS } from './protocol/codes.ts'
import type { ErrorDetail } from './protocol/http.ts'
import { rateLimitPlugin } from './rate-limit.ts'
import { roomRoutes } from './room/routes.ts'
import { ticketRoutes } from './tickets/routes.ts'

const API = '/api/v1'
const DETAILS_MAX = 20
/** Refusals that somebody honest seldom sees; a row of them is worth a look. */
const REPORTED: ReadonlySet<string> = new Set(['permission_denied', 'origin_refused'])

export type App = ReturnType<typeof createApp>

/** The whole HTTP API; sockets, the web client and the docs page are the listener's. */
export function createApp(context: Context) {
  const bodiless = new Set<string>()
  // Unknown body fields are refused, not removed: a typing mistake must not pass in silence.
  const app = new Elysia({ name: 'onsale', normalize: false })
    .use(requestEdge(context, bodiless))
    .use(documentation())
    .use(rateLimitPlugin(context))
    .group(API, (api) =>
      api
        .use(authRoutes(context))
        .use(eventRoutes(context))
        .use(roomRoutes(context))
        .use(bookingRoutes(context))
        .use(paymentRoutes(context))
        .use(ticketRoutes(context))
        .use(operatorRoutes(context))
        .use(healthRoutes(context))
        .use(holdsRoute(context))
        .use(devRoutes(context)),
    )
    .use(healthRoutes(context))
    .use(metricsRoutes(context))
    .use(devPages(context))
  for (const { method, path, hooks } of app.routes) if (!hooks.body) bodiless.add(`${method} ${path}`)
  return app
}

/**
 * Gives each answer its headers, turns whatever is thrown into the error answer, and says which route it was.
 * `bodiless` names the routes whose bodies no schema looks at.
 */
function requestEdge(context: Context, bodiless: ReadonlySet<string>) {
  return new Elysia({ name: 'request-edge' })
    .onTransform({ as: 'global' }, ({ request, route, set, body, query }) => {
      const call = callOf(request)
      call.route = route
      writeHeaders(set.headers, call)
      requirePlain(body, query)
    })
    .onBeforeHandle({ as: 'global' }, ({ request, route, body }) => {
      // After whoever may not ask at all was refused, as where a schema does it. An empty object says nothing.
      if (typeof body === 'object' && body !== null && bodiless.has(`${request.method} ${route}`))
        requireNoFields(body)
    })
    .onError({ as: 'global' }, ({ code, error, request, route, set }) => {
      const call = callOf(request)
      if (route) call.route = route
      const refusal = refusalOf(code, error)
      const path = pathOf(request)
      if (refusal.code === 'internal')
        context.log.error('request_failed', { requestId: call.requestId, path, ...faultFields(error) })
      if (REPORTED.has(refusal.code))
        context.log.warn('access_refused', {
          requestId: call.requestId,
          path,
          code: refusal.code,
          accountId: call.identity?.accountId,
        })
      writeHeaders(set.headers, call)
      set.headers['content-type'] = JSON_TYPE
      if (refusal.retryAfterSeconds) set.headers['retry-after'] = String(Math.ceil(refusal.retryAfterSeconds))
      set.status = ERROR_STATUS[refusal.code]
      return errorAnswer(refusal, { path, requestId: call.requestId })
    })
}

function requireNoFields(body: object): void {
  const details = Object.keys(body)
    .slice(0, DETAILS_MAX)
    .map((name) => ({ path: `/${name}`, message: 'Unexpected property' }))
  if (details.length > 0) throw new Refusal('request_invalid', { details })
}

function refusalOf(code: string | number, error: unknown): Refusal {
  if (error instanceof ValidationError)
    return new Refusal('request_invalid', { details: validationDetails(error) })
  if (code === 'NOT_FOUND') return new Refusal('not_found')
  if (code === 'PARSE') return new Refusal('request_invalid', { message: 'The body is not JSON.' })
  if (code === 'INVALID_COOKIE_SIGNATURE') return new Refusal('unauthenticated')
  return toRefusal(error)
}

/** Which fields are wrong and what they must be; never the value that was sent. */
function validationDetails(error: ValidationError): ErrorDetail[] {
  const where = error.type === 'body' ? '' : error.type
  return error.all.slice(0, DETAILS_MAX).map((problem) => ({
    path: `${where}${'path' in problem ? String(problem.path) : ''}` || '/',
    message: ('message' in problem && String(problem.message)) || 'is not valid',
  }))
}

function documentation() {
  return swagger({
    path: '/api/docs',
    specPath: '/api/docs/json',
    // A path with a dot, such as sales.csv, is a route and no file.
    excludeStaticFile: false,
    // The probes stand at the root for whoever watches the process, and under the API's prefix for its readers.
    exclude: ['/api/docs', '/api/docs/json', /^\/health/],
    documentation: {
      info: {
        title: 'Onsale',
        version,
        description: 'A fair waiting room, a live seat map, and reservations that cannot sell a seat twice.',
      },
      tags: [
        { name: 'Auth', description: 'Accounts, sessions, roles' },
        { name: 'Event', description: 'Events, seats, maps, availability' },
        { name: 'Room', description: 'The waiting room; the same moves as the socket’s' },
        { name: 'Booking', description: 'Seats kept for one buyer' },
        { name: 'Payment', description: 'Paying and refunding' },
        { name: 'Ticket', description: 'What a paid seat becomes' },
        { name: 'Operations', description: 'Health and development' },
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          cookie: { type: 'apiKey', in: 'cookie', name: 'accessToken' },
        },
      },
    },
  })
}
