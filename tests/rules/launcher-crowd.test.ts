/** Holds what the crowd says of a line to what happened in it, and how it reads the availability. */
import { expect, test } from 'bun:test'
import { findOvertakings, mostAdmitted } from '../../dev/crowd/order.ts'
import type { Visit } from '../../dev/crowd/order.ts'
import { decodeFree } from '../../dev/crowd/seats.ts'

const SECOND = 1_000

/** Called at `second`, in the line from the beginning. */
function visit(number: number, second: number, more: Partial<Visit> = {}): Visit {
  const moment = { stamp: (second + 60) * SECOND, seen: second * SECOND }
  return { epoch: 1, number, place: number, joinedAt: 0, calledBy: moment, ...more }
}

test('a line that calls by place is in order, also several at once', () => {
  expect(findOvertakings([visit(0, 2), visit(1, 2), visit(2, 4), visit(3, 9)])).toEqual([])
})

test('a later place called before an earlier one is told, with both places', () => {
  expect(findOvertakings([visit(0, 2), visit(1, 9), visit(2, 4)])).toEqual([{ first: 1, passedBy: 2 }])
})

test('whoever came after the call was not overtaken by it', () => {
  expect(findOvertakings([visit(1, 9, { joinedAt: 5 * SECOND }), visit(2, 4)])).toEqual([])
})

test('another epoch counts its own numbers', () => {
  expect(findOvertakings([visit(5, 2), visit(1, 9, { epoch: 2 })])).toEqual([])
})

test('two sockets that hear of one tick at different times break no order', () => {
  const late = visit(1, 4, { calledBy: { stamp: 64 * SECOND, seen: 4_900 } })
  expect(findOvertakings([late, visit(2, 4)])).toEqual([])
})

/** Let in at `second` by a door that nobody has to claim. */
function admittedAt(number: number, second: number): Visit {
  const { calledBy, ...rest } = visit(number, second)
  return { ...rest, ...(calledBy ? { admittedBy: calledBy } : {}) }
}

test('a door that opens by itself is held to the order of admissions', () => {
  const visits = [admittedAt(0, 9), admittedAt(1, 3)]
  expect(findOvertakings(visits)).toEqual([{ first: 0, passedBy: 1 }])
})

function stay(from: number, until: number): Visit {
  const admittedBy = { stamp: 100 * SECOND, seen: from * SECOND }
  return { epoch: 1, number: from, place: from, joinedAt: 0, admittedBy, leftAt: until * SECOND }
}

test('the most admitted at once counts a pass until it is given back or runs out', () => {
  expect(mostAdmitted([stay(1, 5), stay(2, 6), stay(5, 9), stay(20, 21)])).toBe(2)
})

test('two bits a seat: only 0 is free, and nothing beyond the last seat', () => {
  // Seats 0 to 3 are RESERVED, AVAILABLE, SOLD, AVAILABLE; seat 4 is BLOCKED; the rest of byte 1 is no seat.
  const status = Buffer.from([0b00_10_00_01, 0b00_00_00_11]).toString('base64')
  expect(decodeFree({ status, total: 5 })).toEqual([1, 3])
})
