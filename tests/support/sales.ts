// Owns the plans of simulated sales: by kind and seed, with habits drawn at random.
import { randomOf, type SalePlan } from './sale.ts'

const KINDS = ['places', 'rate', 'both', 'change', 'pause'] as const
const MINUTES = 14
const PEOPLE_MAX = 700

/** Sales limited by free passes, by the rate, by both; with a rate changed in the middle; with a pause. */
export function salesFrom(seed: number, count: number): SalePlan[] {
  return Array.from({ length: count }, (_, i) => planSale(seed + i * 7_919, KINDS[i % KINDS.length]!))
}

function planSale(seed: number, kind: (typeof KINDS)[number]): SalePlan {
  const random = randomOf(seed)
  const pick = <T>(list: T[]) => list[Math.floor(random() * list.length)]!
  const activeMax = pick([20, 40, 80])
  const stayMinutes = pick([0.7, 1, 1.5, 2.5])
  const byPlaces = activeMax / (stayMinutes + 0.1)
  const rate = Math.max(6, Math.round(byPlaces * (0.4 + random() * 0.4)))
  const rated = kind === 'rate' || kind === 'both' || kind === 'change'
  return {
    name: kind,
    seed,
    people: Math.round(Math.min(PEOPLE_MAX, (rated ? rate : byPlaces) * MINUTES * (0.8 + random() * 0.8))),
    arriveMinutes: pick([0.1, 5, 10]),
    activeMax,
    admitPerMinute: rated ? rate : null,
    doorSeconds: pick([20, 30, 60]),
    passSeconds: pick([180, 300, 600]),
    noShows: pick([0, 0.1, 0.3]),
    stayMinutes,
    steadiness: pick([1, 2, 4]),
    leaving: pick([0, 0.01, 0.03]),
    minutes: MINUTES,
    ...(kind === 'change' && {
      change: {
        atMinute: 4 + random() * 4,
        admitPerMinute: Math.max(4, Math.round(rate * pick([0.5, 0.7, 1.5]))),
      },
    }),
    ...(kind === 'pause' && { pause: { atMinute: 4 + random() * 4, minutes: 2 } }),
  }
}

/** Sales with fewer seats than people: the odds matter. */
export function scarceSalesFrom(seed: number, count: number): SalePlan[] {
  return salesFrom(seed, count).map((plan) => {
    const random = randomOf(plan.seed + 1)
    const seatsMost = 2 + Math.floor(random() * 4)
    const people = Math.round(plan.people * 0.6)
    const { change: _change, pause: _pause, ...rest } = plan
    return {
      ...rest,
      people,
      seatsMost,
      seats: Math.round(people * (1 - plan.noShows) * (seatsMost / 2) * (0.3 + random() * 0.4)),
    }
  })
}
