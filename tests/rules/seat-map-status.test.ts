// Holds the window's live copy of seat status: snapshots, changes, old news, and the count of free seats.
import { expect, test } from 'bun:test'
import type { MapView } from '../../server/protocol/http.ts'
import { packCodes } from '../../server/protocol/seat-map.ts'
import { AVAILABLE, BLOCKED, RESERVED, SeatStatus, SOLD } from '../../web/src/state/seat-status.ts'

const section = (first: number, seats: number) => ({
  id: first,
  name: `Section ${first}`,
  kind: 'seated' as const,
  tier: 0,
  first,
  seats,
  box: [0, 0, 10, 10] as [number, number, number, number],
  rows: [{ label: 'A', count: seats, x: 0, y: 0, dx: 1, dy: 0 }],
})
const map: MapView = {
  mapVersion: 1,
  total: 10,
  tiers: [{ name: 'One', price: { amount: 1_000, currency: 'EUR' } }],
  sections: [section(0, 6), section(6, 4)],
  stage: [0, 0, 10, 1],
  width: 10,
  height: 10,
}
const snapshot = (version: number, codes: number[]) => ({
  version,
  total: codes.length,
  status: btoa(String.fromCharCode(...packCodes(new Uint8Array(codes)))),
})
const FREE = Array.from({ length: 10 }, () => AVAILABLE)

test('before the first snapshot no seat passes for free', () => {
  const status = new SeatStatus(map)
  expect(status.isFree(0)).toBe(false)
  expect([...status.free]).toEqual([0, 0])
})

test('a snapshot counts the free seats of each section', () => {
  const status = new SeatStatus(map)
  status.load(snapshot(5, [0, 1, 2, 3, 0, 0, 0, 0, 2, 2]))
  expect([...status.free]).toEqual([3, 2])
  expect(status.freeIn(0, 3)).toBe(1)
})

test('changes answer the seats that differ, and keep the counts', () => {
  const status = new SeatStatus(map)
  status.load(snapshot(5, FREE))
  const changed = status.apply(6, [
    [0, RESERVED],
    [1, AVAILABLE],
    [7, SOLD],
  ])
  expect(changed).toEqual([0, 7])
  expect([...status.free]).toEqual([5, 3])
  expect(status.apply(7, [[0, AVAILABLE]])).toEqual([0])
  expect([...status.free]).toEqual([6, 3])
})

test('old news changes nothing: neither a change nor a snapshot from before', () => {
  const status = new SeatStatus(map)
  status.load(snapshot(5, FREE))
  status.apply(9, [[2, SOLD]])
  expect(status.apply(8, [[2, AVAILABLE]])).toEqual([])
  expect(status.load(snapshot(7, FREE))).toBe(false)
  expect(status.codes[2]).toBe(SOLD)
})

test('a change of a seat that the map does not have is passed over', () => {
  const status = new SeatStatus(map)
  status.load(snapshot(5, FREE))
  expect(status.apply(6, [[99, BLOCKED]])).toEqual([])
  expect([...status.free]).toEqual([6, 4])
})
