// Holds the judge of the fault bench to its word: it accepts every history a seat can have, and finds each planted lie.
import { describe, expect, test } from 'bun:test'
import { linearize } from '../../dev/chaos/linearizable.ts'
import { randomOf } from '../../dev/chaos/plan.ts'
import type { Event, Operation } from '../../dev/chaos/seat-register.ts'

type Lasting = { called: number; answered?: number; perhaps?: boolean }
const event = (operation: Operation, { called, answered = called + 5, ...rest }: Lasting): Event => ({
  ...operation,
  called,
  answered,
  ...rest,
})
const hold = (booking: string, until: number | null, at: Lasting) =>
  event({ kind: 'hold', booking, until }, at)
const confirm = (booking: string, at: Lasting) => event({ kind: 'confirm', booking }, at)
const release = (booking: string, at: Lasting) => event({ kind: 'release', booking }, at)
const refund = (booking: string, at: Lasting) => event({ kind: 'refund', booking }, at)
const extend = (booking: string, until: number | null, at: Lasting) =>
  event({ kind: 'extend', booking, until }, at)
const read = (booking: string, saw: 'held' | 'sold' | 'over' | 'ended', at: Lasting) =>
  event({ kind: 'read', booking, saw }, at)
const look = (saw: 'free' | 'held' | 'sold', booking: string, called: number) =>
  event({ kind: 'look', saw, booking }, { called })

const FOR_EVER = Infinity
const explains = (history: Event[]) => linearize(history).ok
/** The kind of the event that no order could place. */
const stuckAt = (history: Event[]) => {
  const verdict = linearize(history)
  return verdict.ok ? 'nothing' : verdict.why === 'impossible' ? verdict.stuck.kind : verdict.why
}

describe('a history of one seat is accepted', () => {
  test('when it was held, paid and refunded, and held by the next', () => {
    const history = [
      hold('a', 5_000, { called: 0 }),
      read('a', 'held', { called: 10 }),
      confirm('a', { called: 20 }),
      read('a', 'sold', { called: 30 }),
      refund('a', { called: 40 }),
      read('a', 'ended', { called: 50 }),
      hold('b', 9_000, { called: 60 }),
      look('held', 'b', 100),
    ]
    expect(linearize(history)).toMatchObject({ ok: true })
  })

  test('when answers overlap and only one order fits', () => {
    const history = [
      hold('b', 9_000, { called: 0, answered: 100 }),
      release('a', { called: 20, answered: 90 }),
      hold('a', 5_000, { called: 5, answered: 15 }),
    ]
    expect(explains(history)).toBe(true)
  })

  test('when a hold ran out and somebody else took the seat', () => {
    const history = [
      hold('a', 1_000, { called: 0 }),
      hold('b', 9_000, { called: 1_000 }),
      read('a', 'over', { called: 1_100 }),
    ]
    expect(explains(history)).toBe(true)
  })

  test('when late money buys the seat back after the next hold ran out too', () => {
    const history = [
      hold('a', 1_000, { called: 0 }),
      hold('b', 2_000, { called: 1_000 }),
      confirm('a', { called: 2_100 }),
      look('sold', 'a', 3_000),
    ]
    expect(explains(history)).toBe(true)
  })

  test('when what got no answer happened, and when it did not', () => {
    const unknown = release('a', { called: 10, answered: FOR_EVER, perhaps: true })
    expect(explains([hold('a', 5_000, { called: 0 }), unknown, hold('b', 5_500, { called: 500 })])).toBe(true)
    expect(explains([hold('a', 5_000, { called: 0 }), unknown, confirm('a', { called: 500 })])).toBe(true)
  })

  test('when a hold was given more time', () => {
    const history = [
      hold('a', 1_000, { called: 0 }),
      extend('a', 2_000, { called: 500 }),
      read('a', 'held', { called: 1_500 }),
      hold('b', 9_000, { called: 2_000 }),
    ]
    expect(explains(history)).toBe(true)
  })

  test('when a release was acknowledged twice', () => {
    const history = [
      hold('a', 5_000, { called: 0 }),
      release('a', { called: 10 }),
      hold('b', 6_000, { called: 20 }),
      release('a', { called: 30 }),
      look('held', 'b', 100),
    ]
    expect(explains(history)).toBe(true)
  })
})

