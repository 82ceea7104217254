// Shows that people who do not come cost no flow: how many arrive, how many are called for it, and who waits at the door.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { openLines } from '../support/line.ts'
import {
  busiestMinuteOf,
  perInterval,
  playSale,
  type SaleTick,
  type SaleWishes,
} from '../support/no-show-sale.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

const STORES_WITHIN_MS = 60_000
const SALE_WITHIN_MS = 120_000
/** What is learned of a turn is learned when its door closes: that is how often the flow is corrected. */
const INTERVAL_MS = 10_000
const SETTLED_AFTER = 3
const RATE = 6_000
const TARGET = (RATE * INTERVAL_MS) / 60_000

let stores: FreshStores
let lines: Awaited<ReturnType<typeof openLines>>
beforeAll(async () => {
  stores = await freshStores()
  lines = await openLines(stores.redisUrl)
}, STORES_WITHIN_MS)
afterAll(async () => {
  await lines.close()
  await stores.close()
})

const sale = (wishes: Partial<SaleWishes> & Pick<SaleWishes, 'seed' | 'noShows'>) =>
  playSale(lines, {
    seconds: 80,
    settings: { admitPerMinute: RATE, doorSeconds: INTERVAL_MS / 1_000 },
    claimWithin: [500, 5_000],
    ...wishes,
  })
const print = (what: string, ticks: SaleTick[]) =>
  console.log(
    `${what}: arrivals each 10 s ${perInterval(ticks, 'claimed', INTERVAL_MS).join(' ')} of ${TARGET}, called`,
    `${perInterval(ticks, 'called', INTERVAL_MS).join(' ')}, busiest minute ${busiestMinuteOf(ticks)} of ${RATE},`,
    `at the door ${Math.max(...ticks.map(({ atDoor }) => atDoor))}`,
  )
const within5percent = (arrivals: number[], share = 0.05) => {
  for (const count of arrivals) expect(Math.abs(count / TARGET - 1)).toBeLessThanOrEqual(share)
}
const calledAtMostTwice = (ticks: SaleTick[]) => {
  for (const called of perInterval(ticks, 'called', INTERVAL_MS).slice(1))
    expect(called).toBeLessThanOrEqual(2 * TARGET)
}

describe('with a rate of passes', () => {
  for (const seed of [1, 2, 3])
    test(
      `30 % no-shows, seed ${seed}: arrivals settle within 5 % of the rate in three intervals`,
      async () => {
        const { ticks } = await sale({ seed, noShows: () => 0.3 })
        print(`30 % no-shows, seed ${seed}`, ticks)
        within5percent(perInterval(ticks, 'claimed', INTERVAL_MS).slice(SETTLED_AFTER))
        calledAtMostTwice(ticks)
        expect(busiestMinuteOf(ticks)).toBeLessThanOrEqual(RATE)
      },
      SALE_WITHIN_MS,
    )

  test(
    'a share that changes in the middle of the sale is learned again',
    async () => {
      const { ticks } = await sale({ seed: 4, seconds: 100, noShows: (second) => (second < 40 ? 0.1 : 0.4) })
      print('10 %, from 40 s on 40 %', ticks)
      const arrivals = perInterval(ticks, 'claimed', INTERVAL_MS)
      within5percent([arrivals[3]!, ...arrivals.slice(5 + SETTLED_AFTER)])
      within5percent(arrivals.slice(4 + SETTLED_AFTER), 0.1)
      calledAtMostTwice(ticks)
      expect(busiestMinuteOf(ticks)).toBeLessThanOrEqual(RATE)
    },
    SALE_WITHIN_MS,
  )

  test(
    'nobody missing is called no more often, and everybody missing at most twice as often',
    async () => {
      const all = await sale({ seed: 5, seconds: 60, noShows: () => 0 })
      print('0 % no-shows', all.ticks)
      within5percent(perInterval(all.ticks, 'claimed', INTERVAL_MS).slice(1))
      within5percent(perInterval(all.ticks, 'called', INTERVAL_MS).slice(1))
      const none = await sale({ seed: 6, seconds: 60, noShows: () => 1 })
      print('100 % no-shows', none.ticks)
      calledAtMostTwice(none.ticks)
    },
    SALE_WITHIN_MS,
  )
})

describe('with a number of passes at once', () => {
  test(
    '30 % no-shows: the house is full within three doors, and never fuller',
    async () => {
      const activeMax = 400
      const { ticks } = await sale({
        seed: 7,
        seconds: 90,
        settings: { activeMax, doorSeconds: 10 },
        noShows: () => 0.3,
        leaveAfterMs: 20_000,
      })
      const settled = ticks.filter(({ at }) => at >= SETTLED_AFTER * INTERVAL_MS)
      const mean = settled.reduce((sum, { live }) => sum + live, 0) / settled.length
      console.log(`mean of live passes ${mean.toFixed(1)} of ${activeMax}`)
      // What is missing is on its way from the call to the claim.
      expect(mean / activeMax).toBeGreaterThan(0.85)
      for (const { live } of ticks) expect(live).toBeLessThanOrEqual(activeMax)
    },
    SALE_WITHIN_MS,
  )
})
