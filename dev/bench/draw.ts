// Measures the draw of a million: from the seed to the last place, and from the list to its root.
import { randomBytes } from 'node:crypto'
import { expandDraw, HASH_BYTES, hashNow, placesOf } from '../../server/protocol/draw.ts'
import { leafBytes, merkleLevels } from '../../server/protocol/merkle.ts'
import { inSlices, sha256 } from '../../server/room/draw.ts'
import type { Row } from './report.ts'

const ENTRANTS = 1_000_000
const REPEATS = 3
const PLACES_MAX_SECONDS = 1
const ROOT_MAX_SECONDS = 5
const SECOND_MS = 1_000

/** Two rows, in seconds; the root is computed in the slices the server computes it in. */
export async function benchDraw(): Promise<Row[]> {
  const places: number[] = []
  const roots: number[] = []
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    places.push(await seconds(async () => void drawAll(randomBytes(HASH_BYTES))))
    roots.push(await seconds(rootOfAll))
  }
  const note = `${ENTRANTS.toLocaleString('en')} entrants, one core`
  return [
    row('draw: seed to last place', places, PLACES_MAX_SECONDS, note),
    row('draw: list to Merkle root', roots, ROOT_MAX_SECONDS, note),
  ]
}

const row = (what: string, figures: number[], most: number, note: string): Row => ({
  what,
  figures,
  unit: 's',
  against: `≤ ${most}`,
  ok: Math.max(...figures) <= most,
  note,
})

async function seconds(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / SECOND_MS
}

function drawAll(seed: Uint8Array): Uint32Array {
  const placeOf = placesOf(hashNow(expandDraw(seed, ENTRANTS), sha256))
  return Uint32Array.from({ length: ENTRANTS }, (_, number) => placeOf(number))
}

async function rootOfAll(): Promise<void> {
  const account = Bun.randomUUIDv7()
  const leaves = new Uint8Array(ENTRANTS * HASH_BYTES)
  for (let number = 0; number < ENTRANTS; number++)
    leaves.set(sha256(leafBytes(number, account)), number * HASH_BYTES)
  await inSlices(merkleLevels(leaves, sha256))
}
