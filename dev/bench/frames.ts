// Owns the least of RFC 6455 that a load generator needs: its own small frames out, the server's short frames in.
const OPCODE_TEXT = 1
const OPCODE_CLOSE = 8
const OPCODE_PING = 9
const OPCODE_PONG = 10
const FINAL = 0x80
const MASKED = 0x80
/** A length that fits the frame's second byte, one that follows in two bytes, one in eight. */
const SHORT_MAX = 125
const LENGTH_16 = 126
const LENGTH_64 = 127
const MASK_BYTES = 4
/** Any 16 bytes do; what the server makes of them is not looked at. */
const KEY = 'b25zYWxlLWJlbmNoLTAwMA=='

/** What a client writes to become a WebSocket. `token` goes into Authorization. */
export function upgradeRequest(host: string, path: string, token?: string): string {
  const authorization = token ? `Authorization: Bearer ${token}\r\n` : ''
  return (
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n${authorization}\r\n`
  )
}

/** A text frame of at most 125 bytes, masked with zeros: the bytes stay as they are. */
export const textFrame = (text: string): Buffer => maskedFrame(OPCODE_TEXT, Buffer.from(text))

function maskedFrame(opcode: number, payload: Buffer): Buffer {
  if (payload.length > SHORT_MAX) throw new RangeError('a frame of the generator is short')
  return Buffer.concat([
    Buffer.from([FINAL | opcode, MASKED | payload.length]),
    Buffer.alloc(MASK_BYTES),
    payload,
  ])
}

export interface FrameEvents {
  /** The payload lies in `buffer` from `start` to `end`. */
  text(buffer: Buffer, start: number, end: number): void
  /** `reply` must be written back. */
  ping(reply: Buffer): void
  closed(code: number): void
}

/** Reads the whole frames in `buffer` from `offset` on; answers where the first incomplete one begins. */
export function readFrames(buffer: Buffer, offset: number, events: FrameEvents): number {
  while (offset + 2 <= buffer.length) {
    const opcode = buffer[offset]! & 0x0f
    let length = buffer[offset + 1]! & 0x7f
    let start = offset + 2
    if (length === LENGTH_16) {
      if (start + 2 > buffer.length) break
      length = buffer.readUInt16BE(start)
      start += 2
    } else if (length === LENGTH_64) {
      if (start + 8 > buffer.length) break
      length = Number(buffer.readBigUInt64BE(start))
      start += 8
    }
    const end = start + length
    if (end > buffer.length) break
    if (opcode === OPCODE_TEXT) events.text(buffer, start, end)
    else if (opcode === OPCODE_PING) events.ping(maskedFrame(OPCODE_PONG, buffer.subarray(start, end)))
    else if (opcode === OPCODE_CLOSE) events.closed(length >= 2 ? buffer.readUInt16BE(start) : 0)
    offset = end
  }
  return offset
}
