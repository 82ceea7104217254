// Owns how the crowd talks to one server: plain HTTP/1.1, one request on a connection, and nothing sent twice by itself.
//
// A library's client may repeat a request on its own when a connection drops; here the crowd has to know what it sent.
import type { Socket } from 'bun'
import { parseAnswer } from '../bench/http-load.ts'

export type Reply =
  | { status: number; body: string }
  /** It may or may not have arrived. */
  | 'unknown'
  /** Nobody listened: it did not arrive. */
  | 'unreachable'

const HOST = '127.0.0.1'
/** A server that let a request down is passed over so long. */
const DOWN_MS = 250
/** Kept open for the next request. */
const IDLE_MAX = 200

interface Wire {
  pending: Buffer | null
  settle: ((reply: Reply) => void) | null
  gone: boolean
}

export interface Client {
  /** False for a moment after a connection was refused or broken, as a balancer would think of it. */
  healthy(): boolean
  /** Sends once and waits at most `withinMs`. */
  send(request: Uint8Array, withinMs: number): Promise<Reply>
  close(): void
}

export function createClient(port: number): Client {
  const idle: Socket<Wire>[] = []
  const open = new Set<Socket<Wire>>()
  let downUntil = 0

  const handlers = {
    data(socket: Socket<Wire>, chunk: Buffer) {
      const { data } = socket
      const text = data.pending ? Buffer.concat([data.pending, chunk]) : chunk
      const answer = parseAnswer(text)
      if (!answer) return void (data.pending = data.pending ? text : Buffer.from(text))
      data.pending = null
      const settle = data.settle
      data.settle = null
      if (idle.length < IDLE_MAX) idle.push(socket)
      else socket.end()
      settle?.({ status: answer.status, body: text.toString('utf8', answer.bodyAt, answer.end) })
    },
    close: lost,
    error: lost,
    end: lost,
  }

  function lost(socket: Socket<Wire>) {
    open.delete(socket)
    socket.data.gone = true
    const at = idle.indexOf(socket)
    if (at >= 0) idle.splice(at, 1)
    if (socket.data.settle) downUntil = Date.now() + DOWN_MS
    socket.data.settle?.('unknown')
    socket.data.settle = null
  }

  async function connection(): Promise<Socket<Wire> | null> {
    const kept = idle.pop()
    if (kept) return kept
    const data: Wire = { pending: null, settle: null, gone: false }
    try {
      const socket = await Bun.connect<Wire>({ hostname: HOST, port, socket: handlers, data })
      open.add(socket)
      return socket
    } catch {
      return null
    }
  }

  return {
    healthy: () => Date.now() >= downUntil,
    async send(request, withinMs) {
      const socket = await connection()
      // It may have been reset before anything was sent.
      if (!socket || socket.data.gone) {
        downUntil = Date.now() + DOWN_MS
        return 'unreachable'
      }
      const { promise, resolve } = Promise.withResolvers<Reply>()
      socket.data.settle = resolve
      const patience = setTimeout(() => {
        lost(socket)
        socket.terminate()
      }, withinMs)
      socket.write(request)
      const reply = await promise
      clearTimeout(patience)
      return reply
    },
    close() {
      for (const socket of open) socket.terminate()
    },
  }
}
