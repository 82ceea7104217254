// Holds the choice of seats to its rules: together, near the stage, no orphan while one can be avoided, all sold in the end.
import { describe, expect, test } from 'bun:test'
import { Chooser, type Lane, type Wish } from '../../server/bookings/best/choose-seats.ts'
import { FreeSeats } from '../../server/bookings/best/free-seats.ts'
import type { Hall } from '../../server/bookings/best/hall.ts'
import type { MapAccess } from '../../server/protocol/http.ts'
import { aHall } from '../support/hall.ts'
import { randomOf } from '../support/sale.ts'

const ALONE: Lane = { index: 0, of: 1, underWay: 0 }
const FOR_GOOD = Number.MAX_SAFE_INTEGER

function choose(hall: Hall, taken: number[], wish: Partial<Wish> & { quantity: number }, lane = ALONE) {
  const free = new FreeSeats(hall)
  free.held(taken, FOR_GOOD)
  return new Chooser(free).choose({ together: true, ...wish }, lane)
}

describe('the best seats', () => {
  test('of an empty hall are in the middle of the front row', () => {
    const hall = aHall([{ name: 'Stalls', rows: 5, seatsPerRow: 10 }])
    expect(choose(hall, [], { quantity: 2 })).toEqual({ seats: [4, 5] })
    // In the very middle it would leave three on either side, of which pairs leave one.
    expect(choose(hall, [], { quantity: 4 })).toBeOneOf([{ seats: [2, 3, 4, 5] }, { seats: [4, 5, 6, 7] }])
  })

  test('are next to each other in one row, never around its end', () => {
    const hall = aHall([{ name: 'Stalls', rows: 2, seatsPerRow: 4 }])
    // Free: the last of row one, the first of row two, and two in the middle of row two.
    expect(choose(hall, [0, 1, 2, 5], { quantity: 2 })).toEqual({ seats: [6, 7] })
  })

  test('leave no seat alone while another row makes that possible', () => {
    const hall = aHall([{ name: 'Stalls', rows: 2, seatsPerRow: 5 }])
    // Of three free in the front row one would be left alone; the back row has five.
    expect(choose(hall, [0, 1], { quantity: 2 })).toBeOneOf([{ seats: [5, 6] }, { seats: [8, 9] }])
    // With the back row gone it cannot be avoided.
    const choice = choose(hall, [0, 1, 5, 6, 7, 8, 9], { quantity: 2 })
    expect(choice).toEqual({ seats: [2, 3] })
  })

  test('never split what pairs could buy into two odd rests, however near the middle', () => {
    const hall = aHall([{ name: 'Stalls', rows: 1, seatsPerRow: 12 }])
    expect(choose(hall, [], { quantity: 2 })).toBeOneOf([{ seats: [4, 5] }, { seats: [6, 7] }])
  })

  test('for one are first those that are alone already', () => {
    const hall = aHall([{ name: 'Stalls', seatsPerRow: 6 }])
    expect(choose(hall, [1, 3, 4], { quantity: 1 })).toBeOneOf([
      { seats: [0] },
      { seats: [2] },
      { seats: [5] },
    ])
    expect(choose(hall, [2, 4, 5], { quantity: 1 })).toEqual({ seats: [3] })
  })

  test('keep to the tier and the section asked for; one that is not there is said so', () => {
    const hall = aHall([{ name: 'Stalls' }, { name: 'Balcony', tier: 1 }])
    expect(choose(hall, [], { quantity: 2, tier: 'Cheap' })).toMatchObject({ seats: [14, 15] })
    expect(choose(hall, [], { quantity: 2, section: 'Balcony' })).toMatchObject({ seats: [14, 15] })
    expect(choose(hall, [], { quantity: 2, section: 'Stalls', tier: 'Cheap' })).toEqual({ none: 'not_found' })
  })

  test('that cannot be together are refused, or found apart in the largest groups when that will do', () => {
    const hall = aHall([{ name: 'Stalls', seatsPerRow: 9 }])
    const taken = [2, 5, 8]
    expect(choose(hall, taken, { quantity: 3 })).toEqual({ none: 'seats_not_together' })
    expect(choose(hall, taken, { quantity: 4, together: false })).toEqual({ seats: [3, 4, 6, 7] })
    expect(choose(hall, [0, 1, 2, 3, 4, 5, 6, 7, 8], { quantity: 1 })).toEqual({ none: 'sold_out' })
    expect(choose(hall, taken, { quantity: 7, together: false })).toEqual({ none: 'sold_out' })
  })

  test('of a general area are any that are free', () => {
    const hall = aHall([{ name: 'Floor', capacity: 5 }])
    expect(choose(hall, [0, 2], { quantity: 3 })).toEqual({ seats: [1, 3, 4] })
    expect(choose(hall, [0, 2], { quantity: 4 })).toEqual({ none: 'seats_not_together' })
  })

  test('of two choosers are in different rows while there are any', () => {
    const hall = aHall([{ name: 'Stalls', rows: 4, seatsPerRow: 6 }])
    const rowOf = (choice: ReturnType<typeof choose>) =>
      'seats' in choice ? Math.floor(choice.seats[0]! / 6) : -1
    expect(rowOf(choose(hall, [], { quantity: 2 }, { ...ALONE, of: 2 }))).not.toBe(
      rowOf(choose(hall, [], { quantity: 2 }, { ...ALONE, index: 1, of: 2 })),
    )
    // One's own rows are gone: the others' will do.
    const front = [0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17]
    expect(choose(hall, front, { quantity: 2 }, { ...ALONE, of: 2 })).toHaveProperty('seats')
  })

  test('for pairs sell a hall of even rows to the last pair and never make an orphan', () => {
    const free = new FreeSeats(aHall([{ name: 'Stalls', rows: 20, seatsPerRow: 26 }]))
    const chooser = new Chooser(free)
    for (let sold = 0; sold < free.hall.total; sold += 2) {
      const choice = chooser.choose({ quantity: 2, together: true }, ALONE)
      if (!('seats' in choice)) throw new Error(`nothing after ${sold} of ${free.hall.total}`)
      free.held(choice.seats, FOR_GOOD)
      expect(orphans(free)).toBe(0)
    }
  })
})

