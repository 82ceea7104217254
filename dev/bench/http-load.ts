// Owns a light HTTP/1.1 client for load: a connection has one request under way and takes the next when it is answered.
import type { Socket } from 'bun'

export interface Load {
  port: number
  connections: number
  seconds: number
  /** The whole request, head and body, to send next; null when there is none left. */
  next(): Uint8Array | null
  /** Requests a second, each due at its own moment whether the server keeps up or not; without it, as fast as answered. */
  perSecond?: number
  /** Told of each answer. */
  answered?(status: number, body: string, head: () => string): void
  /** Told how long each took, as in `latencies`. */
  measured?(status: number, ms: number): void
}

export interface Loaded {
  /** How often each status was answered. */
  byStatus: Map<number, number>
  /** One request each, ms; with `perSecond` from the moment it was due, so that waiting for a connection counts. */
  latencies: number[]
  seconds: number
  /** Connections the server closed on us; each lost the request it had under way. */
  dropped: number
}

const HEAD_END = Buffer.from('\r\n\r\n')
/** Without its first letter, whose case differs between servers. */
const CONTENT_LENGTH = Buffer.from('ontent-length: ', 'latin1')
const CONTENT_LENGTH_BUN = Buffer.from('ontent-Length: ', 'latin1')
const STATUS_AT = 9
const [ZERO, NINE] = [48, 57]

interface Wire {
  /** What has come of an answer that is not whole yet. */
  pending: Buffer | null
  /** 0 while nothing is under way. */
  since: number
}

/** Drives until the time is over or nothing is left; throws when the server cannot be reached at all. */
export async function loadHttp(load: Load): Promise<Loaded> {
  const byStatus = new Map<number, number>()
  const latencies: number[] = []
  let dropped = 0
  const sockets = await connect(load, {
    data(socket, chunk) {
      const { data } = socket
      const text = data.pending ? Buffer.concat([data.pending, chunk]) : chunk
      const answer = parseAnswer(text)
      if (!answer) return void (data.pending = data.pending ? text : Buffer.from(text))
      data.pending = null
      byStatus.set(answer.status, (byStatus.get(answer.status) ?? 0) + 1)
      const took = performance.now() - data.since
      latencies.push(took)
      load.measured?.(answer.status, took)
      data.since = 0
      if (load.answered)
        load.answered(answer.status, text.toString('utf8', answer.bodyAt, answer.end), () =>
          text.toString('latin1', 0, answer.bodyAt),
        )
      pace.free(socket)
    },
    close(socket) {
      if (socket.data.since > 0) dropped += 1
      socket.data.since = 0
      pace.lost(socket)
    },
  })
  const began = performance.now()
  const pace = createPace(load, sockets, began)
  await pace.over
  const seconds = (performance.now() - began) / 1_000
  for (const socket of sockets) socket.end()
  return { byStatus, latencies, seconds, dropped }
}

/** Decides who sends when: closed loop, or each request at its own moment. `over` resolves when all is answered. */
function createPace(load: Load, sockets: Socket<Wire>[], began: number) {
  const until = began + load.seconds * 1_000
  const idle = [...sockets]
  let open = sockets.length
  let sent = 0
  let exhausted = false
  const { promise: over, resolve: finish } = Promise.withResolvers<void>()
  const dueAt = (index: number) => began + (index * 1_000) / load.perSecond!

  function pump(): void {
    const now = performance.now()
    while (!exhausted && idle.length > 0) {
      const due = load.perSecond === undefined ? now : dueAt(sent)
      if (due > now) break
      const request = due < until ? load.next() : null
      if (request === null) exhausted = true
      else {
        const socket = idle.pop()!
        socket.data.since = due
        sent += 1
        socket.write(request)
      }
    }
    if (exhausted && idle.length >= open) {
      clearInterval(clock)
      finish()
    }
  }
  const clock = setInterval(pump, 1)
  pump()
  return {
    over,
    free(socket: Socket<Wire>) {
      idle.push(socket)
      pump()
    },
    lost(socket: Socket<Wire>) {
      open -= 1
      const at = idle.indexOf(socket)
      if (at >= 0) idle.splice(at, 1)
      if (open === 0) exhausted = true
    },
  }
}

async function connect(
  { port, connections }: Load,
  on: { data(socket: Socket<Wire>, chunk: Buffer): void; close(socket: Socket<Wire>): void },
): Promise<Socket<Wire>[]> {
  const socket = { ...on, error() {} }
  return Promise.all(
    Array.from({ length: connections }, () =>
      Bun.connect<Wire>({ hostname: '127.0.0.1', port, socket, data: { pending: null, since: 0 } }),
    ),
  )
}

/** Null while the answer is not whole. */
export function parseAnswer(text: Buffer): { status: number; bodyAt: number; end: number } | null {
  const headEnd = text.indexOf(HEAD_END)
  if (headEnd < 0) return null
  const bodyAt = headEnd + HEAD_END.length
  const end = bodyAt + contentLength(text, headEnd)
  if (text.length < end) return null
  return { status: digits(text, STATUS_AT), bodyAt, end }
}

/** Throws when an answer does not say its length: whoever is loaded here always does. */
function contentLength(text: Buffer, headEnd: number): number {
  let at = text.indexOf(CONTENT_LENGTH_BUN)
  if (at < 0 || at > headEnd) at = text.indexOf(CONTENT_LENGTH)
  if (at < 0 || at > headEnd) {
    if (digits(text, STATUS_AT) === 304) return 0
    throw new Error('an answer without Content-Length')
  }
  return digits(text, at + CONTENT_LENGTH.length)
}

function digits(text: Buffer, from: number): number {
  let value = 0
  for (let at = from; text[at]! >= ZERO && text[at]! <= NINE; at++) value = value * 10 + text[at]! - ZERO
  return value
}

/** A request as bytes, keep-alive, with a bearer token and a JSON body where given. */
export function requestBytes(
  method: string,
  path: string,
  { token, body, headers = {} }: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
): Uint8Array {
  const text = body === undefined ? '' : JSON.stringify(body)
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'host: localhost',
    ...(token === undefined ? [] : [`authorization: Bearer ${token}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined
      ? []
      : ['content-type: application/json', `content-length: ${Buffer.byteLength(text)}`]),
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${text}`)
}
