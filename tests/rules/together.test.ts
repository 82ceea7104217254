// Shows that questions asked at the same moment become one, that each gets its own answer, and that a fault is theirs alone.
import { expect, test } from 'bun:test'
import { together } from '../../server/together.ts'

function asker(most: number) {
  const asked: string[][] = []
  const answers: PromiseWithResolvers<void>[] = []
  const ask = together(async (keys: string[]) => {
    asked.push(keys)
    const answer = Promise.withResolvers<void>()
    answers.push(answer)
    await answer.promise
    return (key) => key.toUpperCase()
  }, most)
  return { ask, asked, answers }
}

test('the first question leaves at once, those after it together when it is answered', async () => {
  const { ask, asked, answers } = asker(10)
  const all = ['a', 'b', 'c', 'b'].map((key) => ask(key))
  expect(asked).toEqual([['a']])
  answers[0]!.resolve()
  expect(await all[0]).toBe('A')
  expect(asked).toEqual([['a'], ['b', 'c', 'b']])
  answers[1]!.resolve()
  expect(await Promise.all(all)).toEqual(['A', 'B', 'C', 'B'])
})

test('no more go together than allowed, and none is forgotten', async () => {
  const { ask, asked, answers } = asker(2)
  const all = ['a', 'b', 'c', 'd'].map((key) => ask(key))
  for (let i = 0; i < 3; i++) {
    answers[i]!.resolve()
    await Bun.sleep(0)
  }
  expect(await Promise.all(all)).toEqual(['A', 'B', 'C', 'D'])
  expect(asked).toEqual([['a'], ['b', 'c'], ['d']])
})

test('a fault reaches those who asked with it; later questions are asked again', async () => {
  const { ask, answers } = asker(10)
  const [first, second] = [ask('a'), ask('b')]
  answers[0]!.reject(new Error('away'))
  expect(first).rejects.toThrow('away')
  await first.catch(() => {})
  answers[1]!.resolve()
  expect(await second).toBe('B')
  const later = ask('c')
  answers[2]!.resolve()
  expect(await later).toBe('C')
})
