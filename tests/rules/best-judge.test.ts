// Holds the judge of `bench best` to what it calls an orphan: by the order of the choices, whatever order they were told in.
import { expect, test } from 'bun:test'
import { judgeSale } from '../../dev/bench/best-judge.ts'
import { aHall } from '../support/hall.ts'

const hall = aHall([{ name: 'Stalls', rows: 2, seatsPerRow: 8 }])
const sale = { ask: () => ({ quantity: 2 }), buyers: 2 }
const [first, second, third] = ['1', '2', '3']

test('nobody left a seat alone that was chosen before, though told after', () => {
  // One takes the first seat, the next the two beside it: nothing is left alone, in whichever order they hear of it.
  const told = [
    { id: second!, seats: [1, 2] },
    { id: first!, seats: [0] },
  ]
  expect(judgeSale(hall, told, { ...sale, pauses: [2] })).toMatchObject({
    orphansMade: 0,
    orphansWithChoice: 0,
    avoidableOrphans: 0,
    alone: [0],
    left: 13,
    fitting: 1_000,
    twice: 0,
  })
})

test('who leaves one alone while others were free could have avoided it, unless those were given meanwhile', () => {
  const orphan = { id: first!, seats: [1, 2] }
  expect(judgeSale(hall, [orphan], { ...sale, pauses: [1] })).toMatchObject({
    orphansMade: 1,
    orphansWithChoice: 1,
    avoidableOrphans: 1,
    alone: [1],
  })
  const meanwhile = { id: second!, seats: [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] }
  expect(judgeSale(hall, [orphan, meanwhile], { ...sale, pauses: [2] })).toMatchObject({
    orphansMade: 1,
    orphansWithChoice: 1,
    avoidableOrphans: 0,
    alone: [1],
    left: 1,
  })
})

test('a seat told to two is counted', () => {
  const told = [
    { id: first!, seats: [3, 4] },
    { id: third!, seats: [4, 5] },
  ]
  expect(judgeSale(hall, told, { ...sale, pauses: [] })).toMatchObject({ twice: 1, left: 13 })
})
