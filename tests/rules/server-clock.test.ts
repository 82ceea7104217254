// Holds what the window knows of the server's time: every answer narrows it, a changed clock starts it anew.
import { expect, test } from 'bun:test'
import { DATE_HEADER_MS, ServerClock } from '../../web/src/net/server-clock.ts'

function clockAt(start: number) {
  let device = start
  const clock = new ServerClock(() => device)
  return { clock, pass: (ms: number) => (device += ms), device: () => device }
}

test('says the time of the device until the server was heard', () => {
  expect(clockAt(1_000).clock.now()).toBe(1_000)
})

test('answers cut to seconds narrow the offset to a fraction of one', () => {
  const ahead = 7_300
  const { clock, pass, device } = clockAt(1_000_000)
  for (let i = 0; i < 40; i += 1) {
    const sentAt = device()
    pass(40)
    const headerMs = Math.floor((device() - 20 + ahead) / 1_000) * 1_000
    clock.sample(headerMs, sentAt, DATE_HEADER_MS)
    pass(173)
  }
  expect(Math.abs(clock.offset() - ahead)).toBeLessThan(120)
})

test('a frame that was not asked for only bounds the offset from below', () => {
  const { clock, device } = clockAt(50_000)
  clock.sample(device() + 2_000, null)
  expect(clock.offset()).toBe(2_000)
})

test('a device whose clock is set meanwhile is followed', () => {
  const { clock, pass, device } = clockAt(100_000)
  clock.sample(device() + 500, device(), 10)
  pass(60_000)
  clock.sample(device() - 9_000, device(), 10)
  expect(Math.abs(clock.offset() + 9_000)).toBeLessThan(20)
})

test('nonsense is not taken in', () => {
  const { clock, device } = clockAt(100_000)
  clock.sample(Number.NaN, device())
  expect(clock.offset()).toBe(0)
})
