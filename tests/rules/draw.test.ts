// Holds the permutation and the tree to what they promise: every place once, no link to arrival, no forged inclusion.
import { describe, expect, test } from 'bun:test'
import {
  commitmentOf,
  expandDraw,
  gridOf,
  hashNow,
  hashSoon,
  placesOf,
  seedOf,
  toHex,
  uint32,
} from '../../server/protocol/draw.ts'
import { leafBytes, merkleLevels, proofOf, rootFrom } from '../../server/protocol/merkle.ts'
import { inSlices, sha256 } from '../../server/room/draw.ts'

const seedNumber = (n: number) => sha256(uint32(n))
const placesFor = (seed: Uint8Array, entrants: number) =>
  placesOf(hashNow(expandDraw(seed, entrants), sha256))
const webSha256 = async (bytes: Uint8Array) =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as BufferSource))

describe('the permutation', () => {
  test('gives every place once, for every small line and some large ones', () => {
    const sizes = [...Array.from({ length: 130 }, (_, i) => i + 1), 1_000, 9_999, 10_001, 65_536, 123_457]
    for (const entrants of sizes) {
      const placeOf = placesFor(seedNumber(entrants), entrants)
      const taken = new Uint8Array(entrants)
      for (let number = 0; number < entrants; number++) taken[placeOf(number)]! += 1
      expect(taken.every((times) => times === 1)).toBe(true)
    }
  })

  test('is the same wherever it is computed, and never another', async () => {
    const seed = seedNumber(7)
    const here = hashNow(expandDraw(seed, 1_000), sha256)
    const there = await hashSoon(expandDraw(seed, 1_000), webSha256)
    expect(there).toEqual(here)
    const known = Array.from({ length: 8 }, (_, number) => placesOf(here)(number))
    expect(known).toEqual(KNOWN_PLACES)
  })

  test('has a grid that holds everybody and little more', () => {
    for (const entrants of [1, 2, 3, 99, 100, 101, 1_000_000, 2 ** 31 - 1]) {
      const { rows, columns } = gridOf(entrants)
      expect(rows * columns).toBeGreaterThanOrEqual(entrants)
      expect(rows * columns - entrants).toBeLessThan(rows)
    }
  })
})

/** Chi-square of a table of counts against its expectation, less its degrees of freedom, in standard deviations. */
function deviation(counts: Float64Array, expected: number, freedom: number): number {
  let sum = 0
  for (const count of counts) sum += (count - expected) ** 2 / expected
  return (sum - freedom) / Math.sqrt(2 * freedom)
}

const CLASSES = 20
/** How far arrival classes × place classes of many draws are from independence. */
function arrivalLink(
  draws: number,
  entrants: number,
  place: (seed: number) => (number: number) => number,
): number {
  const counts = new Float64Array(CLASSES * CLASSES)
  for (let seed = 0; seed < draws; seed++) {
    const placeOf = place(seed)
    for (let number = 0; number < entrants; number++) {
      const row = Math.floor((number * CLASSES) / entrants)
      counts[row * CLASSES + Math.floor((placeOf(number) * CLASSES) / entrants)]! += 1
    }
  }
  // Both margins of a permutation are fixed.
  return deviation(counts, (draws * entrants) / CLASSES ** 2, (CLASSES - 1) ** 2)
}

