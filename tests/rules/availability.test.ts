// Holds the memory of one event's seats to its rules: no change lost in silence, counts that agree, bounded replay.
import { describe, expect, test } from 'bun:test'
import type { SeatFeed } from '../../db/seat-gate/feed.ts'
import type { SeatCode } from '../../db/lifecycle.ts'
import { codeAt } from '../../server/protocol/seat-map.ts'
import { SeatMemory } from '../../server/events/seat-memory.ts'

const START = 1_000
const memoryOf = (total: number) => new SeatMemory(new Uint8Array(total), START)
const feed = (previous: number, version: number, changes: [number, SeatCode][]): SeatFeed => {
  return { previous, version, changes }
}

describe('the memory of seats', () => {
  test('follows the feed and keeps the counts', () => {
    const memory = memoryOf(10)
    expect(memory.counts).toEqual([10, 0, 0, 0])
    expect(
      memory.apply(
        feed(START, 1_001, [
          [3, 1],
          [4, 1],
        ]),
      ),
    ).toBe('applied')
    expect(
      memory.apply(
        feed(1_001, 1_005, [
          [3, 2],
          [4, 0],
          [9, 3],
        ]),
      ),
    ).toBe('applied')
    expect(memory.version).toBe(1_005)
    expect([3, 4, 9].map((n) => codeAt(memory.packed, n))).toEqual([2, 0, 3])
    expect(memory.counts).toEqual([8, 0, 1, 1])
  })

  test('asks to be read again when something is missing, and changes nothing by itself', () => {
    const memory = memoryOf(4)
    expect(memory.apply(feed(1_001, 1_002, [[0, 1]]))).toBe('gap')
    expect(memory.apply(feed(START, 1_001, [[4, 1]]))).toBe('gap')
    expect(memory.apply(feed(-1, 1_002, []))).toBe('gap')
    expect(memory.version).toBe(START)
    expect(memory.counts).toEqual([4, 0, 0, 0])
  })

  test('ignores what it has seen', () => {
    const memory = memoryOf(4)
    expect(memory.apply(feed(900, 950, [[0, 2]]))).toBe('old')
    expect(memory.apply(feed(-1, START, []))).toBe('old')
    expect(memory.counts).toEqual([4, 0, 0, 0])
  })

  test('replays what changed since a version, the latest code of each seat', () => {
    const memory = memoryOf(4)
    memory.apply(feed(START, 1_001, [[0, 1]]))
    memory.apply(feed(1_001, 1_002, [[1, 1]]))
    memory.apply(feed(1_002, 1_003, [[0, 2]]))
    expect([...memory.since(START)!]).toEqual([
      [0, 2],
      [1, 1],
    ])
    expect([...memory.since(1_002)!]).toEqual([[0, 2]])
    expect(memory.since(1_003)!.size).toBe(0)
    expect(memory.since(1_004)).toBeNull()
    expect(memory.since(999)).toBeNull()
  })

  test('forgets the oldest changes, so that replay never grows without end', () => {
    const memory = memoryOf(2_000)
    const all = Array.from({ length: 2_000 }, (_, n): [number, SeatCode] => [n, 1])
    for (let version = START; version < START + 10; version++) memory.apply(feed(version, version + 1, all))
    expect(memory.since(START)).toBeNull()
    expect(memory.since(START + 9)?.size).toBe(2_000)
  })

  test('agrees with a plain array through ten thousand random changes', () => {
    const seed = Number(process.env['SEED'] ?? 20_261_122)
    let state = seed
    const random = (below: number) => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) % below
    const plain = new Uint8Array(997)
    const memory = memoryOf(plain.length)
    for (let step = 0; step < 10_000; step++) {
      const [n, code] = [random(plain.length), random(4) as SeatCode]
      plain[n] = code
      memory.apply(feed(memory.version, memory.version + 1 + random(3), [[n, code]]))
    }
    const codes = Array.from(plain, (_, n) => codeAt(memory.packed, n))
    expect(codes, `seed ${seed}`).toEqual([...plain])
    expect(memory.counts).toEqual(
      [0, 1, 2, 3].map((code) => plain.filter((one) => one === code).length) as never,
    )
  })
})