describe('a planted lie is found', () => {
  test('a seat held by two at once', () => {
    expect(stuckAt([hold('a', 5_000, { called: 0 }), hold('b', 5_100, { called: 100 })])).toBe('hold')
  })

  test('a seat held by two at once, among answers that overlap', () => {
    const history = [
      hold('a', 5_000, { called: 0, answered: 200 }),
      hold('b', 5_100, { called: 100, answered: 300 }),
      confirm('b', { called: 400 }),
      confirm('a', { called: 500 }),
    ]
    expect(explains(history)).toBe(false)
  })

  test('an acknowledged payment that is lost at the end', () => {
    const history = [hold('a', 5_000, { called: 0 }), confirm('a', { called: 10 }), look('free', '', 9_000)]
    expect(stuckAt(history)).toBe('look')
  })

  test('a read that is older than an acknowledged payment', () => {
    const history = [
      hold('a', 5_000, { called: 0 }),
      confirm('a', { called: 10 }),
      read('a', 'held', { called: 20 }),
    ]
    expect(stuckAt(history)).toBe('read')
  })

  test('a hold taken away before its time', () => {
    expect(stuckAt([hold('a', 5_000, { called: 0 }), read('a', 'over', { called: 4_000 })])).toBe('read')
    const sold = [
      hold('a', 5_000, { called: 0 }),
      hold('b', 9_000, { called: 4_000 }),
      confirm('b', { called: 4_100 }),
    ]
    expect(explains(sold)).toBe(false)
  })

  test('an extension that was acknowledged and did not count', () => {
    const history = [
      hold('a', 1_000, { called: 0 }),
      extend('a', 2_000, { called: 500 }),
      hold('b', 9_000, { called: 1_200 }),
    ]
    expect(stuckAt(history)).toBe('hold')
  })

  test('money that revives a booking its buyer gave back', () => {
    const history = [
      hold('a', 5_000, { called: 0 }),
      release('a', { called: 10 }),
      confirm('a', { called: 20 }),
    ]
    expect(stuckAt(history)).toBe('confirm')
  })

  test('a sold seat held by the next', () => {
    const history = [
      hold('a', 1_000, { called: 0 }),
      confirm('a', { called: 10 }),
      hold('b', 9_000, { called: 2_000 }),
    ]
    expect(stuckAt(history)).toBe('hold')
  })
})

/** A seat's true life with answers that overlap: whatever happened, happened between call and answer. */
function live(seed: number, lives: number): Event[] {
  const random = randomOf(seed)
  const history: Event[] = []
  const around = (at: number): Lasting => ({ called: at - random() * 40, answered: at + random() * 40 })
  let at = 100
  for (let n = 0; n < lives; n++) {
    const booking = `b${n}`
    const until = at + 1_000
    history.push(hold(booking, until, around(at)))
    // Nobody knows a booking before its hold was answered.
    const next = () => (at += 60 + random() * 100)
    next()
    if (random() < 0.3) history.push(read(booking, 'held', around(at)))
    const fate = random()
    next()
    if (fate < 0.4) {
      history.push(confirm(booking, around(at)))
      if (random() < 0.5) history.push(refund('nobody', { ...around(at), answered: FOR_EVER, perhaps: true }))
      next()
      history.push(read(booking, 'sold', around(at)), refund(booking, around((next(), at))))
    } else if (fate < 0.7) history.push(release(booking, around(at)))
    else if (fate < 0.8) history.push(release(booking, { ...around(at), answered: FOR_EVER, perhaps: true }))
    else at = until
    // The next one may already have asked while this one was let go.
    at += random() * 30
  }
  return history
}

test('true lives of a thousand bookings are accepted in few steps, and are not once a hold is doubled', () => {
  for (let seed = 1; seed <= 5; seed++) {
    const history = live(seed, 1_000)
    const verdict = linearize(history)
    expect({ seed, ...verdict }).toMatchObject({ ok: true })
    expect(verdict.steps).toBeLessThan(5 * history.length)
    const sale = history.find(({ kind }) => kind === 'confirm')!
    const planted = hold('thief', null, { called: sale.answered + 1, answered: sale.answered + 2 })
    expect(explains([...history, planted])).toBe(false)
  }
})

test('a search that would take for ever ends and says so', () => {
  // Every one of them may come first, and none can come last.
  const crowd = Array.from({ length: 24 }, (_, n) => hold(`b${n}`, null, { called: 0, answered: 1_000 }))
  const verdict = linearize([...crowd, look('sold', 'b0', 2_000)], 5_000)
  expect(verdict).toMatchObject({ ok: false, why: 'undecided' })
})
