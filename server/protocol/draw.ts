// Decides every place of the draw: a permutation of the arrival numbers that anybody can compute from the published seed.
//
// A generalised Feistel network over rows × columns ≥ entrants (Black & Rogaway, "Ciphers with Arbitrary Finite Domains",
// 2002): each round moves the row by a word chosen by the column, then the column by one chosen by the row; what falls
// outside is sent through again. The words come from the seed by SHA-256 in counter mode, so that server, browser, the
// Lua scripts and `verify-draw` agree to the last place. Pure: hashing is handed in.

export const DRAW_ALGORITHM = 'feistel-sha256-v1'
/** lua/line.lua reads as many from the same tables. */
const DRAW_ROUND_PAIRS = 6
export const HASH_BYTES = 32
const WORD_BYTES = 4
const HMAC_BLOCK_BYTES = 64

export type Sha256 = (bytes: Uint8Array) => Uint8Array
export type AsyncSha256 = (bytes: Uint8Array) => Promise<Uint8Array>
/** Work that asks for hashes: what it yields is hashed, and the hash is what the yield answers. */
export type Hashing<T> = Generator<Uint8Array, T, Uint8Array>

/** Does the work at once, with a hash that answers at once. */
export function hashNow<T>(work: Hashing<T>, sha256: Sha256): T {
  let step = work.next()
  while (!step.done) step = work.next(sha256(step.value))
  return step.value
}

/** The same where hashing takes its time, as in a browser. */
export async function hashSoon<T>(work: Hashing<T>, sha256: AsyncSha256): Promise<T> {
  let step = work.next()
  while (!step.done) step = work.next(await sha256(step.value))
  return step.value
}

export interface Draw {
  entrants: number
  rows: number
  columns: number
  /** Big-endian 32-bit words: for each pair of rounds one word a column, then one a row. */
  tables: Uint8Array
}

/** The draw of `entrants` (1…2³¹−1) numbers that a 32-byte seed decides. */
export function* expandDraw(seed: Uint8Array, entrants: number): Hashing<Draw> {
  const { rows, columns } = gridOf(entrants)
  const tables = new Uint8Array(DRAW_ROUND_PAIRS * (rows + columns) * WORD_BYTES)
  for (let at = 0, counter = 0; at < tables.length; at += HASH_BYTES, counter++) {
    const block = yield concatBytes(seed, uint32(counter))
    tables.set(block.subarray(0, tables.length - at), at)
  }
  return { entrants, rows, columns, tables }
}

export function gridOf(entrants: number): { rows: number; columns: number } {
  const rows = Math.ceil(Math.sqrt(entrants))
  return { rows, columns: Math.ceil(entrants / rows) }
}

/** A function from number to place, both 0-based and below `entrants`; it may be asked for any number of them. */
export function placesOf({ entrants, rows, columns, tables }: Draw): (number: number) => number {
  const view = new DataView(tables.buffer, tables.byteOffset, tables.byteLength)
  // Reduced once, so that a round is an addition and at most a subtraction.
  const moves = Uint32Array.from({ length: tables.length / WORD_BYTES }, (_, i) => {
    const ofRow = i % (columns + rows) < columns
    return view.getUint32(i * WORD_BYTES) % (ofRow ? rows : columns)
  })
  return (number) => {
    let place = number
    do {
      let row = Math.floor(place / columns)
      let column = place % columns
      for (let at = 0; at < moves.length; at += columns + rows) {
        row += moves[at + column]!
        if (row >= rows) row -= rows
        column += moves[at + columns + row]!
        if (column >= columns) column -= columns
      }
      place = row * columns + column
    } while (place >= entrants)
    return place
  }
}

/** What is published before the lobby opens: SHA-256 of the 32-byte secret, then the algorithm's name. */
export function* commitmentOf(secret: Uint8Array, algorithm: string): Hashing<Uint8Array> {
  return yield concatBytes(secret, new TextEncoder().encode(algorithm))
}

/** HMAC-SHA256(secret, root ‖ beacon); `beacon` is the public random value, empty when none was heard. */
export function* seedOf(secret: Uint8Array, root: Uint8Array, beacon: Uint8Array): Hashing<Uint8Array> {
  const pad = (with_: number) =>
    Uint8Array.from({ length: HMAC_BLOCK_BYTES }, (_, i) => (secret[i] ?? 0) ^ with_)
  const inner = yield concatBytes(pad(0x36), root, beacon)
  return yield concatBytes(pad(0x5c), inner)
}

export function concatBytes(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Big-endian. */
export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** Null when the text is not `bytes` bytes in lower-case hex. */
export function fromHex(text: string, bytes: number): Uint8Array | null {
  if (text.length !== bytes * 2 || !/^[0-9a-f]*$/.test(text)) return null
  return Uint8Array.from({ length: bytes }, (_, i) => parseInt(text.slice(i * 2, i * 2 + 2), 16))
}
