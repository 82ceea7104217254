// Holds shared round trips to their rules: nobody waits for a timer, nobody waits for ever, and each gets their own answer.
import { describe, expect, test } from 'bun:test'
import { createBatches, Overloaded } from '../../db/batches.ts'

const LIMITS = { name: 'the test', inFlightMax: 1, weightMax: 4, waitingMax: 8, patienceMs: 10_000 }

/** A round trip that ends when it is told to. */
function gated() {
  const batches: number[][] = []
  const ends: (() => void)[] = []
  const run = async (items: number[]) => {
    batches.push(items)
    await new Promise<void>((resolve) => ends.push(resolve))
    return items.map((n) => n * 10)
  }
  const end = async () => {
    ends.shift()!()
    await Bun.sleep(0)
  }
  return { batches, run, end }
}

describe('requests that share a round trip', () => {
  test('a lone one goes at once; those that come meanwhile go together, up to the weight, in order', async () => {
    const { batches, run, end } = gated()
    const ask = createBatches({ ...LIMITS, run })
    const answers = [1, 2, 3, 4, 5, 6].map(ask)
    expect(batches).toEqual([[1]])
    await end()
    expect(batches).toEqual([[1], [2, 3, 4, 5]])
    await end()
    await end()
    expect(batches[2]).toEqual([6])
    expect(await Promise.all(answers)).toEqual([10, 20, 30, 40, 50, 60])
  })

  test('a round trip that never ends refuses its own and keeps nobody else', async () => {
    const { batches, run, end } = gated()
    const ask = createBatches({ ...LIMITS, run, hungAfterMs: 50 })
    const hung = ask(1).catch((fault: unknown) => fault)
    const next = ask(2)
    expect(batches).toEqual([[1]])
    expect(await hung).toBeInstanceOf(Overloaded)
    await Bun.sleep(0)
    expect(batches).toEqual([[1], [2]])
    await end()
    await end()
    expect(await next).toBe(20)
  })

  test('one that is heavier than a batch may be goes alone', async () => {
    const { batches, run, end } = gated()
    const ask = createBatches({ ...LIMITS, run, weigh: (n) => n })
    void Promise.all([1, 9, 2, 2].map(ask))
    await end()
    await end()
    expect(batches).toEqual([[1], [9], [2, 2]])
    await end()
  })

  test('a second one leaves beside the first when that takes too long, or when it is full', async () => {
    const { batches, run, end } = gated()
    const ask = createBatches({ ...LIMITS, run, inFlightMax: 2, alongsideAfterMs: 20 })
    void Promise.all([1, 2].map(ask))
    expect(batches).toEqual([[1]])
    await Bun.sleep(40)
    expect(batches).toEqual([[1], [2]])
    await end()
    await end()
    void Promise.all([3, 4, 5, 6, 7].map(ask))
    expect(batches.slice(2)).toEqual([[3], [4, 5, 6, 7]])
    await end()
    await end()
  })

  test('one too many is refused at once, and the others are answered', async () => {
    const { run, end } = gated()
    const ask = createBatches({ ...LIMITS, run })
    const answers = Array.from({ length: 9 }, (_, n) => ask(n))
    await expect(ask(99)).rejects.toBeInstanceOf(Overloaded)
    for (let i = 0; i < 3; i++) await end()
    expect(await Promise.all(answers)).toHaveLength(9)
  })

  test('one that waited too long is refused instead of run', async () => {
    const { batches, run, end } = gated()
    const ask = createBatches({ ...LIMITS, run, patienceMs: 5 })
    void ask(1)
    const late = ask(2).catch((fault: unknown) => fault)
    await Bun.sleep(20)
    await end()
    expect(await late).toBeInstanceOf(Overloaded)
    expect(batches).toEqual([[1]])
  })

  test('a fault is told to everybody in its batch and to nobody else', async () => {
    let runs = 0
    const ask = createBatches<number, number>({
      ...LIMITS,
      run: async (items) => {
        await Bun.sleep(1)
        if (++runs === 2) throw new Error('lost')
        return items
      },
    })
    const outcomes = await Promise.allSettled([1, 2, 3, 4, 5, 6].map(ask))
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      ...Array<'rejected'>(4).fill('rejected'),
      'fulfilled',
    ])
  })
})
