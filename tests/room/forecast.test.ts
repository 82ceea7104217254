// Holds the range of the wait to what it promises: eight times in ten, over twenty sales on the real line; and the odds.
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { oddsOf, peopleAhead, waitRange, type Odds, type WaitRange } from '../../server/protocol/forecast.ts'
import { ForecastLog } from '../../server/room/forecast-log.ts'
import { paceOf, reachOf } from '../../server/room/outlook.ts'
import { openLines } from '../support/line.ts'
import { playSale, randomOf, type SalePlan } from '../support/sale.ts'
import { salesFrom, scarceSalesFrom } from '../support/sales.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

const STORES_WITHIN_MS = 60_000
const LONG_MS = 400_000
const SALES = 20
const SCARCE_SALES = 30
const AT_ONCE = 4
const SEED = 20_261_123
/** The line is looked at once a second. */
const TICK_MINUTES = 1 / 60

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

interface Told {
  place: number
  madeAt: number
  range: WaitRange | null
  odds: Odds | null
}
interface Played {
  plan: SalePlan
  told: Told[]
  /** Place → minutes, and the seats free then. */
  called: Map<number, { at: number; seats: number }>
}

async function play(plan: SalePlan): Promise<Played> {
  const { activeMax, admitPerMinute, doorSeconds, passSeconds } = plan
  const room = await lines.make({ activeMax, admitPerMinute, doorSeconds, passSeconds })
  const played: Played = { plan, told: [], called: new Map() }
  await playSale(
    room,
    plan,
    (view, madeAt, places) => {
      const pace = paceOf(view)
      const reach = reachOf(view, pace)
      for (const place of places)
        played.told.push({
          place,
          madeAt,
          range: waitRange(peopleAhead(place, view), pace),
          odds: reach && oddsOf(place, reach),
        })
    },
    (place, at, seats) => played.called.set(place, { at, seats }),
  )
  return played
}

async function playAll(plans: SalePlan[]): Promise<Played[]> {
  const played: Played[] = []
  for (let i = 0; i < plans.length; i += AT_ONCE)
    played.push(...(await Promise.all(plans.slice(i, i + AT_ONCE).map(play))))
  return played
}

/** How the ranges came out, each made `factor` as wide as it was told. */
function score({ told, called }: Played, factor = 1) {
  const found = { forecasts: 0, inside: 0, early: 0, late: 0 }
  for (const { place, madeAt, range } of told) {
    const end = called.get(place)
    if (!end || !range) continue
    const waited = end.at - madeAt
    const middle = Math.sqrt(range.lowMinutes * range.highMinutes)
    const half = (range.highMinutes / middle) ** factor
    found.forecasts += 1
    if (waited < middle / half - TICK_MINUTES) found.early += 1
    else if (waited > middle * half + TICK_MINUTES) found.late += 1
    else found.inside += 1
  }
  return found
}

test(
  'the wait lies within its range 75 to 85 times in a hundred, over twenty sales, and not with half the range',
  async () => {
    const sales = await playAll(salesFrom(SEED, SALES))
    const rows = sales.map((sale) => {
      const { plan, told } = sale
      const { forecasts, inside, early, late } = score(sale)
      const widths = told.flatMap(({ range }) => (range ? [range.highMinutes / range.lowMinutes] : []))
      return {
        sale: `${plan.name} ${plan.activeMax}/${plan.admitPerMinute ?? '-'}`,
        people: plan.people,
        'stay min': plan.stayMinutes,
        'no-shows': plan.noShows,
        'leaving/min': plan.leaving,
        forecasts,
        'inside %': Math.round((100 * inside) / forecasts),
        early,
        late,
        'high/low': Number(widths.toSorted((a, b) => a - b)[Math.floor(widths.length / 2)]!.toFixed(2)),
      }
    })
    console.table(rows)
    const share = (factor: number) => {
      const all = sales.map((sale) => score(sale, factor))
      return sum(all.map(({ inside }) => inside)) / sum(all.map(({ forecasts }) => forecasts))
    }
    console.log(
      `inside the range: ${(share(1) * 100).toFixed(1)} %; made half as wide: ${(share(0.5) * 100).toFixed(1)} %`,
    )
    expect(share(1)).toBeWithin(0.75, 0.85)
    expect(share(0.5)).toBeLessThan(0.75)
  },
  LONG_MS,
)