const lane = (index: number, underWay: number): Lane => ({ index, of: 2, underWay })
const rowOf = (seats: number[]) => Math.floor(seats[0]! / 10)

describe('another chooser’s rows', () => {
  test('are entered behind the seats it is about to take, when the own ones are gone', () => {
    const hall = aHall([{ name: 'Stalls', rows: 10 }])
    const free = new FreeSeats(hall)
    const chooser = new Chooser(free)
    const own = chooser.choose({ quantity: 2, together: true }, lane(0, 0))
    if (!('seats' in own)) throw new Error('nothing in an empty hall')
    const mine = rowOf(own.seats) % 2
    for (let n = 0; n < hall.total; n++) if (Math.floor(n / 10) % 2 === mine) free.held([n], FOR_GOOD)
    const nth = (underWay: number) => {
      const choice = chooser.choose({ quantity: 2, together: true }, lane(0, underWay))
      return 'seats' in choice ? Math.floor(rowOf(choice.seats) / 2) : -1
    }
    expect([nth(0), nth(10), nth(25), nth(1_000)]).toEqual([0, 1, 3, 4])
  })

  test('and parts of a general area are entered from their ends', () => {
    const free = new FreeSeats(aHall([{ name: 'Floor', capacity: 1_000 }]))
    const chooser = new Chooser(free)
    const one = (index: number) => {
      const choice = chooser.choose({ quantity: 2, together: true }, lane(index, 0))
      if (!('seats' in choice)) throw new Error('nothing left')
      free.held(choice.seats, FOR_GOOD)
      return choice.seats
    }
    expect([one(0), one(1)]).toEqual([
      [0, 1],
      [500, 501],
    ])
    for (let sold = 4; sold < 502; sold += 2) one(0)
    expect([one(0), one(1)]).toEqual([
      [998, 999],
      [502, 503],
    ])
  })
})

