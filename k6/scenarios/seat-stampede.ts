// Question:   when a thousand people press the same seat in the same moment, does exactly one of them get it, and at once?
// Shape:      20 seats, one after the other every 2 s; for each, 500 people of 1,000 ask within the same instant.
// Thresholds: one hold a seat, a clear no for everybody else; 95 % of the answers within 1 s; the winner asked again hears the same.
import { pause } from '../lib/entrant.ts'
import { ask } from '../lib/api.ts'
import { undisturbed } from '../lib/faults.ts'
import { conflicts, held } from '../lib/purchase.ts'
import { mine, openSale, type Sale } from '../lib/sale.ts'
import { size, within } from '../lib/size.ts'
import { tally } from '../lib/tally.ts'
export { handleSummary } from '../lib/summary.ts'

const SEATS = size('SEATS', 20)
const BUYERS = size('BUYERS', 1_000)
const VUS = 40
const EVERY_MS = 2_000
/** Time for every VU to have read its users. */
const BEGIN_AFTER_MS = 2_000
const TAKEN = 409

const heardTheSame = tally('heard_the_same')

export const options = {
  setupTimeout: '2m',
  scenarios: {
    stampede: { executor: 'per-vu-iterations', vus: VUS, iterations: 1, maxDuration: '5m' },
  },
  thresholds: {
    unexpected_answers: ['count==0'],
    ...undisturbed,
    seats_held: [`count==${SEATS}`],
    heard_the_same: [`count==${SEATS}`],
    seat_conflicts: [`count==${SEATS * (BUYERS / 2 - 1)}`],
    'http_req_duration{name:press}': [within(1000)],
  },
}

type Stampede = Sale & { beginsAt: number }

export function setup(): Stampede {
  const sale = openSale({ name: 'seat stampede', seats: SEATS, buyers: BUYERS })
  return { ...sale, beginsAt: Date.now() + BEGIN_AFTER_MS }
}

export default async function everybody(sale: Stampede): Promise<void> {
  const users = mine(sale.tokens, VUS)
  for (let n = 0; n < SEATS; n += 1) {
    await pause(sale.beginsAt + n * EVERY_MS - Date.now())
    // Half of them each time, so that nobody is asked of more often than a person could press.
    const pressing = users.filter(({ index }) => index % 2 === n % 2)
    await Promise.all(pressing.map(({ token, index }) => press(sale.eventId, token, n, index)))
  }
}

async function press(eventId: string, token: string, n: number, index: number): Promise<void> {
  const request = {
    method: 'POST',
    path: '/booking',
    name: 'press',
    token,
    body: { seatId: `${eventId}:${n}` },
    key: `press-${n}-${index}`,
  } as const
  const answer = await ask<{ id: string }>({ ...request, accept: [TAKEN] })
  if (answer.status === TAKEN) conflicts.add(1)
  if (!answer.ok) return
  held.add(1)
  const again = await ask<{ id: string }>(request)
  if (again.ok && again.data.id === answer.data.id) heardTheSame.add(1)
}
