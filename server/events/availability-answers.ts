// Owns the availability answers as bytes: made once a version, however many ask for it.
import { reply } from '../errors.ts'
import { encode, GZIP_FAST, type Encoded } from './bytes.ts'
import type { SeatMemory } from './seat-memory.ts'

/** In a hot sale each change would cost an answer of its own; so large a one may be this old, and names its version. */
export const REUSED_MS = 50
export const REUSED_FROM_SEATS = 20_000

/** Kept beside the memory it was made from, and gone with it. */
const made = new WeakMap<SeatMemory, { version: number; at: number; encoded: Encoded }>()

export function encodedAvailability(memory: SeatMemory): Encoded {
  const { version, total, packed } = memory
  const known = made.get(memory)
  if (known?.version === version) return known.encoded
  const at = performance.now()
  if (known && total >= REUSED_FROM_SEATS && at - known.at < REUSED_MS) return known.encoded
  const data = { version, total, status: Buffer.from(packed).toString('base64') }
  const encoded = encode(reply(200, 'Availability', data), GZIP_FAST)
  made.set(memory, { version, at, encoded })
  return encoded
}
