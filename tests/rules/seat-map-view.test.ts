// Holds the moving of the map: it fits, zooms around the finger, and cannot be lost.
import { describe, expect, test } from 'bun:test'
import {
  boxInSight,
  fitBox,
  panBy,
  SCALE_MAX,
  toScreen,
  toWorld,
  zoomAt,
} from '../../web/src/components/seat-map/viewport.ts'

const screen = { width: 800, height: 600 }
const map = { width: 200, height: 150 }
const whole = fitBox({ left: 0, top: 0, right: map.width, bottom: map.height }, screen)

describe('the view of a seat map', () => {
  test('fitted, the whole map is in sight with free space around it', () => {
    const seen = boxInSight(whole, screen)
    expect(seen.left).toBeLessThan(0)
    expect(seen.top).toBeLessThan(0)
    expect(seen.right).toBeGreaterThan(map.width)
    expect(seen.bottom).toBeGreaterThan(map.height)
  })

  test('a point of the world and of the screen lead to each other', () => {
    const view = { x: 30, y: 40, scale: 7 }
    const at = toScreen(view, screen, 12, 55)
    const back = toWorld(view, screen, at.x, at.y)
    expect(back.x).toBeCloseTo(12)
    expect(back.y).toBeCloseTo(55)
  })

  test('zooming keeps the seat under the finger where it is', () => {
    const near = zoomAt(whole, screen, map, 3, 400, 300)
    const [px, py] = [520, 260]
    const before = toWorld(near, screen, px, py)
    const after = toWorld(zoomAt(near, screen, map, 1.8, px, py), screen, px, py)
    expect(after.x).toBeCloseTo(before.x)
    expect(after.y).toBeCloseTo(before.y)
  })

  test('nobody zooms further out than the whole map, nor further in than a seat is large', () => {
    expect(zoomAt(whole, screen, map, 0.001, 0, 0).scale).toBeCloseTo(whole.scale)
    expect(zoomAt(whole, screen, map, 1_000, 0, 0).scale).toBe(SCALE_MAX)
  })

  test('dragging far leaves the map in sight', () => {
    const near = zoomAt(whole, screen, map, 5, 400, 300)
    for (const [dx, dy] of [
      [100_000, 100_000],
      [-100_000, -100_000],
      [100_000, -100_000],
    ] as const) {
      const seen = boxInSight(panBy(near, screen, map, dx, dy), screen)
      expect(seen.left).toBeLessThan(map.width)
      expect(seen.right).toBeGreaterThan(0)
      expect(seen.top).toBeLessThan(map.height)
      expect(seen.bottom).toBeGreaterThan(0)
      const seenWidth = Math.min(seen.right, map.width) - Math.max(seen.left, 0)
      expect(seenWidth * near.scale).toBeGreaterThan(screen.width * 0.9)
    }
  })

  test('a map smaller than the screen stays in its middle', () => {
    const moved = panBy(whole, screen, map, 300, 200)
    expect(moved.x).toBeCloseTo(map.width / 2)
    expect(moved.y).toBeCloseTo(map.height / 2)
  })
})
