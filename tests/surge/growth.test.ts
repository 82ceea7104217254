// Shows what a soak asks of the processes: memory judged after its warm-up, descriptors against the beginning.
import { expect, test } from 'bun:test'
import { growthOf, judgeGrowth, type Watched } from '../../dev/surge/watch-processes.ts'

const LIMITS = { warmUpSeconds: 100, growthMax: 0.05, descriptorsMax: 0 }
const watched = (
  megabytes: (seconds: number) => number,
  descriptors: (seconds: number) => number = () => 30,
): Watched => ({
  name: 'server 1',
  restarted: false,
  samples: Array.from({ length: 301 }, (_, index) => {
    const seconds = index * 2
    return { seconds, megabytes: megabytes(seconds), descriptors: descriptors(seconds) }
  }),
})

test('what is taken while warming up is not held against a process', () => {
  const steady = watched((seconds) => (seconds < 100 ? 50 + seconds : 150))
  expect(growthOf(steady, LIMITS.warmUpSeconds)).toMatchObject({ from: 150, to: 150, growth: 0 })
  expect(judgeGrowth([steady], LIMITS)).toEqual([])
})

test('a leak after it is', () => {
  expect(judgeGrowth([watched((seconds) => 100 + seconds / 20)], LIMITS)).toEqual([
    'server 1 grew from 108 to 128 MB after its warm-up',
  ])
})

test('descriptors that stay open are told, and those that were only needed meanwhile are not', () => {
  expect(
    judgeGrowth(
      [
        watched(
          () => 100,
          (seconds) => (seconds === 600 ? 31 : 30),
        ),
      ],
      LIMITS,
    ),
  ).toEqual(['server 1 had 30 descriptors and has 31'])
  expect(
    judgeGrowth(
      [
        watched(
          () => 100,
          (seconds) => (seconds === 300 ? 900 : 30),
        ),
      ],
      LIMITS,
    ),
  ).toEqual([])
})

test('a process that was replaced meanwhile proves nothing', () => {
  expect(judgeGrowth([{ ...watched(() => 100), restarted: true }], LIMITS)).toEqual([
    'server 1 did not live through the run',
  ])
})
