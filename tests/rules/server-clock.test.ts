// Holds what the window knows of the server's time: every answer narrows it, a changed clock starts it anew.
import { expect, test } from 'bun:test'
import { ServerClock } from '../../web/src/net/server-clock.ts'

function clockAt(start: number) {
  let device = start
  const clock = new ServerClock(() => device)
  return { clock, pass: (ms: number) => (device += ms), device: () => device }
}

test('says the time of the device until the server was heard', () => {
  expect(clockAt(1_000).clock.now()).toBe(1_000)
})

test('answers narrow the offset to less than the time they travel', () => {
  const ahead = 7_300
  const { clock, pass, device } = clockAt(1_000_000)
  for (const travelMs of [400, 40, 250]) {
    const sentAt = device()
    pass(travelMs / 4)
    const serverMs = device() + ahead
    pass((travelMs * 3) / 4)
    clock.sample(serverMs, sentAt)
    pass(173)
  }
  expect(Math.abs(clock.offset() - ahead)).toBeLessThanOrEqual(20)
})

test('a frame that was not asked for only bounds the offset from below', () => {
  const { clock, device } = clockAt(50_000)
  clock.sample(device() + 2_000, null)
  expect(clock.offset()).toBe(2_000)
})

test('a device whose clock is set meanwhile is followed', () => {
  const { clock, pass, device } = clockAt(100_000)
  clock.sample(device() + 500, device())
  pass(60_000)
  clock.sample(device() - 9_000, device())
  expect(Math.abs(clock.offset() + 9_000)).toBeLessThan(20)
})

test('nonsense is not taken in', () => {
  const { clock, device } = clockAt(100_000)
  clock.sample(Number.NaN, device())
  expect(clock.offset()).toBe(0)
})
