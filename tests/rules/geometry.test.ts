// Holds the map to its promises: every seat has its own place and name, whatever the house looks like, in few bytes.
import { describe, expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { planSections, type NewSection } from '../../db/seat-plan.ts'
import { layOut } from '../../server/protocol/map-layout/lay-out.ts'
import type { HouseView } from '../../server/protocol/map-layout/house.ts'
import type { MapView } from '../../server/protocol/http.ts'
import {
  codeAt,
  expandMap,
  packCodes,
  seatName,
  seatNumber,
  setCode,
  unpackStatus,
} from '../../server/protocol/seat-map.ts'

const MAP_BYTES_MAX = 60 * 1024

function houseOf(sections: NewSection[]): HouseView {
  const plan = planSections({ currency: 'EUR', seatCount: 0, tiers: [], sections: [] }, sections)
  expect(plan.problems).toEqual([])
  const seatCount = plan.sections.reduce((sum, section) => sum + section.seatCount, 0)
  return { mapVersion: 1, seatCount, currency: 'EUR', tiers: plan.tiers, sections: plan.sections }
}

const tier = { name: 'A', price: 100 }
const rows = (name: string, count: number, seatsPerRow: number, shape: 'straight' | 'arc'): NewSection => {
  return { name, tier, rows: count, seatsPerRow, shape, numbering: 'odd-even' }
}
const area = (name: string, capacity: number): NewSection => ({ name, tier, capacity })
const many = (count: number, make: (name: string, at: number) => NewSection) =>
  Array.from({ length: count }, (_, at) => make(`Section ${at}`, at))

const HOUSES: Record<string, NewSection[]> = {
  'one seat': [rows('One', 1, 1, 'straight')],
  'one place without a number': [area('One', 1)],
  'a theatre of curved rows': [
    rows('Stalls', 20, 30, 'arc'),
    rows('Circle', 10, 40, 'arc'),
    rows('Balcony', 6, 50, 'arc'),
  ],
  'a club: standing before a seated balcony': [area('Floor', 800), rows('Balcony', 5, 40, 'straight')],
  'an arena: floor, rings, and a hall behind': [
    area('Floor', 5_000),
    ...many(24, (name) => rows(name, 20, 20, 'arc')),
    area('Rear', 300),
    rows('Last', 3, 60, 'straight'),
  ],
  'blocks of very different sizes': many(40, (name, at) =>
    rows(name, 1 + (at % 17), 1 + ((at * 7) % 53), 'straight'),
  ),
  'rings of very different sizes': many(40, (name, at) =>
    rows(name, 1 + (at % 17), 1 + ((at * 7) % 53), 'arc'),
  ),
  'a single very long curved row': [rows('Long', 1, 1_000, 'arc'), rows('Deep', 200, 2, 'arc')],
  'many small boxes': many(500, (name) => area(name, 4)),
}

describe.each(Object.entries(HOUSES))('the map of %s', (_name, sections) => {
  const map = layOut(houseOf(sections))
  const positions = expandMap(map)

  test('gives every seat a place of its own inside the picture', () => {
    expect(positions).toHaveLength(2 * map.total)
    expect(closestPair(positions)).toBeGreaterThan(0.7)
    for (let at = 0; at < positions.length; at += 2) {
      expect(positions[at]).toBeWithin(0, map.width)
      expect(positions[at + 1]).toBeWithin(map.stage[1] + map.stage[3], map.height)
    }
  })

  test('puts each seat inside its section’s box, and sections follow each other in n', () => {
    let next = 0
    for (const { first, seats, box } of map.sections) {
      expect(first).toBe(next)
      next += seats
      for (let n = first; n < next; n++) {
        expect(positions[2 * n]!).toBeWithin(box[0] - 0.01, box[0] + box[2] + 0.01)
        expect(positions[2 * n + 1]!).toBeWithin(box[1] - 0.01, box[1] + box[3] + 0.01)
      }
    }
    expect(next).toBe(map.total)
  })

  test('is a whole number of finite lengths', () => {
    expect(JSON.stringify(map)).not.toContain('null')
  })
})

/** The least distance between two seats, looking only at neighbours in a grid of unit cells. */
function closestPair(positions: Float32Array): number {
  const cells = new Map<string, number[]>()
  let least = Infinity
  for (let at = 0; at < positions.length; at += 2) {
    const [x, y] = [positions[at]!, positions[at + 1]!]
    for (let dx = -1; dx <= 1; dx++)
      for (let dy = -1; dy <= 1; dy++)
        for (const other of cells.get(`${Math.floor(x) + dx},${Math.floor(y) + dy}`) ?? [])
          least = Math.min(least, Math.hypot(x - positions[other]!, y - positions[other + 1]!))
    const cell = `${Math.floor(x)},${Math.floor(y)}`
    const inside = cells.get(cell)
    if (inside) inside.push(at)
    else cells.set(cell, [at])
  }
  return least
}

describe('the size of the map', () => {
  const sizes: [string, NewSection[]][] = [
    ['50 curved blocks of 40 rows', many(50, (name) => rows(name, 40, 50, 'arc'))],
    ['50 straight blocks of 40 rows', many(50, (name) => rows(name, 40, 50, 'straight'))],
    ['500 curved blocks of 10 rows of 20', many(500, (name) => rows(name, 10, 20, 'arc'))],
    ['400 straight blocks of 25 rows of 10', many(400, (name) => rows(name, 25, 10, 'straight'))],
    ['400 curved blocks of 25 rows of 10', many(400, (name) => rows(name, 25, 10, 'arc'))],
  ]
  test.each(sizes)('100,000 seats in %s are at most 60 KB compressed', (name, sections) => {
    const began = performance.now()
    const map = layOut(houseOf(sections))
    const tookMs = performance.now() - began
    const text = JSON.stringify(map)
    const compressed = gzipSync(text, { level: 9 }).length
    console.log(
      `${name}: ${text.length} bytes, ${compressed} compressed, laid out in ${tookMs.toFixed(0)} ms`,
    )
    expect(map.total).toBe(100_000)
    expect(compressed).toBeLessThanOrEqual(MAP_BYTES_MAX)
  })
})

describe('what a seat is called', () => {
  const map: MapView = layOut(
    houseOf([rows('Stalls', 2, 5, 'arc'), area('Floor', 3), rows('Circle', 1, 2, 'straight')]),
  )

  test('follows from the map alone', () => {
    const names = Array.from({ length: map.total }, (_, n) => seatName(map, n))
    expect(
      names.map((name) => `${name?.section.name} ${name?.row ?? ''}${name?.number ?? ''}`.trim()),
    ).toEqual([
      ...['A5', 'A3', 'A1', 'A2', 'A4', 'B5', 'B3', 'B1', 'B2', 'B4'].map((seat) => `Stalls ${seat}`),
      'Floor',
      'Floor',
      'Floor',
      'Circle A1',
      'Circle A2',
    ])
    expect(seatName(map, -1)).toBeNull()
    expect(seatName(map, map.total)).toBeNull()
  })

  test('numbers are unique in a row of any length, in every style', () => {
    for (const numbering of ['left-to-right', 'right-to-left', 'odd-even'] as const)
      for (let count = 1; count <= 30; count++) {
        const numbers = Array.from({ length: count }, (_, i) => Number(seatNumber(numbering, count, i)))
        expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i + 1))
      }
  })

  test('odd numbers lie to the left in a straight and in a curved row alike', () => {
    for (const shape of ['straight', 'arc'] as const) {
      const one = layOut(houseOf([rows('Row', 1, 10, shape)]))
      const positions = expandMap(one)
      const xs = Array.from({ length: 10 }, (_, n) => positions[2 * n]!)
      expect(xs).toEqual(xs.toSorted((a, b) => a - b))
      expect(seatName(one, 0)?.number).toBe('9')
      expect(seatName(one, 9)?.number).toBe('10')
    }
  })
})

test('two bits a seat survive packing, in the order the contract names', () => {
  const codes = Uint8Array.from([0, 1, 2, 3, 3, 0, 0, 1, 2])
  const packed = packCodes(codes)
  expect([...packed]).toEqual([0b11100100, 0b01000011, 0b10])
  expect(unpackStatus(Buffer.from(packed).toString('base64'), codes.length)).toEqual(codes)
  setCode(packed, 3, 0)
  setCode(packed, 8, 1)
  expect([codeAt(packed, 2), codeAt(packed, 3), codeAt(packed, 4), codeAt(packed, 8)]).toEqual([2, 0, 3, 1])
})
