// Checks a published draw offline: commitment, list, root, beacon, seed and every place, from the file alone.
//
//   npm run verify-draw FILE [-- --number N --account ID]
//
// FILE is the answer of GET …/room/draw as it came. Exit 1 with a sentence about what is wrong.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import {
  BEACON_FIELDS,
  digestOf,
  DRAW_FIELDS,
  type DrawBeacon,
  type DrawDocument,
} from '../server/protocol/draw-document.ts'
import {
  commitmentOf,
  DRAW_ALGORITHM,
  expandDraw,
  fromHex,
  HASH_BYTES,
  hashNow,
  placesOf,
  seedOf,
  toHex,
} from '../server/protocol/draw.ts'
import { leafBytes, merkleLevels, proofOf } from '../server/protocol/merkle.ts'

const SECOND_MS = 1_000

export type Verdict =
  | { ok: true; draw: DrawDocument; leaves: Uint8Array; placeOf(number: number): number }
  | { ok: false; because: string }

class Wrong extends Error {}
const sha256 = (bytes: Uint8Array) => Bun.SHA256.hash(bytes) as Uint8Array
function must(good: boolean, because: string): asserts good {
  if (!good) throw new Wrong(because)
}

/** Every byte of `text` is held against something: any change of it is found. Never throws. */
export function verifyDraw(text: string): Verdict {
  try {
    const draw = readDocument(text)
    const leaves = checkHeader(draw)
    return { ok: true, draw, leaves, placeOf: checkPlaces(draw) }
  } catch (fault) {
    if (fault instanceof Wrong) return { ok: false, because: fault.message }
    throw fault
  }
}

/** The document of an answer, written as the server writes it and with no field more or less. */
function readDocument(text: string): DrawDocument {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    throw new Wrong('The file is not JSON.')
  }
  const envelope = readFields(answer, ['statusCode', 'message', 'data'], 'answer')
  must(envelope['statusCode'] === 200 && envelope['message'] === 'The draw', 'The answer is not a draw.')
  const data = readFields(envelope['data'], [...DRAW_FIELDS, 'digest', 'leaves'], 'draw')
  if (data['beacon'] !== null) readFields(data['beacon'], [...BEACON_FIELDS], 'beacon')
  const draw = data as unknown as DrawDocument
  must(JSON.stringify(answer) === text.trimEnd(), 'The file is not written as the server writes it.')
  return draw
}

function readFields(value: unknown, fields: string[], what: string): Record<string, unknown> {
  must(typeof value === 'object' && value !== null, `The ${what} is not an object.`)
  must(
    Object.keys(value).join() === fields.join(),
    `The ${what} does not have the fields ${fields.join(', ')}.`,
  )
  return value as Record<string, unknown>
}

function readHash(text: unknown, name: string): Uint8Array {
  const bytes = typeof text === 'string' ? fromHex(text, HASH_BYTES) : null
  must(bytes !== null, `${name} is not 64 lower-case hex digits.`)
  return bytes
}

function readInstant(text: unknown, name: string): number {
  const ms = typeof text === 'string' ? Date.parse(text) : NaN
  must(!Number.isNaN(ms) && new Date(ms).toISOString() === text, `${name} is not a moment.`)
  return ms
}

/** Everything but the places; answers the leaves. */
function checkHeader(draw: DrawDocument): Uint8Array {
  must(draw.algorithm === DRAW_ALGORITHM, `The algorithm ${draw.algorithm} is not known here.`)
  const secret = readHash(draw.secret, 'secret')
  const commitment = toHex(hashNow(commitmentOf(secret, draw.algorithm), sha256))
  must(commitment === draw.commitment, 'The secret is not the one that was committed to.')
  must(Number.isInteger(draw.entrants) && draw.entrants > 0, 'entrants is not a positive whole number.')
  const leaves = new Uint8Array(Buffer.from(String(draw.leaves), 'base64'))
  must(Buffer.from(leaves).toString('base64') === draw.leaves, 'The leaves are not base64.')
  must(leaves.length === draw.entrants * HASH_BYTES, 'There is not one leaf of 32 bytes an entrant.')
  const root = readHash(draw.root, 'root')
  must(toHex(rootOf(leaves)) === draw.root, 'The leaves do not lead to the root.')
  const closedAt = readInstant(draw.closedAt, 'closedAt')
  const drawnAt = readInstant(draw.drawnAt, 'drawnAt')
  const spokenAt = draw.beacon ? checkBeacon(draw.beacon, closedAt) : closedAt
  must(drawnAt >= spokenAt, 'Places were drawn before that was possible.')
  const value = draw.beacon?.randomness ? readHash(draw.beacon.randomness, 'randomness') : new Uint8Array(0)
  const seed = toHex(hashNow(seedOf(secret, root, value), sha256))
  must(seed === draw.seed, 'The seed does not follow from secret, root and beacon.')
  const digest = toHex(hashNow(digestOf(draw), sha256))
  must(digest === draw.digest, 'The digest does not fit: a field was changed.')
  return leaves
}

