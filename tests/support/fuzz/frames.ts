// Owns what a hostile client puts on a socket: texts and frames that are right, nearly right, or nothing of the kind.
import { LIMITS } from '../../../server/protocol/codes.ts'
import { OPCODES, type WireFrame } from '../raw-socket.ts'
import type { Random } from './random.ts'

const TYPES = [
  'hello',
  'join',
  'claim',
  'leave',
  'defer',
  'watch',
  'unwatch',
  'line',
  'draw',
  '',
  '__proto__',
  'constructor',
]
const VALUES = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  '',
  'x',
  '\u0000',
  '\ud800',
  [],
  {},
  [[]],
  { type: 'join' },
]
const FIELDS = ['ticket', 'token', 'version', 'type', 'more', '__proto__', 'toString']

/** Something like a frame: right, nearly right, or nothing of the kind. */
export function someText(random: Random): string {
  const frame: Record<string, unknown> = {
    type: random.next() < 0.9 ? random.pick(TYPES) : random.pick(VALUES),
  }
  for (let i = random.below(3); i > 0; i--) frame[random.pick(FIELDS)] = random.pick(VALUES)
  const text = JSON.stringify(frame)
  switch (random.below(8)) {
    case 0:
      return text.slice(0, random.below(text.length))
    case 1: {
      const depth = random.below(2_000)
      return `{"type":"join","ticket":${'['.repeat(depth)}${']'.repeat(depth)}}`
    }
    case 2:
      return `{"type":"join","ticket":"${'t'.repeat(random.below(LIMITS.frameBytes + 500))}"}`
    case 3:
      return `{"type":"join","type":"leave"}${random.pick(['', ' ', '}', 'x'])}`
    default:
      return text
  }
}

export function someBytes(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.below(300) }, () => random.below(256))
}

export function someFrames(random: Random): WireFrame[] {
  const payload = random.next() < 0.7 ? Buffer.from(someText(random)) : someBytes(random)
  const opcode = OPCODES.text
  switch (random.below(10)) {
    case 0:
      return [{ opcode: OPCODES.binary, payload }]
    case 1: {
      // In fragments, with a ping between, sometimes never ended.
      const at = random.below(payload.length + 1)
      const parts: WireFrame[] = [
        { opcode, payload: payload.subarray(0, at), last: false },
        { opcode: OPCODES.ping, payload: someBytes(random).subarray(0, 125) },
      ]
      return random.next() < 0.7 ? [...parts, { opcode: OPCODES.more, payload: payload.subarray(at) }] : parts
    }
    case 2:
      return [{ opcode, payload, masked: false }]
    case 3:
      return [{ opcode, payload, reserved: 1 + random.below(7) }]
    case 4:
      return [{ opcode: 3 + random.below(5), payload }]
    case 5:
      return [{ opcode: OPCODES.more, payload }]
    case 6:
      return [{ opcode: OPCODES.close, payload: someBytes(random).subarray(0, 125) }]
    case 7:
      return [{ opcode, payload: payload.subarray(0, 3), claimed: random.pick([5, 65_536, 2 ** 40]) }]
    default:
      return [{ opcode, payload }]
  }
}
