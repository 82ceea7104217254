// Holds the door of a server to its order: nobody is turned away in vain, readers first, and the admitted last.
import { describe, expect, test } from 'bun:test'
import { createConcurrency, TARGET_MS, UNDER_WAY } from '../../server/concurrency.ts'
import { createDeadlines, deadlineOf } from '../../server/deadlines.ts'
import { Refusal } from '../../server/errors.ts'
import { createDoor, LIMITS_OF } from '../../server/overload.ts'
import { createTokens } from '../../server/tokens.ts'

const tokens = createTokens({ secret: 'a secret of the tests, long enough for HS256' })
const pass = (endsInMs: number) =>
  tokens.signPass({
    accountId: 'somebody',
    eventId: 'an event',
    epoch: 1,
    expiresAt: new Date(Date.now() + endsInMs),
  })
const HOLD = '/api/v1/booking'
const PAY = '/api/v1/payment/1/confirm'
const request = (headers: Record<string, string> = {}) =>
  new Request('http://localhost/', { method: 'POST', headers })
const admitted = () => request({ 'x-admission-pass': pass(60_000) })
const reader = () => new Request('http://localhost/')

function doorAt(lateMs: number, limit = UNDER_WAY.most) {
  const concurrency = { limit, came: () => {}, answered: () => {} }
  const door = createDoor({ tokens, lateMs: () => lateMs, concurrency })
  return (one: Request, path = HOLD) => door.enter(one, path)
}

describe('a server that is late', () => {
  test('takes everybody while it is not', () => {
    const enter = doorAt(LIMITS_OF.everybody.lateMs)
    expect(enter(request())).toBeFunction()
    expect(enter(admitted())).toBeFunction()
  })

  test('turns away who has no pass, and says when to come again', () => {
    const enter = doorAt(LIMITS_OF.everybody.lateMs + 1)
    const refused = enter(request())
    expect(refused).toBeInstanceOf(Refusal)
    expect([(refused as Refusal).code, (refused as Refusal).retryAfterSeconds]).toEqual(['overloaded', 1])
    expect(enter(admitted())).toBeFunction()
    expect(enter(request(), PAY)).toBeFunction()
  })

  test('believes no pass that is old or made up', () => {
    const enter = doorAt(LIMITS_OF.everybody.lateMs + 1)
    expect(enter(request({ 'x-admission-pass': pass(-2_000) }))).toBeInstanceOf(Refusal)
    expect(enter(request({ 'x-admission-pass': 'let me in' }))).toBeInstanceOf(Refusal)
  })

  test('turns away the admitted too when it is very late', () => {
    const enter = doorAt(LIMITS_OF.admitted.lateMs + 1)
    expect(enter(admitted())).toBeInstanceOf(Refusal)
    expect(enter(request(), PAY)).toBeInstanceOf(Refusal)
  })
})

describe('a server with many requests under way', () => {
  test('turns away readers first, then the new, then the admitted, and has room again when somebody leaves', () => {
    const limit = 100
    const enter = doorAt(0, limit)
    const fill = (count: number, one: () => Request) =>
      Array.from({ length: count }, () => enter(one())).every((each) => typeof each === 'function')
    expect(fill(LIMITS_OF.reading.share * limit, reader)).toBe(true)
    expect(enter(reader())).toBeInstanceOf(Refusal)
    expect(fill(limit - LIMITS_OF.reading.share * limit, request)).toBe(true)
    expect(enter(request())).toBeInstanceOf(Refusal)
    expect(fill(LIMITS_OF.admitted.share * limit - limit - 1, admitted)).toBe(true)
    const leave = enter(request(), PAY)
    expect(leave).toBeFunction()
    expect(enter(admitted())).toBeInstanceOf(Refusal)
    if (typeof leave === 'function') leave()
    expect(enter(admitted())).toBeFunction()
  })
})

/** A server that answers so many a second however many wait, in a time of its own. */
class Sale {
  at = 0
  took: number[] = []
  #credit = 0
  #queue: number[] = []
  readonly concurrency = createConcurrency(() => this.at)

  /** Forgets what was measured before; `offered` requests a second come, and whoever finds no room goes. */
  run(perSecond: number, offered: number, seconds: number): void {
    const stepMs = 10
    this.took = []
    for (const end = this.at + seconds * 1_000; this.at < end; this.at += stepMs) {
      this.#credit += (perSecond * stepMs) / 1_000
      for (; this.#credit >= 1 && this.#queue.length > 0; this.#credit -= 1) {
        const cameAt = this.#queue.shift()!
        this.took.push(this.at - cameAt)
        this.concurrency.answered(cameAt)
      }
      this.#credit = Math.min(this.#credit, 1)
      for (let came = 0; came < (offered * stepMs) / 1_000; came++) {
        if (this.#queue.length >= this.concurrency.limit) break
        this.#queue.push(this.at)
        this.concurrency.came(this.#queue.length)
      }
    }
  }
}

describe('the measured limit', () => {
  test('stays as it is while answers come in time', () => {
    const sale = new Sale()
    sale.run(1_000, 500, 10)
    expect(sale.concurrency.limit).toBe(UNDER_WAY.first)
  })

  test('at four times what can be done keeps the wait of the accepted near the target, and wastes nothing', () => {
    const sale = new Sale()
    sale.run(1_000, 4_000, 10)
    sale.run(1_000, 4_000, 10)
    const p99 = sale.took.toSorted((a, b) => a - b)[Math.floor(sale.took.length * 0.99)]!
    expect(p99).toBeLessThan(TARGET_MS * 2)
    expect(sale.took.length).toBeGreaterThan(9_500)
  })

  test('grows again when more can be done', () => {
    const sale = new Sale()
    sale.run(1_000, 4_000, 10)
    expect(sale.concurrency.limit).toBeLessThan(2_000)
    sale.run(8_000, 7_000, 15)
    sale.run(8_000, 7_000, 5)
    expect(sale.took.length).toBeGreaterThan(34_000)
  })

  test('falls no lower than its least, so that a sick minute does not end the sale', () => {
    const sale = new Sale()
    sale.run(5, 1_000, 200)
    expect(sale.concurrency.limit).toBe(UNDER_WAY.least)
  })
})

describe('a deadline', () => {
  test('gives up for who waits, and not for who is answered', async () => {
    const deadlines = createDeadlines()
    const never = deadlines.within(10, new Promise<string>(() => {}), () => 'late')
    const soon = deadlines.within(10_000, Promise.resolve('in time'), () => 'late')
    expect(await Promise.all([never, soon])).toEqual(['late', 'in time'])
    expect(deadlines.within(10_000, Promise.reject(new Error('away')), () => 'late')).rejects.toThrow('away')
    deadlines.stop()
  })

  test('is longer for who builds a hall than for who buys a seat', () => {
    expect(deadlineOf('POST', '/api/v1/event/1/seats')).toBeGreaterThan(deadlineOf('POST', HOLD))
    expect(deadlineOf('GET', '/api/v1/event/1/seats')).toBe(deadlineOf('POST', HOLD))
  })
})
