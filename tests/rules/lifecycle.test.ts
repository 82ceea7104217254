// Holds the lifecycle to itself: every move joins states that exist, and the wire codes follow the list.
import { describe, expect, test } from 'bun:test'
import {
  BOOKING_MOVES,
  BOOKING_STATUSES,
  SEAT_CODES,
  SEAT_MOVES,
  SEAT_STATUSES,
  type BookingMove,
  type SeatMove,
} from '../../db/lifecycle.ts'
import { SEAT_STATUS_BY_CODE } from '../../server/protocol/codes.ts'

describe('seat states', () => {
  test('have the codes of the wire, in two bits', () => {
    expect(SEAT_STATUSES.map((status) => SEAT_CODES[status])).toEqual([0, 1, 2, 3])
    expect([...SEAT_STATUS_BY_CODE]).toEqual([...SEAT_STATUSES])
  })

  test('can each be entered and left again', () => {
    const moves = Object.values(SEAT_MOVES)
    for (const status of SEAT_STATUSES) {
      expect(moves.some(({ to }) => to === status)).toBe(true)
      expect(moves.some(({ from }) => from === status)).toBe(true)
    }
  })

  test('a seat is sold only from a hold or back to a late payer, never from blocked', () => {
    const sold = Object.entries(SEAT_MOVES).filter(([, { to }]) => to === 'SOLD')
    expect(sold.map(([move]) => move as SeatMove)).toEqual(['confirm', 'revive'])
    expect(sold.some(([, { from }]) => (from as string) === 'BLOCKED')).toBe(false)
  })
})

describe('booking states', () => {
  test('start PENDING, and only paying leads to CONFIRMED', () => {
    const moves = Object.entries(BOOKING_MOVES)
    expect(moves.filter(([, { to }]) => (to as string) === 'PENDING')).toEqual([])
    const paid = moves.filter(([, { to }]) => to === 'CONFIRMED').map(([move]) => move as BookingMove)
    expect(paid).toEqual(['confirm', 'revive'])
  })

  test('CANCELLED and REFUNDED are ends', () => {
    for (const end of ['CANCELLED', 'REFUNDED'] as const) {
      expect(BOOKING_STATUSES).toContain(end)
      expect(Object.values(BOOKING_MOVES).filter(({ from }) => (from as string) === end)).toEqual([])
    }
  })
})