describe('arrival and place', () => {
  const ENTRANTS = 2_000
  const DRAWS = 200

  test('have no link that a χ² test over 400,000 places could see', () => {
    const link = arrivalLink(DRAWS, ENTRANTS, (seed) => placesFor(seedNumber(seed), ENTRANTS))
    expect(Math.abs(link)).toBeLessThan(4)
  })

  test('are linked where a permutation lets one early number in ten trade with a late one, and the test sees it', () => {
    const link = arrivalLink(DRAWS, ENTRANTS, (seed) => {
      const placeOf = placesFor(seedNumber(seed), ENTRANTS)
      // Trades whenever the late one stands better.
      return (number) => {
        const other = ENTRANTS - 1 - number
        const favoured = Math.min(number, other) % 10 === 0
        if (!favoured) return placeOf(number)
        const [best, worst] = [placeOf(number), placeOf(other)].toSorted((a, b) => a - b)
        return number < other ? best! : worst!
      }
    })
    expect(link).toBeGreaterThan(6)
  })

  test('of neighbours have no link either: who comes together does not stand together', () => {
    const counts = new Float64Array(CLASSES)
    for (let seed = 0; seed < DRAWS; seed++) {
      const placeOf = placesFor(seedNumber(seed), ENTRANTS)
      for (let number = 1; number < ENTRANTS; number++) {
        const apart = (placeOf(number) - placeOf(number - 1) + ENTRANTS) % ENTRANTS
        counts[Math.floor(((apart - 1) * CLASSES) / (ENTRANTS - 1))]! += 1
      }
    }
    const expected = (DRAWS * (ENTRANTS - 1)) / CLASSES
    expect(Math.abs(deviation(counts, expected, CLASSES - 1))).toBeLessThan(4)
  })

  test('of three people take all six orders equally often', () => {
    const orders = new Map<string, number>()
    const draws = 12_000
    for (let seed = 0; seed < draws; seed++) {
      const order = [0, 1, 2].map(placesFor(seedNumber(seed), 3)).join('')
      orders.set(order, (orders.get(order) ?? 0) + 1)
    }
    expect(orders.size).toBe(6)
    expect(Math.abs(deviation(Float64Array.from(orders.values()), draws / 6, 5))).toBeLessThan(4)
  })
})

const leavesOf = (count: number) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => sha256(leafBytes(i, `account-${i}`))))
const node = (left: Uint8Array, right: Uint8Array) => sha256(Buffer.concat([Uint8Array.of(1), left, right]))

describe('the tree', () => {
  test('proves each leaf to the root, and nothing else', async () => {
    for (const count of [1, 2, 3, 5, 6, 7, 8, 33, 100]) {
      const levels = await inSlices(merkleLevels(leavesOf(count), sha256))
      const root = toHex(levels.at(-1)!)
      for (let number = 0; number < count; number++) {
        const path = proofOf(levels, number)
        const rootBy = (account: string, at: number, way: Uint8Array[]) => {
          const found = hashNow(rootFrom(sha256(leafBytes(number, account)), at, count, way), sha256)
          return found && toHex(found)
        }
        expect(rootBy(`account-${number}`, number, path)).toBe(root)
        expect(rootBy('somebody', number, path)).not.toBe(root)
        if (count === 1) continue
        expect(rootBy(`account-${number}`, number, path.slice(1))).not.toBe(root)
        expect(rootBy(`account-${number}`, number, [...path, path[0]!])).not.toBe(root)
        expect(rootBy(`account-${number}`, (number + 1) % count, path)).not.toBe(root)
      }
    }
  })

  test('has the root of RFC 6962 over the leaves of its own example size', () => {
    const leaves = Array.from({ length: 7 }, (_, i) => sha256(leafBytes(i, `account-${i}`)))
    const [a, b, c, d, e, f, g] = leaves as [Uint8Array, ...Uint8Array[]]
    const expected = node(node(node(a, b!), node(c!, d!)), node(node(e!, f!), g!))
    const work = merkleLevels(Buffer.concat(leaves), sha256)
    let step = work.next()
    while (!step.done) step = work.next()
    expect(toHex(step.value.at(-1)!)).toBe(toHex(expected))
  })
})

test('commitment and seed are the plain SHA-256 and HMAC that anybody has', () => {
  const secret = seedNumber(1)
  const root = seedNumber(2)
  const beacon = seedNumber(3)
  const hmac = (...parts: Uint8Array[]) =>
    parts.reduce((hasher, part) => hasher.update(part), new Bun.CryptoHasher('sha256', secret)).digest('hex')
  expect(toHex(hashNow(seedOf(secret, root, beacon), sha256))).toBe(hmac(root, beacon))
  expect(toHex(hashNow(seedOf(secret, root, new Uint8Array(0)), sha256))).toBe(hmac(root))
  const plain = new Bun.CryptoHasher('sha256').update(secret).update('feistel-sha256-v1').digest('hex')
  expect(toHex(hashNow(commitmentOf(secret, 'feistel-sha256-v1'), sha256))).toBe(plain)
})

/** Of 1,000 numbers under the seed SHA-256(00000007): a change of the algorithm must take a new name. */
const KNOWN_PLACES = [937, 963, 307, 73, 565, 144, 816, 982]
