// Holds the grid that finds seats by place against looking at every one of them.
import { expect, test } from 'bun:test'
import { SeatIndex } from '../../web/src/components/seat-map/seat-index.ts'

const WIDTH = 120
const HEIGHT = 90
const SEATS = 5_000
const SEED = 20_261_122

/** Mulberry32: the same numbers at every run. */
function seeded(seed: number) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const random = seeded(SEED)
const positions = new Float32Array(2 * SEATS)
for (let n = 0; n < SEATS; n += 1) {
  positions[2 * n] = random() * WIDTH
  positions[2 * n + 1] = random() * HEIGHT
}
const index = new SeatIndex(positions, WIDTH, HEIGHT)
const at = (n: number) => ({ x: positions[2 * n] ?? 0, y: positions[2 * n + 1] ?? 0 })

test('every seat in a box is visited once', () => {
  for (let round = 0; round < 50; round += 1) {
    const left = random() * WIDTH - 10
    const top = random() * HEIGHT - 10
    const box = { left, top, right: left + random() * 60, bottom: top + random() * 60 }
    const visited: number[] = []
    index.visitIn(box, (n) => visited.push(n))
    expect(new Set(visited).size).toBe(visited.length)
    const seen = new Set(visited)
    for (let n = 0; n < SEATS; n += 1) {
      const { x, y } = at(n)
      if (x >= box.left && x <= box.right && y >= box.top && y <= box.bottom) expect(seen.has(n)).toBe(true)
    }
  }
})

test('the nearest seat within reach is found, and none beyond it', () => {
  for (let round = 0; round < 200; round += 1) {
    const [x, y] = [random() * WIDTH, random() * HEIGHT]
    const reach = random() * 2
    let best: number | null = null
    let bestDistance = reach
    for (let n = 0; n < SEATS; n += 1) {
      const distance = Math.hypot(at(n).x - x, at(n).y - y)
      if (distance <= bestDistance) [best, bestDistance] = [n, distance]
    }
    const found = index.nearest(x, y, reach)
    if (best === null || found === null) expect(found).toBe(best)
    else expect(Math.hypot(at(found).x - x, at(found).y - y)).toBeCloseTo(bestDistance, 5)
  }
})

test('a map without seats has none to find', () => {
  expect(new SeatIndex(new Float32Array(), 10, 10).nearest(5, 5, 100)).toBeNull()
})