test(
  'who is told that seats will likely be left finds some, who is told that it is unlikely mostly does not',
  async () => {
    const sales = await playAll(scarceSalesFrom(SEED, SCARCE_SALES))
    const found: Record<Odds, { told: number; served: number }> = {
      likely: { told: 0, served: 0 },
      uncertain: { told: 0, served: 0 },
      unlikely: { told: 0, served: 0 },
    }
    for (const { told, called } of sales)
      for (const { place, odds } of told) {
        // Who gave up is nobody's outcome; the sale is over when the line no longer moves.
        const last = Math.max(...called.keys())
        if (!odds || (!called.has(place) && place <= last)) continue
        found[odds].told += 1
        if ((called.get(place)?.seats ?? 0) > 0) found[odds].served += 1
      }
    const share = (odds: Odds) => found[odds].served / found[odds].told
    console.table(
      Object.entries(found).map(([odds, { told, served }]) => ({
        odds,
        told,
        'served %': Math.round((100 * served) / told),
      })),
    )
    for (const odds of ['likely', 'uncertain', 'unlikely'] as const)
      expect(found[odds].told).toBeGreaterThan(50)
    expect(share('likely')).toBeGreaterThan(0.9)
    expect(share('uncertain')).toBeWithin(0.2, 0.85)
    expect(share('unlikely')).toBeLessThan(0.1)
  },
  LONG_MS,
)

test('while the first are inside and nobody is done, the wait is the supposed one, not an ever longer one', async () => {
  const room = await lines.make({ activeMax: 20, passSeconds: 600 })
  for (let i = 0; i < 100; i++) await room.line.join(room.eventId, `p${i}`, { socket: 's' })
  const flow = async () => paceOf((await room.line.look(room.eventId))!).flow!
  const supposed = await flow()
  for (let second = 0; second < 120; second++) {
    await room.tick()
    room.pass(1_000)
    if (second === 2) for (let i = 0; i < 20; i++) await room.line.claim(room.eventId, `p${i}`)
  }
  expect(await flow()).toEqual(supposed)
})

test('nobody is told a wait while the line is paused, and the pause is not held against the forecast', async () => {
  const room = await lines.make({ activeMax: 1, passSeconds: 60 })
  for (let i = 0; i < 20; i++) await room.line.join(room.eventId, `p${i}`, { socket: 's' })
  await room.tick()
  const told = async () => paceOf((await room.line.look(room.eventId))!).flow
  expect(await told()).not.toBeNull()
  await room.set({ control: 'paused' })
  expect(await told()).toBeNull()
  await room.set({ control: 'auto' })
  expect(await told()).not.toBeNull()
})

test('the log of forecasts counts what came early, in time and late, keeps a bounded number, and skips a pause', async () => {
  const room = await lines.make({ activeMax: 1 })
  for (let i = 0; i < 2_000; i++) await room.line.join(room.eventId, `p${i}`, { socket: 's' })
  const view = (await room.line.look(room.eventId))!
  const log = new ForecastLog(randomOf(1))
  const look = (seconds: number, serving: number, phase: 'open' | 'paused' = 'open') =>
    log.take({ ...view, phase, serving, at: view.at + seconds * 1_000 })
  look(0, 0)
  let all = { inside: 0, early: 0, late: 0 }
  for (let second = 1; second < 60; second++) look(second, 0, 'paused')
  for (let second = 60; second < 1_200; second++) {
    const { inside, early, late } = look(second, second - 60)
    all = { inside: all.inside + inside, early: all.early + early, late: all.late + late }
  }
  expect(all.early + all.inside).toBeGreaterThan(20)
  const end = look(1_200, 2_000)
  // 16 asked at most a quarter of a minute each, never more than the bound.
  expect(end.early + end.inside + end.late).toBeLessThanOrEqual(512)
})

const sum = (numbers: number[]) => numbers.reduce((all, each) => all + each, 0)
