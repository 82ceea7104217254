// Owns how questions asked at the same moment become one: the first leaves at once, the next wait until it is answered.
import { Refusal } from './errors.ts'

/** One more is refused: it would wait longer than anybody does. */
const WAITING_MAX = 10_000

/**
 * `askMany` answers for every key at once; a fault is everybody's who asked. Without a timer: alone, a question is not
 * delayed, and the more come, the more of them share one.
 */
export function together<K, V>(
  askMany: (keys: K[]) => Promise<(key: K) => V>,
  most: number,
): (key: K) => Promise<V> {
  let waiting: { key: K; resolve(value: V): void; reject(fault: unknown): void }[] = []
  let asking = false

  async function ask(): Promise<void> {
    asking = true
    while (waiting.length > 0) {
      const batch = waiting.splice(0, most)
      try {
        const answer = await askMany(batch.map(({ key }) => key))
        for (const { key, resolve } of batch) resolve(answer(key))
      } catch (fault) {
        for (const { reject } of batch) reject(fault)
      }
    }
    asking = false
  }

  return (key) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= WAITING_MAX) return reject(new Refusal('overloaded'))
      waiting.push({ key, resolve, reject })
      if (!asking) void ask()
    })
}