/** When the beacon spoke, ms. */
function checkBeacon(beacon: DrawBeacon, closedAt: number): number {
  const after = readInstant(beacon.after, 'beacon.after')
  must(after >= closedAt, 'The beacon was asked for before the list was closed.')
  if (beacon.randomness === null) {
    must(beacon.signature === null, 'A beacon that was not heard cannot have a signature.')
    return after
  }
  const { genesis, period, round } = beacon
  const at = (wanted: number) => (genesis + (wanted - 1) * period) * SECOND_MS
  must(Number.isInteger(round) && period > 0, 'The beacon has no round.')
  must(
    at(round) > after && at(round - 1) <= after,
    'The round is not the first one after the root was fixed.',
  )
  const signature = typeof beacon.signature === 'string' ? beacon.signature : ''
  const signed = fromHex(signature, signature.length / 2)
  must(signed !== null && signed.length > 0, 'The signature of the beacon is not hex.')
  must(toHex(sha256(signed)) === beacon.randomness, 'The randomness is not that of the signature.')
  return at(round)
}

function rootOf(leaves: Uint8Array): Uint8Array {
  return treeOf(leaves).at(-1)!
}

function treeOf(leaves: Uint8Array): Uint8Array[] {
  const work = merkleLevels(leaves, sha256)
  let step = work.next()
  while (!step.done) step = work.next()
  return step.value
}

/** Computes every place, and that each is given once. */
function checkPlaces({ seed, entrants }: DrawDocument): (number: number) => number {
  const placeOf = placesOf(hashNow(expandDraw(readHash(seed, 'seed'), entrants), sha256))
  const taken = new Uint8Array(entrants)
  for (let number = 0; number < entrants; number++) {
    const place = placeOf(number)
    must(place >= 0 && place < entrants && taken[place] === 0, `Place ${place} is given twice.`)
    taken[place] = 1
  }
  return placeOf
}

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { number: { type: 'string' }, account: { type: 'string' } },
  })
  const [file] = positionals
  const number = Number(values.number)
  const asked = values.number !== undefined || values.account !== undefined
  if (!file || (asked && (!Number.isSafeInteger(number) || number < 0 || !values.account))) {
    console.error('Usage: npm run verify-draw FILE [-- --number N --account ID]')
    return 1
  }
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    console.error(`${file} cannot be read.`)
    return 1
  }
  const verdict = verifyDraw(text)
  if (!verdict.ok) {
    console.error(`The draw is NOT valid. ${verdict.because}`)
    return 1
  }
  const { draw, leaves, placeOf } = verdict
  console.log(
    `The draw of event ${draw.event} is valid: ${draw.entrants} numbers, each with a place of its own.`,
  )
  console.log(`Compare with what was published before the lobby opened: commitment ${draw.commitment}`)
  console.log(`and before the seed could be known: root ${draw.root}`)
  console.log(beaconLine(draw.beacon))
  return asked ? checkEntrant({ leaves, placeOf }, number, values.account!) : 0
}

function beaconLine(beacon: DrawBeacon | null): string {
  if (!beacon) return 'No public beacon took part (ADR 10 says what that leaves to trust).'
  if (beacon.randomness === null) return `The public beacon ${beacon.url} was not heard in time.`
  return `Compare the beacon with its public record: ${beacon.url}/public/${beacon.round}`
}

function checkEntrant(
  { leaves, placeOf }: { leaves: Uint8Array; placeOf(number: number): number },
  number: number,
  account: string,
): number {
  const leaf = toHex(sha256(leafBytes(number, account)))
  if (toHex(leaves.subarray(number * HASH_BYTES, (number + 1) * HASH_BYTES)) !== leaf) {
    console.error(`Account ${account} was NOT on the list with number ${number}.`)
    return 1
  }
  console.log(`Account ${account} was on the list with number ${number}, and has place ${placeOf(number)}.`)
  console.log(
    `Way to the root: ${proofOf(treeOf(leaves), number).map(toHex).join(' ') || 'none, it is the root'}`,
  )
  return 0
}

if (import.meta.main) process.exit(main())
