// Decides which requests share one round trip: those that arrive while the last one is under way go together in the next.
//
// This is group commit (DeWitt et al., "Implementation Techniques for Main Memory Database Systems", 1984) without its
// timer: a lone request goes at once, and under load the batch grows by itself to what one round trip takes.

/** Nobody was asked: too many wait already, or this request has waited longer than anybody would. */
export class Overloaded extends Error {
  constructor(what: string) {
    super(`too many wait for ${what}`)
  }
}

export interface BatchPlan<T, R> {
  /** Says what is waited for, in a fault. */
  name: string
  /**
   * Answers one result an item, in their order. A fault is everybody's in the batch; one that is an item's alone comes as
   * its rejected promise.
   */
  run(items: T[]): Promise<(R | Promise<R>)[]>
  /** Round trips under way at once. */
  inFlightMax: number
  /**
   * While one is under way, how long the next waits for it, ms; 0 when not given. A full batch costs each of its items
   * far less than two half ones; but one that hangs must not keep everybody.
   */
  alongsideAfterMs?: number
  /** Sum of the weights of a batch; a heavier item goes alone. */
  weightMax: number
  weigh?(item: T): number
  /** Items that may wait; one more is refused at once. */
  waitingMax: number
  /** An item that has waited longer is refused instead of run. */
  patienceMs: number
  /** A round trip that takes longer never ends; its items are refused, and its place is free. */
  hungAfterMs?: number
}

/**
 * Longer than any statement may take (db/client.ts). A link that swallows everything says nothing of its end, and
 * whatever was sent on it is waited for until somebody closes it: minutes in which nobody would be served.
 */
const HUNG_AFTER_MS = 12_000
/** After a pause of the whole process timers come before answers that are there already: those have the last word. */
const LAST_WORD_MS = 20

interface Waiting<T, R> {
  item: T
  since: number
  resolve(result: R | Promise<R>): void
  reject(fault: unknown): void
}

/** Answers a function that runs one item with whichever others are there. Throws Overloaded, or what `run` threw. */
export function createBatches<T, R>(plan: BatchPlan<T, R>): (item: T) => Promise<R> {
  const { run, inFlightMax, alongsideAfterMs = 0, weightMax, weigh = () => 1, waitingMax, patienceMs } = plan
  const { hungAfterMs = HUNG_AFTER_MS } = plan
  let waiting: Waiting<T, R>[] = []
  let inFlight = 0
  let lastLeft = 0
  let nextLook: ReturnType<typeof setTimeout> | undefined

  /** How long the one under way may still be waited for, ms. */
  const grace = () => (inFlight === 0 ? 0 : lastLeft + alongsideAfterMs - performance.now())

  function take(): Waiting<T, R>[] {
    let weight = 0
    let count = 0
    for (const { item } of waiting) {
      weight += weigh(item)
      if (count > 0 && weight > weightMax) break
      count += 1
    }
    const taken = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return taken
  }

  function pump(): void {
    while (inFlight < inFlightMax && waiting.length > 0) {
      const wait = grace()
      // What fills a batch already gains nothing by waiting.
      if (wait > 0 && waiting.length < weightMax) {
        nextLook ??= setTimeout(() => {
          nextLook = undefined
          pump()
        }, wait)
        return
      }
      const tooLate = performance.now() - patienceMs
      const batch = take().filter((each) => {
        if (each.since >= tooLate) return true
        each.reject(new Overloaded(plan.name))
        return false
      })
      if (batch.length > 0) void runBatch(batch)
    }
  }

  async function runBatch(batch: Waiting<T, R>[]): Promise<void> {
    inFlight += 1
    lastLeft = performance.now()
    try {
      const results = await unlessHung(run(batch.map(({ item }) => item)))
      batch.forEach(({ resolve }, i) => resolve(results[i]!))
    } catch (fault) {
      for (const { reject } of batch) reject(fault)
    }
    inFlight -= 1
    pump()
  }

  function unlessHung<O>(work: Promise<O>): Promise<O> {
    return new Promise((resolve, reject) => {
      const giveUp = () => reject(new Overloaded(plan.name))
      let timer = setTimeout(() => (timer = setTimeout(giveUp, LAST_WORD_MS)), hungAfterMs)
      work.then(resolve, reject).finally(() => clearTimeout(timer))
    })
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= waitingMax) return reject(new Overloaded(plan.name))
      waiting.push({ item, since: performance.now(), resolve, reject })
      pump()
    })
}

/** One of something for each connection or gate, made when it is first asked for and forgotten with it. */
export function onePer<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>()
  return (key) => {
    const known = made.get(key)
    if (known !== undefined) return known
    const value = make(key)
    made.set(key, value)
    return value
  }
}
