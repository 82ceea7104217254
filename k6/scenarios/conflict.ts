// Question:   when far more buyers than seats grab at once, is every answer a clear yes or no, and is no seat sold twice?
// Shape:      2,000 attempts by 500 accounts on 200 seats of a new event, 100 at a time, as fast as they are answered.
// Thresholds: no other answer than 201 and 409; exactly as many holds as seats; 95 % of the answers within 500 ms.
import exec from 'k6/execution'
import { undisturbed } from '../lib/faults.ts'
import { holdSeats } from '../lib/purchase.ts'
import { openSale, type Sale } from '../lib/sale.ts'
import { size, within } from '../lib/size.ts'
export { handleSummary } from '../lib/summary.ts'

const SEATS = size('SEATS', 200)
const BUYERS = size('BUYERS', 500)
const ATTEMPTS = size('ATTEMPTS', 2_000)
const AT_ONCE = 100

export const options = {
  scenarios: {
    conflict: { executor: 'shared-iterations', vus: AT_ONCE, iterations: ATTEMPTS, maxDuration: '2m' },
  },
  thresholds: {
    unexpected_answers: ['count==0'],
    ...undisturbed,
    seats_held: [`count==${SEATS}`],
    seat_conflicts: [`count==${ATTEMPTS - SEATS}`],
    'http_req_duration{name:hold}': [within(500)],
  },
}

export const setup = () => openSale({ name: 'conflict', seats: SEATS, buyers: BUYERS })

export default async function grab({ eventId, tokens, seats }: Sale): Promise<void> {
  const attempt = exec.scenario.iterationInTest
  await holdSeats({ eventId, token: tokens[attempt % tokens.length]! }, [attempt % seats])
}
