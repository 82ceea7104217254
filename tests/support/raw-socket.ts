// Owns a WebSocket by its bytes: whatever a client may send that no library would, and a client that stops reading.
import { connect, type Socket } from 'node:net'

export const OPCODES = { more: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const
const LENGTH_16 = 126
const LENGTH_64 = 127

export interface WireFrame {
  opcode: number
  payload: Uint8Array
  /** False: more fragments follow. */
  last?: boolean
  /** A client's frames are masked; unmasked ones are a breach. */
  masked?: boolean
  /** Reserved bits, 0 to 7. */
  reserved?: number
  /** Says another length than it has. */
  claimed?: number
}

/** A frame as it goes over the wire (RFC 6455, 5.2). */
export function wire({
  opcode,
  payload,
  last = true,
  masked = true,
  reserved = 0,
  claimed,
}: WireFrame): Buffer {
  const length = claimed ?? payload.length
  const head = [(last ? 0x80 : 0) | (reserved << 4) | opcode]
  const mask = masked ? 0x80 : 0
  if (length < LENGTH_16) head.push(mask | length)
  else if (length <= 0xffff) head.push(mask | LENGTH_16, length >> 8, length & 0xff)
  else {
    head.push(mask | LENGTH_64)
    for (let shift = 56n; shift >= 0n; shift -= 8n) head.push(Number((BigInt(length) >> shift) & 0xffn))
  }
  if (!masked) return Buffer.from([...head, ...payload])
  const key = [7, 77, 177, 27]
  return Buffer.concat([Buffer.from([...head, ...key]), payload.map((byte, i) => byte ^ key[i % 4]!)])
}

export interface RawSocket {
  tcp: Socket
  /** Bytes received, the handshake included. */
  received(): number
  closed(): boolean
  send(...frames: WireFrame[]): void
  /** As they are. */
  write(bytes: Uint8Array): void
}

/** Opens a socket; resolves once the server has answered the handshake. `deaf`: reads the answer and nothing after. */
export async function openRawSocket(
  url: string,
  eventId: string,
  { token, deaf = false }: { token?: string; deaf?: boolean } = {},
): Promise<RawSocket> {
  const { hostname, port, host } = new URL(url)
  const tcp = connect(Number(port), hostname)
  let received = 0
  let closed = false
  tcp.on('error', () => {})
  tcp.on('close', () => (closed = true))
  tcp.write(
    `GET /ws/event/${eventId} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n` +
      `${token ? `Authorization: Bearer ${token}\r\n` : ''}\r\n`,
  )
  await new Promise<void>((resolve, reject) => {
    tcp.once('data', (bytes: Buffer) => {
      received += bytes.length
      if (deaf) tcp.pause()
      if (bytes.toString('latin1').startsWith('HTTP/1.1 101')) resolve()
      else reject(new Error(bytes.toString('latin1').slice(0, 100)))
    })
    tcp.once('close', () => reject(new Error('closed before it opened')))
  })
  tcp.on('data', (bytes) => (received += bytes.length))
  if (deaf) tcp.pause()
  return {
    tcp,
    received: () => received,
    closed: () => closed,
    send: (...frames) => void tcp.write(Buffer.concat(frames.map(wire))),
    write: (bytes) => void tcp.write(bytes),
  }
}
