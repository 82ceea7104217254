// Holds those who want one seat at the same moment to what they are told: never older than their question, never wrong.
import { expect, test } from 'bun:test'
import { createSeatTurns, type Meaning } from '../../server/bookings/same-seat.ts'

/** Questions that are answered when the test says so. */
class Asking {
  readonly asked: ((answer: string) => void)[] = []
  readonly failed: ((fault: Error) => void)[] = []
  readonly ask = () =>
    new Promise<string>((resolve, reject) => {
      this.asked.push(resolve)
      this.failed.push(reject)
    })
}
const settle = () => Bun.sleep(0)

const meaningOf = (answer: string): Meaning =>
  answer === 'won' ? 'won' : answer.startsWith('gone') ? 'gone' : 'own'
const newTurns = () => createSeatTurns<string>(meaningOf, (seat) => `lost ${seat}`)

test('one asks, and when it wins all who came meanwhile have lost', async () => {
  const { asked, ask } = new Asking()
  const take = newTurns()
  const answers = Array.from({ length: 5 }, () => take('A', ask))
  expect(asked).toHaveLength(1)
  asked[0]!('won')
  expect(await Promise.all(answers)).toEqual(['won', ...Array<string>(4).fill('lost A')])
})

test('a refusal is asked for again by one of those who came after it was asked', async () => {
  const { asked, ask } = new Asking()
  const take = newTurns()
  const first = take('A', ask)
  const later = [take('A', ask), take('A', ask), take('A', ask)]
  asked[0]!('gone before')
  expect(await first).toBe('gone before')
  await settle()
  // The seat may have come free since: one of the three asks, and wins.
  expect(asked).toHaveLength(2)
  const latest = take('A', ask)
  asked[1]!('won')
  const told = await Promise.all(later)
  expect(told.toSorted()).toEqual(['lost A', 'lost A', 'won'])
  expect(await latest).toBe('lost A')
})

test('a refusal holds for all who were there when it was asked for', async () => {
  const { asked, ask } = new Asking()
  const take = newTurns()
  const first = take('A', ask)
  const later = [take('A', ask), take('A', ask)]
  asked[0]!('gone 1')
  await settle()
  asked[1]!('gone 2')
  expect(await Promise.all([first, ...later])).toEqual(['gone 1', 'gone 2', 'gone 2'])
  await settle()
  expect(asked).toHaveLength(2)
})

test("an asker's own reason, or a fault, is nobody else's", async () => {
  const { asked, failed, ask } = new Asking()
  const take = newTurns()
  const first = take('A', ask)
  const second = take('A', ask)
  asked[0]!('you have enough')
  expect(await first).toBe('you have enough')
  await settle()
  asked[1]!('won')
  expect(await second).toBe('won')
  const third = take('A', ask)
  const fourth = take('A', ask)
  failed[2]!(new Error('away'))
  expect(third).rejects.toThrow('away')
  await settle()
  asked[3]!('won')
  expect(await fourth).toBe('won')
})

test('seats do not wait for each other', async () => {
  const { asked, ask } = new Asking()
  const take = newTurns()
  const a = take('A', ask)
  const b = take('B', ask)
  expect(asked).toHaveLength(2)
  asked[1]!('won')
  expect(await b).toBe('won')
  asked[0]!('won')
  expect(await a).toBe('won')
  expect(take('A', () => Promise.resolve('gone'))).resolves.toBe('gone')
})
