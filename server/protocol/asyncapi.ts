// Owns the socket's document: AsyncAPI 3 made from the frames themselves, so that it cannot tell of others.
import { CLOSE_CODES, LIMITS } from './codes.ts'
import { CLIENT_FRAMES, SERVER_FRAMES } from './socket.ts'

const ADDRESS = '/ws/event/{eventId}'
const CHANNEL = 'event'

/** What a close says, and what a client does about it. */
const CLOSES: Record<keyof typeof CLOSE_CODES, string> = {
  restarting:
    'The server restarts: come back after so many milliseconds as the reason says, with the ticket.',
  replaced: 'A newer tab or device of the same account has the place now. Do not come back by yourself.',
  unauthenticated: 'Not signed in, or not any more: get a new access token first.',
  rate_limited: 'Too many frames or sockets: wait at least 10 s.',
  policy: 'The third frame within 10 s that is not one of the protocol.',
  too_large: `A frame above ${LIMITS.frameBytes} bytes.`,
}

const DESCRIPTION = `One socket carries the line of an event and, when asked, its seats. Text frames, each one JSON object with \`type\`.
Unknown fields and unknown types are to be passed over: more may come.

A client says who it is by the session cookie (the \`Origin\` must be ours), by \`Authorization: Bearer\`, or by \`hello\` within
${LIMITS.helloWithinMs / 1_000} s; never in the address. Then \`join\`. A lost connection keeps its place for the grace: come back with \`join\` and the
ticket, after a random pause that doubles with each failure, or what close ${CLOSE_CODES.restarting} says.

Limits: ${LIMITS.frameBytes} bytes and ${LIMITS.framesPerSecond} frames a second from a client; ${LIMITS.socketsPerAccountAndEvent} sockets an account and event. Whoever reads
too slowly loses \`line\` frames and, past 64 KiB, the connection; never the place.`

const EXAMPLES: { [K in keyof typeof CLIENT_FRAMES | keyof typeof SERVER_FRAMES]?: object } = {
  join: { type: 'join', ticket: 'eyJhbGciOiJIUzI1NiJ9…' },
  joined: { type: 'joined', number: 41, place: 41, ticket: 'eyJhbGciOiJIUzI1NiJ9…', epoch: 1 },
  turn: { type: 'turn', claimBefore: '2027-04-15T12:01:00.000Z' },
  ended: { type: 'ended', reason: 'no_show' },
  seats: { type: 'seats', version: 1_806_415_260_123, changes: [[42, 2]] },
}

/** The document of a server reached at `publicUrl`. */
export function asyncApi({ publicUrl, version }: { publicUrl: string; version: string }) {
  const { host, protocol } = new URL(publicUrl)
  const incoming = Object.keys(CLIENT_FRAMES)
  const outgoing = Object.keys(SERVER_FRAMES)
  const onChannel = (name: string) => ({ $ref: `#/channels/${CHANNEL}/messages/${name}` })
  return {
    asyncapi: '3.0.0',
    info: { title: 'Onsale socket', version, description: DESCRIPTION },
    defaultContentType: 'application/json',
    servers: {
      here: {
        host,
        protocol: protocol === 'https:' ? 'wss' : 'ws',
        security: [
          { $ref: '#/components/securitySchemes/cookie' },
          { $ref: '#/components/securitySchemes/bearer' },
        ],
      },
    },
    channels: {
      [CHANNEL]: {
        address: ADDRESS,
        title: 'The line and the seats of one event',
        parameters: { eventId: { description: 'The id of the event' } },
        messages: Object.fromEntries(
          [...incoming, ...outgoing].map((name) => [name, { $ref: `#/components/messages/${name}` }]),
        ),
        bindings: { ws: { method: 'GET', bindingVersion: '0.1.0' } },
        'x-close-codes': Object.entries(CLOSE_CODES).map(([name, code]) => ({
          code,
          name,
          description: CLOSES[name as keyof typeof CLOSE_CODES],
        })),
      },
    },
    operations: {
      fromClient: {
        action: 'receive',
        title: 'Client → server',
        channel: { $ref: `#/channels/${CHANNEL}` },
        messages: incoming.map(onChannel),
      },
      toClient: {
        action: 'send',
        title: 'Server → client',
        channel: { $ref: `#/channels/${CHANNEL}` },
        messages: outgoing.map(onChannel),
      },
    },
    components: {
      messages: Object.fromEntries(
        Object.entries({ ...CLIENT_FRAMES, ...SERVER_FRAMES }).map(([name, payload]) => [
          name,
          message(name as keyof typeof EXAMPLES, payload),
        ]),
      ),
      securitySchemes: {
        cookie: { type: 'httpApiKey', in: 'cookie', name: 'accessToken' },
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      },
    },
  }
}
export type AsyncApi = ReturnType<typeof asyncApi>

function message(name: keyof typeof EXAMPLES, payload: object) {
  const { description: summary = '' } = payload as { description?: string }
  const example = EXAMPLES[name]
  return { name, summary, payload, ...(example ? { examples: [{ payload: example }] } : {}) }
}
