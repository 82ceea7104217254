// Shows that servers which tell each other what they chose hardly meet, down to the last seats of a section, and that what is not told harms nobody.
import { describe, expect, test } from 'bun:test'
import { shareClaims } from '../../server/bookings/best/claims.ts'
import { FreeSeats } from '../../server/bookings/best/free-seats.ts'
import { SeatMemory } from '../../server/events/seat-memory.ts'
import { aHall } from '../support/hall.ts'
import { sellTo, type Ask } from '../support/best-sale.ts'

/** Of the attempts in each tenth of the hall but the last: the contract of best choices. */
const CONFLICTS_MAX = 0.05
const BLOCKS = ['Stalls left', 'Stalls right', 'Circle', 'Balcony']
const blocksOf = (rows: number[]) =>
  aHall(BLOCKS.map((name, at) => ({ name, tier: at >> 1, rows: rows[at]!, seatsPerRow: 50 })))
const hall = blocksOf([100, 100, 100, 100])
/** Of the first two sections all is gone within the crowd's first moment. */
const fewGood = blocksOf([2, 2, 30, 30])

/** Every size from one to six, a quarter by section and a quarter by tier. */
const mixed = (i: number): Ask => {
  const quantity = 1 + ((i * 7) % 6)
  if (i % 4 === 1) return { quantity, section: BLOCKS[(i >> 2) % BLOCKS.length]! }
  if (i % 4 === 3) return { quantity, tier: ['Standard', 'Cheap'][(i >> 2) % 2]! }
  return { quantity }
}
const pairs = () => ({ quantity: 2 })

async function worstOfFewGood(hasty: boolean): Promise<number> {
  const { conflicts, left } = await sellTo({ hall: fewGood, ask: mixed, buyers: 250, seed: 2, hasty })
  expect(left).toBe(0)
  return Math.max(...conflicts.slice(0, -1))
}

describe('two servers and 250 buyers at once', () => {
  test('of parties from one to six hardly meet before the last tenth', async () => {
    const sold = await sellTo({ hall, ask: mixed, buyers: 250, seed: 2 })
    expect(sold.left).toBe(0)
    expect(Math.max(...sold.conflicts.slice(0, -1))).toBeLessThanOrEqual(CONFLICTS_MAX)
    expect(sold.orphansMade).toBeLessThanOrEqual(10)
    expect(sold.avoidableOrphans).toBe(0)
  })

  test('nor for the few good seats that all want in the first moment, since who enters another’s rows listens first', async () => {
    expect(await worstOfFewGood(false)).toBeLessThanOrEqual(CONFLICTS_MAX / 5)
    expect(await worstOfFewGood(true)).toBeGreaterThan(CONFLICTS_MAX)
  })

  test('meet more often when nothing is told, and nothing else happens', async () => {
    const sold = await sellTo({ hall, ask: mixed, buyers: 250, seed: 2, deaf: true })
    expect(sold.left).toBe(0)
    expect(sold.twice).toBe(0)
    expect(Math.max(...sold.conflicts.slice(0, -1))).toBeGreaterThan(CONFLICTS_MAX)
  })

  test('share the rows out by whom they hear when nobody numbered them', async () => {
    const sale = { hall, ask: mixed, buyers: 250, seed: 2, unnumbered: true }
    const told = await sellTo(sale)
    expect(Math.max(...told.conflicts.slice(0, -1))).toBeLessThanOrEqual(CONFLICTS_MAX)
    const deaf = await sellTo({ ...sale, deaf: true })
    expect(Math.max(...deaf.conflicts.slice(0, -1))).toBeGreaterThan(0.3)
  })

  test('of pairs choose the same before the last tenth, told or not', async () => {
    const [told, deaf] = [
      await sellTo({ hall, ask: pairs, buyers: 250, seed: 3 }),
      await sellTo({ hall, ask: pairs, buyers: 250, seed: 3, deaf: true }),
    ]
    for (const { conflicts, orphansMade, left } of [told, deaf])
      expect([Math.max(...conflicts.slice(0, -1)), orphansMade, left]).toEqual([0, 0, 0])
  })
})

function servers(count: number) {
  const listeners = new Set<(message: string) => void>()
  const messages: string[] = []
  const answers: PromiseWithResolvers<number>[] = []
  const channels = {
    listen(_channel: string, listener: (message: string) => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const redis = {
    publish(_channel: unknown, message: unknown) {
      messages.push(String(message))
      for (const listener of listeners) listener(String(message))
      const answer = Promise.withResolvers<number>()
      answers.push(answer)
      return answer.promise
    },
  }
  const heard: number[][][] = Array.from({ length: count }, () => [])
  const claims = heard.map((list) => shareClaims({ channels, redis }, 'e', (seats) => list.push(seats)))
  return { claims, heard, messages, answers, listeners }
}

describe('what is told', () => {
  test('is heard by all others, and by nobody who has gone', () => {
    const { claims, heard } = servers(3)
    claims[2]!.close()
    claims[0]!.tell([4, 5])
    expect(heard.map((list) => list.flat())).toEqual([[], [4, 5], []])
  })

  test('numbers the servers alike for all of them, and frees the place of one that is silent', () => {
    const { claims } = servers(3)
    const lanes = (now: number) => claims.map((one) => one.lane(now))
    const now = Date.now()
    expect(lanes(now).map(({ of }) => of)).toEqual([3, 3, 3])
    expect(new Set(lanes(now).map(({ index }) => index)).size).toBe(3)
    expect(lanes(now + 10_000)[0]).toEqual({ index: 0, of: 1 })
  })

  test('meanwhile goes together in the next message, as much as is bearable, also after a fault', async () => {
    const { claims, messages, answers } = servers(1)
    for (let n = 0; n < 10_000; n++) claims[0]!.tell([n])
    // The first says that it is there.
    expect(messages).toHaveLength(2)
    answers[1]!.reject(new Error('away'))
    await Bun.sleep(0)
    expect(messages).toHaveLength(3)
    const { seats } = JSON.parse(messages[2]!) as { seats: number[] }
    expect(seats).toEqual(Array.from({ length: 2_000 }, (_, i) => i + 1))
  })

  test('by somebody else is nothing', () => {
    const { heard, listeners } = servers(1)
    for (const message of ['', 'null', '[]', '{"from":1}', '{"from":1,"seats":["0",0.5,null]}'])
      for (const listener of listeners) listener(message)
    expect(heard[0]!.flat()).toEqual([])
  })
})

test('seats chosen elsewhere are out of sight for a moment; those kept for a buyer here stay kept', () => {
  const free = new FreeSeats(aHall([{ name: 'Stalls' }]))
  const frees = () => Array.from({ length: 10 }, (_, n) => n).filter((n) => free.isFree(n))
  free.claim([1, 2], 0)
  free.chosenElsewhere([2, 3, 99, -1], 0)
  expect(frees()).toEqual([0, 4, 5, 6, 7, 8, 9])
  free.follow(new SeatMemory(new Uint8Array(10), 0), 1_500)
  expect(frees()).toEqual([0, 3, 4, 5, 6, 7, 8, 9])
})