describe('accessible seats', () => {
  // One row of ten: 0 1 2 3 [companion 4] [accessible 5] [accessible 6] [companion 7] 8 9.
  const access: MapAccess = {
    accessible: [[5, 2]],
    companion: [
      [4, 1],
      [7, 1],
    ],
  }
  const hall = aHall([{ name: 'Stalls', rows: 1 }], access)
  const wanted = (quantity: number, taken: number[] = [], rest: Partial<Wish> = {}) =>
    choose(hall, taken, { quantity, accessible: true, ...rest })

  test('are chosen for nobody who does not ask for one, and are walls to the others', () => {
    expect(choose(hall, [], { quantity: 4 })).toEqual({ seats: [0, 1, 2, 3] })
    expect(choose(hall, [], { quantity: 5 })).toEqual({ none: 'seats_not_together' })
    expect(choose(hall, [], { quantity: 6, together: false })).toEqual({ seats: [0, 1, 2, 3, 8, 9] })
    expect(choose(hall, [0, 1, 2, 3, 8, 9], { quantity: 1 })).toEqual({ none: 'kept' })
    expect(choose(hall, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { quantity: 1 })).toEqual({ none: 'sold_out' })
  })

  test('come with companion seats first, standard ones next, a second accessible one last', () => {
    expect(wanted(1)).toBeOneOf([{ seats: [5] }, { seats: [6] }])
    expect(wanted(2)).toBeOneOf([{ seats: [4, 5] }, { seats: [6, 7] }])
    expect(wanted(3)).toBeOneOf([{ seats: [3, 4, 5] }, { seats: [6, 7, 8] }])
    expect(wanted(2, [4])).toEqual({ seats: [6, 7] })
    expect(wanted(2, [4, 7])).toEqual({ seats: [5, 6] })
  })

  test('leave no companion seat without its accessible one where that can be', () => {
    // 4 is gone: taking 6 would strand 7, taking 5 strands nothing.
    expect(wanted(1, [4])).toEqual({ seats: [5] })
  })

  test('are refused when they are gone, or not together, or found apart when that will do', () => {
    expect(wanted(2, [5, 6])).toEqual({ none: 'sold_out' })
    expect(wanted(3, [4, 7])).toEqual({ none: 'seats_not_together' })
    expect(wanted(4, [3, 4, 7], { together: false })).toEqual({ seats: [5, 6, 8, 9] })
  })
})

test('a choice is the same whether the rows are known already or looked at anew', () => {
  const hall = aHall([
    { name: 'Stalls', rows: 12, seatsPerRow: 13 },
    { name: 'Floor', capacity: 60 },
  ])
  const random = randomOf(20_260_101)
  const free = new FreeSeats(hall)
  const chooser = new Chooser(free)
  const taken = new Set<number>()
  for (let step = 0; step < 600; step++) {
    const wish = { quantity: 1 + Math.floor(random() * 6), together: random() < 0.8 }
    const choice = chooser.choose(wish, ALONE)
    expect(choice).toEqual(choose(hall, [...taken], wish))
    const seats = 'seats' in choice ? choice.seats : []
    for (const n of seats) taken.add(n)
    free.held(seats, FOR_GOOD)
    const back = [...taken].filter(() => random() < 0.03)
    for (const n of back) taken.delete(n)
    free.release(back)
  }
})

function orphans(free: FreeSeats): number {
  let found = 0
  for (const { first, count } of free.hall.rows)
    for (let n = first; n < first + count; n++) {
      const leftGone = n === first || !free.isFree(n - 1)
      const rightGone = n === first + count - 1 || !free.isFree(n + 1)
      if (free.isFree(n) && leftGone && rightGone) found += 1
    }
  return found
}
