// Owns the availability answers as bytes: made once a version, however many ask for it.
import { reply } from '../errors.ts'
import { encode, GZIP_FAST, type Encoded } from './bytes.ts'
import type { SeatMemory } from './seat-memory.ts'

/** In a hot sale each change would cost a compression; so large an answer may be this old, and names its version. */
const REUSED_MS = 50
const REUSED_FROM_SEATS = 20_000

/** Kept beside the memory it was made from, and gone with it. */
export function createAvailabilityAnswers(): (memory: SeatMemory) => Encoded {
  const made = new WeakMap<SeatMemory, { version: number; at: number; encoded: Encoded }>()
  return (memory) => {
    const { version, total, packed } = memory
    const known = made.get(memory)
    const at = performance.now()
    const mayBeOld = total >= REUSED_FROM_SEATS && known && at - known.at < REUSED_MS
    if (known && (known.version === version || mayBeOld)) return known.encoded
    const data = { version, total, status: Buffer.from(packed).toString('base64') }
    const encoded = encode(reply(200, 'Availability', data), GZIP_FAST)
    made.set(memory, { version, at, encoded })
    return encoded
  }
}
